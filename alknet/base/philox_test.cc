#include "alknet/base/philox.h"

#include <gtest/gtest.h>

namespace alknet {
namespace {

TEST(Philox, HasTheKnownAnswersOfRandom123) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kAll = 0xffffffff;
  EXPECT_EQ(philox4x32({kAll, kAll, kAll, kAll}, {kAll, kAll}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, StreamsGoThroughTheWordsOfTheirCounters) {
  PhiloxStream stream(std::uint64_t{7} << 32 | 5, 3, std::uint64_t{9} << 32 | 2);
  for (std::uint32_t block = 0; block < 3; ++block) {
    const auto words = philox4x32({block, 2, 3, 9}, {5, 7});
    for (const std::uint32_t word : words) EXPECT_EQ(stream.word(), word);
  }
}

TEST(Philox, StaysInsideItsRanges) {
  PhiloxStream stream(1);
  std::array<int, 5> seen{};
  for (int i = 0; i < 1000; ++i) {
    const float u = stream.uniform();
    EXPECT_TRUE(u >= 0 && u < 1);
    ++seen[stream.below(5)];
  }
  for (const int count : seen) EXPECT_GT(count, 120);
  EXPECT_EQ(stream.below(0), 0u);
}

}  // namespace
}  // namespace alknet
