#pragma once

#include <cstdint>

namespace alknet::graph::expr {

// Functions that the C++ library lacks or has with global state. Thread-safe, for every argument, NaN in, NaN out;
// errors are a few units in the last place unless said otherwise.

/// log |gamma(x)|; inf at 0, -1, -2, ... and at both infinities.
double lgamma(double x);

/// The derivative of lgamma, by recurrence and its asymptotic series; by reflection below 0. -inf at 0 (inf at -0) and
/// NaN at negative integers. Near its roots only the absolute error is small.
double digamma(double x);

/// The Hurwitz zeta function, the sum of (x + k)^-s over k >= 0, by Euler-Maclaurin summation (Cephes, zeta.c).
/// inf for s = 1 and where x is 0, -1, ...; NaN for s < 1, and for x < 0 unless s is whole.
double hurwitz_zeta(double s, double x);

/// The inverse of the error function; inf and -inf at 1 and -1, NaN beyond. Giles' approximation (2012), then Newton's
/// method.
double erfinv(double y);

/// base^exponent, wrapping in 64 bits; of a negative exponent 0, unless base is 1 or -1.
std::int64_t integer_power(std::int64_t base, std::int64_t exponent);

}  // namespace alknet::graph::expr
