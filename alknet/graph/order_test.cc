#include "alknet/graph/order.h"

#include <gtest/gtest.h>

namespace alknet::graph {
namespace {

using Lists = std::vector<std::vector<std::size_t>>;

TEST(NodeOrder, KeepsDocumentOrderAmongReadyNodes) {
  EXPECT_EQ(order_nodes(Lists{{}, {0}, {}, {1, 2}}).order, (std::vector<std::size_t>{0, 1, 2, 3}));
  EXPECT_EQ(order_nodes(Lists{{3}, {}, {1}, {1}}).order, (std::vector<std::size_t>{1, 2, 3, 0}));
  EXPECT_TRUE(order_nodes({}).order.empty());
}

TEST(NodeOrder, CountsRepeatedEdges) {
  EXPECT_EQ(order_nodes(Lists{{1, 1}, {}}).order, (std::vector<std::size_t>{1, 0}));
}

TEST(NodeOrder, TellsEveryCycleOnce) {
  // 0 -> 1 -> 2 -> 0, 3 reads itself, 4 hangs on the first, 5 is free.
  const auto found = order_nodes(Lists{{2}, {0}, {1}, {3}, {2}, {}});
  EXPECT_EQ(found.order, std::vector<std::size_t>{5});
  EXPECT_EQ(found.cycles, (Lists{{0, 1, 2}, {3}}));
}

TEST(NodeOrder, TellsOneShortPathOfATangle) {
  const auto found = order_nodes(Lists{{1, 2}, {0}, {0, 1}});
  ASSERT_EQ(found.cycles.size(), 1u);
  EXPECT_EQ(found.cycles[0], (std::vector<std::size_t>{0, 1}));
}

TEST(NodeOrder, NeedsNoRecursion) {
  constexpr std::size_t kCount = 200'000;
  Lists chain(kCount);
  for (std::size_t i = 1; i < kCount; ++i) chain[i] = {i - 1};
  EXPECT_EQ(order_nodes(chain).order.size(), kCount);
  chain[0] = {kCount - 1};
  EXPECT_EQ(order_nodes(chain).cycles.at(0).size(), kCount);
}

}  // namespace
}  // namespace alknet::graph
