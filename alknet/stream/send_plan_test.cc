#include "alknet/stream/send_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "alknet/base/testing.h"
#include "alknet/stream/stream_test_support.h"

namespace alknet::stream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Tensors t0 to t3, and the pads between them where there are any.
const tensor::File& model() {
  static const tensor::File file = model_of({4, 2, 0, 8}, false);
  return file;
}

std::uint32_t index_of(std::string_view name) {
  return static_cast<std::uint32_t>(model().index_of(model().entry(name)));
}

std::vector<Piece> all(SendPlan plan) {
  std::vector<Piece> pieces;
  while (const auto piece = plan.next()) pieces.push_back(*piece);
  return pieces;
}

TEST(SendPlan, SendsAllEntriesInDataOrder) {
  const auto pieces = all(SendPlan(model(), {}));
  ASSERT_EQ(pieces.size(), model().entries().size());
  for (std::uint32_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(pieces[i], (Piece{i, 0, model().entries()[i].bytes()}));
  }
}

TEST(SendPlan, SendsWhatHasPriorityFirstAndTheOthersAsTheyWere) {
  Request request;
  request.tensors = {{{"t0"}, {"t1"}, {"t2"}, {"t3"}}};
  request.priority = {"t3", "t1"};
  EXPECT_THAT(all(SendPlan(model(), request)), ElementsAre(Piece{index_of("t3"), 0, 32}, Piece{index_of("t1"), 0, 8},
                                                           Piece{index_of("t0"), 0, 16}, Piece{index_of("t2"), 0, 0}));
}

TEST(SendPlan, SendsTheRangesThatAreNamed) {
  Request request;
  request.tensors = {{{"t3", 8, {}}, {"t0", 0, 4}, {"t0", 12, 16}, {"t1", 8, 8}}};
  EXPECT_THAT(all(SendPlan(model(), request)), ElementsAre(Piece{index_of("t3"), 8, 32}, Piece{index_of("t0"), 0, 4},
                                                           Piece{index_of("t0"), 12, 16}, Piece{index_of("t1"), 8, 8}));
}

TEST(SendPlan, TakesANewOrderForWhatIsLeft) {
  SendPlan plan(model(), Request{.tensors = {{{"t0"}, {"t1"}, {"t3"}}}});
  EXPECT_EQ(plan.next()->index, index_of("t0"));
  plan.prioritize(model(), std::vector<std::string>{"t3", "t0"});
  EXPECT_EQ(plan.next()->index, index_of("t3"));
  EXPECT_EQ(plan.next()->index, index_of("t1"));
  EXPECT_TRUE(plan.empty());
}

TEST(SendPlan, RefusesNamesThatAreNoEntriesAndRangesOutside) {
  const auto refused = [](TensorRange range) {
    return error_of([&] { SendPlan(model(), Request{.tensors = {{range}}}); });
  };
  EXPECT_EQ(refused({"t9"}).code_name(), "not_found");
  EXPECT_THAT(refused({"t9"}).message(), HasSubstr("t9"));
  EXPECT_EQ(refused({""}).code_name(), "not_found");
  EXPECT_EQ(refused({"t0", 0, 17}).code_name(), "invalid_input");
  EXPECT_EQ(refused({"t0", 17, {}}).code_name(), "invalid_input");
  EXPECT_EQ(refused({"t0", 5, 4}).code_name(), "invalid_input");
  EXPECT_EQ(refused({"t0", std::numeric_limits<std::uint64_t>::max(), {}}).code_name(), "invalid_input");
  EXPECT_EQ(code_of([] { SendPlan(model(), Request{.priority = {"t9"}}); }), "not_found");
}

}  // namespace
}  // namespace alknet::stream
