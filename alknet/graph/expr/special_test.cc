#include "alknet/graph/expr/special.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace alknet::graph::expr {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void expect_close(double got, double expected, double ulps = 8) {
  EXPECT_LE(std::fabs(got - expected), ulps * std::fabs(expected) * std::numeric_limits<double>::epsilon())
      << got << " for " << expected;
}

// Abramowitz and Stegun, tables 6.1, 6.3 and 7.1, and closed forms.
TEST(SpecialFunctions, LogarithmOfTheGammaFunction) {
  EXPECT_EQ(lgamma(1), 0);
  expect_close(lgamma(0.5), std::log(std::numbers::pi) / 2);
  expect_close(lgamma(11), std::log(3628800.0));
  expect_close(lgamma(-0.5), std::log(2 * std::sqrt(std::numbers::pi)));
  EXPECT_EQ(lgamma(0), kInfinity);
  EXPECT_EQ(lgamma(-3), kInfinity);
  EXPECT_TRUE(std::isnan(lgamma(std::nan(""))));
}

TEST(SpecialFunctions, Digamma) {
  expect_close(digamma(1), -std::numbers::egamma);
  expect_close(digamma(0.5), -std::numbers::egamma - 2 * std::numbers::ln2);
  expect_close(digamma(10), 2.25175258906672110764);
  expect_close(digamma(-0.5), 0.03648997397857652055902, 64);  // of terms near 2
  expect_close(digamma(1e10), std::log(1e10) - 0.5e-10);
  EXPECT_EQ(digamma(0.0), -kInfinity);
  EXPECT_EQ(digamma(-0.0), kInfinity);
  EXPECT_TRUE(std::isnan(digamma(-2)));
  EXPECT_EQ(digamma(kInfinity), kInfinity);
}

TEST(SpecialFunctions, HurwitzZeta) {
  const double square = std::numbers::pi * std::numbers::pi;
  expect_close(hurwitz_zeta(2, 1), square / 6);
  expect_close(hurwitz_zeta(2, 0.5), square / 2);
  expect_close(hurwitz_zeta(4, 1), square * square / 90);
  expect_close(hurwitz_zeta(3, 1), 1.20205690315959428540);
  expect_close(hurwitz_zeta(2, -0.5), 4 + square / 2);
  EXPECT_EQ(hurwitz_zeta(1, 3), kInfinity);
  EXPECT_EQ(hurwitz_zeta(2, -3), kInfinity);
  EXPECT_TRUE(std::isnan(hurwitz_zeta(0.5, 3)));
  EXPECT_TRUE(std::isnan(hurwitz_zeta(2.5, -0.5)));
}

TEST(SpecialFunctions, InverseOfTheErrorFunction) {
  expect_close(erfinv(0.5), 0.476936276204469873381);
  expect_close(erfinv(-0.9), -1.163087153676674086726);
  expect_close(erfinv(0.999), 2.326753765513524670552);
  for (const double x : {1e-300, 1e-8, 0.1, 0.7, 1.0}) expect_close(erfinv(std::erf(x)), x);
  EXPECT_EQ(erfinv(1), kInfinity);
  EXPECT_EQ(erfinv(-1), -kInfinity);
  EXPECT_TRUE(std::isnan(erfinv(1.5)));
  EXPECT_TRUE(std::signbit(erfinv(-0.0)));
}

TEST(SpecialFunctions, PowersOfIntegers) {
  EXPECT_EQ(integer_power(3, 4), 81);
  EXPECT_EQ(integer_power(-2, 63), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(integer_power(2, 64), 0);
  EXPECT_EQ(integer_power(0, 0), 1);
  EXPECT_EQ(integer_power(5, -1), 0);
  EXPECT_EQ(integer_power(-1, -3), -1);
}

}  // namespace
}  // namespace alknet::graph::expr
