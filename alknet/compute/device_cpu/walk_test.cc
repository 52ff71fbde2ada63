#include "alknet/compute/device_cpu/walk.h"

#include <gtest/gtest.h>

#include <array>

namespace alknet::compute {
namespace {

TEST(Walk, JoinsDimensionsThatAllOperandsPassInOneStride) {
  const std::array operands = {Strided{{2, 3, 4}, {12, 4, 1}, 0}, Strided{{2, 3, 4}, {24, 8, 2}, 0}};
  const Walk walk = make_walk({2, 3, 4}, operands);
  EXPECT_EQ(walk.sizes, (Shape{24}));
  EXPECT_EQ(walk.strides[0], (Shape{1}));
  EXPECT_EQ(walk.strides[1], (Shape{2}));
}

TEST(Walk, BroadcastsMissingDimensionsAndThoseOfSizeOne) {
  const std::array operands = {Strided{{4}, {1}, 0}, Strided{{3, 1}, {1, 7}, 0}};
  const Walk walk = make_walk({2, 3, 4}, operands);
  EXPECT_EQ(walk.sizes, (Shape{2, 3, 4}));
  EXPECT_EQ(walk.strides[0], (Shape{0, 0, 1}));
  EXPECT_EQ(walk.strides[1], (Shape{0, 1, 0}));
  EXPECT_EQ(walk.offset(0, 23), 3);
  EXPECT_EQ(walk.offset(1, 23), 2);
}

TEST(Walk, CountsOneItemAtRankZeroAndNoneWhenEmpty) {
  EXPECT_EQ(make_walk({}, {}).count(), 1);
  EXPECT_EQ(make_walk({1, 1}, {}).count(), 1);
  EXPECT_EQ(make_walk({3, 0}, {}).count(), 0);
}

TEST(Walk, CutsARangeIntoRuns) {
  const std::array operands = {Strided{{3, 4}, {1, 3}, 0}};
  const Walk walk = make_walk({3, 4}, operands);
  std::vector<std::pair<std::int64_t, std::int64_t>> runs;
  for_each_run(walk, 0, 2, 9, [&](std::int64_t offset, std::int64_t count) { runs.emplace_back(offset, count); });
  EXPECT_EQ(runs, (std::vector<std::pair<std::int64_t, std::int64_t>>{{6, 2}, {1, 4}, {2, 1}}));
}

}  // namespace
}  // namespace alknet::compute
