#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "alknet/compute/device_cpu/convert.h"
#include "alknet/compute/device_cpu/convert_value.h"

namespace alknet::compute {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Convert, ReadsEveryHalfAsTheFormulaSays) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const int exponent = static_cast<int>(bits >> 10 & 31), fraction = static_cast<int>(bits & 1023);
    const double sign = bits & 0x8000 ? -1 : 1;
    const float value = to_float(Half{static_cast<std::uint16_t>(bits)});
    if (exponent == 31) {
      EXPECT_TRUE(fraction ? std::isnan(value) : value == sign * kInfinity) << bits;
    } else {
      EXPECT_EQ(value, sign * (exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24)))
          << bits;
      EXPECT_EQ(to_half(value).bits, bits);
    }
  }
}

TEST(Convert, RoundsToNearestEvenOnce) {
  EXPECT_EQ(to_half(65519.996F).bits, 0x7BFF);
  EXPECT_EQ(to_half(65520.0F).bits, 0x7C00);
  EXPECT_EQ(to_half(1.0F + 0x1p-11F).bits, 0x3C00);  // a tie
  EXPECT_EQ(to_half(1.0F + 3 * 0x1p-11F).bits, 0x3C02);
  EXPECT_EQ(to_half(0x1p-25F).bits, 0);
  EXPECT_EQ(to_half(0x1.8p-25F).bits, 1);
  EXPECT_EQ(convert_value<Half>(1.0 + 0x1p-11 + 0x1p-40).bits, 0x3C01);  // the float nearest to it is the tie
  EXPECT_EQ(convert_value<Half>(-1.0 - 0x1p-11 + 0x1p-40).bits, 0xBC00);
  EXPECT_EQ(to_bfloat16(1.0F + 0x1p-8F).bits, 0x3F80);
  EXPECT_EQ(convert_value<BFloat16>(1.0 + 0x1p-8 + 0x1p-40).bits, 0x3F81);
  EXPECT_EQ(convert_value<BFloat16>((std::int64_t{1} << 60) + (std::int64_t{1} << 52) + 1).bits, 0x5D81);
  EXPECT_TRUE(std::isnan(to_float(to_bfloat16(std::nanf("")))));
  EXPECT_TRUE(std::isnan(to_float(to_half(std::nanf("")))));
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
