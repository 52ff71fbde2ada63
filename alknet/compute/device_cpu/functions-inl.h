// More operations like those of simd-inl.h: functions of floats, and bits of integers. Files that need only arithmetic
// leave them out, for the compile time.

#if defined(ALKNET_COMPUTE_DEVICE_CPU_FUNCTIONS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ALKNET_COMPUTE_DEVICE_CPU_FUNCTIONS_INL_H_
#undef ALKNET_COMPUTE_DEVICE_CPU_FUNCTIONS_INL_H_
#else
#define ALKNET_COMPUTE_DEVICE_CPU_FUNCTIONS_INL_H_
#endif

#include <cmath>
#include <cstdint>

#include "alknet/compute/device_cpu/math_functions-inl.h"
#include "alknet/compute/device_cpu/simd-inl.h"
#include "alknet/graph/expr/special.h"

HWY_BEFORE_NAMESPACE();
namespace alknet::compute {
namespace HWY_NAMESPACE {

template <typename T, typename V>
HWY_INLINE V Sin(V x) {
  if constexpr (kIsScalar<V>)
    return std::sin(x);
  else
    return math_sin(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Cos(V x) {
  if constexpr (kIsScalar<V>)
    return std::cos(x);
  else
    return math_cos(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Tan(V x) {
  if constexpr (kIsScalar<V>)
    return std::tan(x);
  else
    return math_tan(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Asin(V x) {
  if constexpr (kIsScalar<V>)
    return std::asin(x);
  else
    return math_asin(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Acos(V x) {
  if constexpr (kIsScalar<V>)
    return std::acos(x);
  else
    return math_acos(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Atan(V x) {
  if constexpr (kIsScalar<V>)
    return std::atan(x);
  else
    return math_atan(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Sinh(V x) {
  if constexpr (kIsScalar<V>)
    return std::sinh(x);
  else
    return math_sinh(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Cosh(V x) {
  if constexpr (kIsScalar<V>)
    return std::cosh(x);
  else
    return math_cosh(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Asinh(V x) {
  if constexpr (kIsScalar<V>)
    return std::asinh(x);
  else
    return math_asinh(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Acosh(V x) {
  if constexpr (kIsScalar<V>)
    return std::acosh(x);
  else
    return math_acosh(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Atanh(V x) {
  if constexpr (kIsScalar<V>)
    return std::atanh(x);
  else
    return math_atanh(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Exp2(V x) {
  if constexpr (kIsScalar<V>)
    return std::exp2(x);
  else
    return math_exp2(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Expm1(V x) {
  if constexpr (kIsScalar<V>)
    return std::expm1(x);
  else
    return math_expm1(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Log2(V x) {
  if constexpr (kIsScalar<V>)
    return std::log2(x);
  else
    return math_log2(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Log10(V x) {
  if constexpr (kIsScalar<V>)
    return std::log10(x);
  else
    return math_log10(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Log1p(V x) {
  if constexpr (kIsScalar<V>)
    return std::log1p(x);
  else
    return math_log1p(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Floor(V x) {
  if constexpr (kIsScalar<V>)
    return std::floor(x);
  else
    return hn::Floor(x);
}
template <typename T, typename V>
HWY_INLINE V Ceil(V x) {
  if constexpr (kIsScalar<V>)
    return std::ceil(x);
  else
    return hn::Ceil(x);
}
template <typename T, typename V>
HWY_INLINE V Round(V x) {
  if constexpr (kIsScalar<V>)
    return std::nearbyint(x);
  else
    return hn::Round(x);
}
template <typename T, typename V>
HWY_INLINE V Trunc(V x) {
  if constexpr (kIsScalar<V>)
    return std::trunc(x);
  else
    return hn::Trunc(x);
}
template <typename T, typename V>
HWY_INLINE V Copysign(V a, V b) {
  if constexpr (kIsScalar<V>)
    return std::copysign(a, b);
  else
    return hn::CopySign(a, b);
}
template <typename T, typename V>
HWY_INLINE V Atan2(V y, V x) {
  if constexpr (kIsScalar<V>)
    return std::atan2(y, x);
  else
    return math_atan2(hn::DFromV<V>(), y, x);
}
template <typename T, typename V>
HWY_INLINE V Pow(V a, V b) {
  if constexpr (!kIsScalar<V>)
    return math_pow(hn::DFromV<V>(), a, b);
  else if constexpr (std::is_floating_point_v<V>)
    return std::pow(a, b);
  else
    return static_cast<T>(graph::expr::integer_power(static_cast<std::int64_t>(a), static_cast<std::int64_t>(b)));
}

// One element at a time.
template <typename T>
HWY_INLINE T Erfc(T x) {
  return std::erfc(x);
}
template <typename T>
HWY_INLINE T Erfinv(T x) {
  return static_cast<T>(graph::expr::erfinv(static_cast<double>(x)));
}
template <typename T>
HWY_INLINE T Lgamma(T x) {
  return static_cast<T>(graph::expr::lgamma(static_cast<double>(x)));
}
template <typename T>
HWY_INLINE T Digamma(T x) {
  return static_cast<T>(graph::expr::digamma(static_cast<double>(x)));
}
template <typename T>
HWY_INLINE T Zeta(T s, T x) {
  return static_cast<T>(graph::expr::hurwitz_zeta(static_cast<double>(s), static_cast<double>(x)));
}

template <typename T, typename V>
HWY_INLINE V BitAnd(V a, V b) {
  if constexpr (kIsScalar<V>)
    return static_cast<T>(a & b);
  else
    return hn::And(a, b);
}
template <typename T, typename V>
HWY_INLINE V BitOr(V a, V b) {
  if constexpr (kIsScalar<V>)
    return static_cast<T>(a | b);
  else
    return hn::Or(a, b);
}
template <typename T, typename V>
HWY_INLINE V BitXor(V a, V b) {
  if constexpr (kIsScalar<V>)
    return static_cast<T>(a ^ b);
  else
    return hn::Xor(a, b);
}
template <typename T, typename V>
HWY_INLINE V BitNot(V a) {
  if constexpr (kIsScalar<V>)
    return static_cast<T>(~a);
  else
    return Wrap<T>(hn::Not(a));
}
template <typename T>
HWY_INLINE T ShiftLeft(T a, T b) {
  const auto count = static_cast<std::uint64_t>(static_cast<std::int64_t>(b));
  return count < 8 * sizeof(T) ? static_cast<T>(static_cast<Wide<T>>(a) << count) : T{0};
}
template <typename T>
HWY_INLINE T ShiftRight(T a, T b) {
  const auto count = static_cast<std::uint64_t>(static_cast<std::int64_t>(b));
  if (count < 8 * sizeof(T)) return static_cast<T>(a >> count);
  if constexpr (std::is_signed_v<T>) {
    return a < 0 ? T{-1} : T{0};
  } else {
    return 0;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace alknet::compute
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
