#include "alknet/graph/expr/special.h"

#include <math.h>  // lgamma_r, which std lacks

#include <cmath>
#include <limits>
#include <numbers>

namespace alknet::graph::expr {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// (2k)! / B_2k for k = 1, 2, ...: of the Euler-Maclaurin formula.
constexpr double kBernoulli[] = {
    12.0,
    -720.0,
    30240.0,
    -1209600.0,
    47900160.0,
    -1.8924375803183791606e9,
    7.47242496e10,
    -2.950130727918164224e12,
    1.1646782814350067249e14,
    -4.5979787224074726105e15,
    1.8152105401943546773e17,
    -7.1661652561756670113e18,
};

}  // namespace

double lgamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

double digamma(double x) {
  if (x == 0) return std::copysign(kInfinity, -x);
  double result = 0;
  if (x < 0) {
    if (std::trunc(x) == x) return kNan;
    const double fraction = std::fmod(x, 1.0);
    result = -std::numbers::pi / std::tan(std::numbers::pi * fraction);
    x = 1 - x;
  }
  for (; x < 10; ++x) result -= 1 / x;
  const double z = 1 / (x * x);
  constexpr double kTerms[] = {1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12};
  double power = z, series = 0;
  for (const double term : kTerms) {
    series += term * power;
    power *= z;
  }
  return result + std::log(x) - 0.5 / x - series;
}

double hurwitz_zeta(double s, double x) {
  if (std::isnan(s) || std::isnan(x) || s < 1) return kNan;
  if (s == 1) return kInfinity;
  if (x <= 0) {
    if (std::floor(x) == x) return kInfinity;
    if (std::floor(s) != s) return kNan;
  }
  if (std::isinf(x)) return x < 0 ? kNan : 0;
  // Terms one by one to where the formula converges.
  double sum = 0, a = x;
  constexpr double kStart = 10;
  if (a < -1e6) return kNan;
  for (; a < kStart; ++a) sum += std::pow(a, -s);
  double power = std::pow(a, -s);
  sum += power * a / (s - 1) + 0.5 * power;
  double factor = 1, k = 0;
  for (const double divisor : kBernoulli) {
    factor *= s + k;
    power /= a;
    const double term = factor * power / divisor;
    sum += term;
    if (std::fabs(term) < std::fabs(sum) * 1e-17) break;
    k += 1;
    factor *= s + k;
    power /= a;
    k += 1;
  }
  return sum;
}

double erfinv(double y) {
  if (std::isnan(y) || std::fabs(y) > 1) return kNan;
  if (std::fabs(y) == 1) return std::copysign(kInfinity, y);
  if (y == 0) return y;
  double w = -std::log1p(-y * y);
  double p = 0;
  if (w < 5) {
    constexpr double kNear[] = {2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
                                -0.00125372503, -0.00417768164, 0.246640727,    1.50140941};
    w -= 2.5;
    for (const double c : kNear) p = p * w + c;
  } else {
    constexpr double kFar[] = {-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
                               -0.0076224613,   0.00943887047,  1.00167406,    2.83297682};
    w = std::sqrt(w) - 3;
    for (const double c : kFar) p = p * w + c;
  }
  double x = std::fabs(y) * p;
  for (int round = 0; round < 2; ++round) {
    // Beyond the middle the complement keeps its digits.
    const double error = std::fabs(y) < 0.5 ? std::erf(x) - std::fabs(y) : (1 - std::fabs(y)) - std::erfc(x);
    x -= error * std::sqrt(std::numbers::pi) / 2 * std::exp(x * x);
  }
  return std::copysign(x, y);
}

std::int64_t integer_power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
  auto factor = static_cast<std::uint64_t>(base);
  std::uint64_t result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result *= factor;
    factor *= factor;
  }
  return static_cast<std::int64_t>(result);
}

}  // namespace alknet::graph::expr
