#include "alknet/graph/philox.h"

#include <gtest/gtest.h>

#include <cmath>

namespace alknet::graph {
namespace {

using Words = std::array<std::uint32_t, 4>;

// The known answers that come with Random123, the authors' library (kat_vectors, philox4x32 10).
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, NumbersElementsFourToACounter) {
  EXPECT_EQ(random_word(0, 0, 0, 2), 0xbc57ac4cU);
  const std::uint64_t seed = 0x299f31d0a4093822;
  EXPECT_EQ(random_word(seed, 0x0370734485a308d3, 0x13198a2e, std::uint64_t{0x243f6a88} * 4 + 3), 0x24126ea1U);
}

TEST(Philox, DrawsNormalNumbersWithTheMomentsOfTheNormalDistribution) {
  constexpr int kPairs = 20000;
  double moments[5] = {};
  for (std::uint64_t i = 0; i < kPairs; ++i) {
    const auto pair = unit_normals(random_word(7, 0, 1, 2 * i), random_word(7, 0, 1, 2 * i + 1));
    for (const double x : pair) {
      for (int power = 1; power < 5; ++power) moments[power] += std::pow(x, power) / (2 * kPairs);
    }
  }
  EXPECT_NEAR(moments[1], 0, 0.02);
  EXPECT_NEAR(moments[2], 1, 0.03);
  EXPECT_NEAR(moments[3], 0, 0.08);
  EXPECT_NEAR(moments[4], 3, 0.2);
}

}  // namespace
}  // namespace alknet::graph
