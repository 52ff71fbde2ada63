#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "alknet/compute/device_cpu/convert.h"
#include "alknet/compute/device_cpu/convert_value.h"

namespace alknet::compute {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Convert, RoundsToNearestEvenOnce) {
  EXPECT_EQ(convert_value<Half>(1.0 + 0x1p-11 + 0x1p-40).bits, 0x3C01);  // the float nearest to it is the tie
  EXPECT_EQ(convert_value<Half>(-1.0 - 0x1p-11 + 0x1p-40).bits, 0xBC00);
  EXPECT_EQ(convert_value<BFloat16>(1.0 + 0x1p-8 + 0x1p-40).bits, 0x3F81);
  EXPECT_EQ(convert_value<BFloat16>((std::int64_t{1} << 60) + (std::int64_t{1} << 52) + 1).bits, 0x5D81);
}

TEST(Convert, TruncatesAndSaturatesFloats) {
  EXPECT_EQ(convert_value<std::int32_t>(-2.9F), -2);
  EXPECT_EQ(convert_value<std::int32_t>(3e9F), std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(convert_value<std::int64_t>(-kInfinity), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(convert_value<std::uint8_t>(-1.0F), 0);
  EXPECT_EQ(convert_value<std::uint8_t>(255.9), 255);
  EXPECT_EQ(convert_value<std::int8_t>(std::nan("")), 0);
  EXPECT_EQ(convert_value<std::int8_t>(std::int64_t{300}), 44);
  EXPECT_TRUE(convert_value<bool>(0.5));
}

TEST(Convert, AgreesWithTheScalarFormOnRowsOfAnyLength) {
  std::vector<float> numbers(77);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = std::ldexp(std::sin(static_cast<float>(i)), static_cast<int>(i) - 40);
  numbers[5] = kInfinity;
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{16}, std::size_t{77}}) {
    std::vector<Half> halves(78, Half{0xABCD});
    store_function(Dtype::kF16)(numbers.data(), 1, halves.data(), count);
    EXPECT_EQ(halves[count].bits, 0xABCD);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(halves[i].bits, to_half(numbers[i]).bits) << i;
    std::vector<float> back(count);
    load_function(Dtype::kF16)(halves.data(), 1, back.data(), count);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(back[i], to_float(halves[i])) << i;
  }
}

}  // namespace
}  // namespace alknet::compute
