#include "alknet/base/float16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace alknet {
namespace {

TEST(Float16, ReadsEveryHalfAsTheFormulaSays) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const int exponent = static_cast<int>(bits >> 10 & 31), fraction = static_cast<int>(bits & 1023);
    const double sign = bits & 0x8000 ? -1 : 1;
    const float value = to_float(Half{static_cast<std::uint16_t>(bits)});
    if (exponent == 31) {
      EXPECT_TRUE(fraction ? std::isnan(value) : value == sign * std::numeric_limits<float>::infinity()) << bits;
    } else {
      EXPECT_EQ(value, sign * (exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24)))
          << bits;
      EXPECT_EQ(to_half(value).bits, bits);
    }
  }
}

TEST(Float16, RoundsToNearestEven) {
  EXPECT_EQ(to_half(65519.996F).bits, 0x7BFF);
  EXPECT_EQ(to_half(65520.0F).bits, 0x7C00);
  EXPECT_EQ(to_half(1.0F + 0x1p-11F).bits, 0x3C00);  // a tie
  EXPECT_EQ(to_half(1.0F + 3 * 0x1p-11F).bits, 0x3C02);
  EXPECT_EQ(to_half(0x1p-25F).bits, 0);
  EXPECT_EQ(to_half(0x1.8p-25F).bits, 1);
  EXPECT_EQ(to_bfloat16(1.0F + 0x1p-8F).bits, 0x3F80);
  EXPECT_TRUE(std::isnan(to_float(to_bfloat16(std::nanf("")))));
  EXPECT_TRUE(std::isnan(to_float(to_half(std::nanf("")))));
}

TEST(Float16, RoundsDoublesOnce) {
  const double tie = 1.0 + 0x1p-11;
  EXPECT_EQ(to_half(static_cast<float>(tie + 0x1p-40)).bits, 0x3C00);  // twice: the float nearest to it is the tie
  EXPECT_EQ(to_half(to_float_for_rounding(tie + 0x1p-40)).bits, 0x3C01);
  EXPECT_EQ(to_half(to_float_for_rounding(-tie + 0x1p-40)).bits, 0xBC00);
  EXPECT_EQ(to_half(to_float_for_rounding(1e-300)).bits, 0);
  EXPECT_EQ(to_half(to_float_for_rounding(1e300)).bits, 0x7C00);
  EXPECT_EQ(to_bfloat16(to_float_for_rounding(1.0 + 0x1p-8 + 0x1p-40)).bits, 0x3F81);
}

}  // namespace
}  // namespace alknet
