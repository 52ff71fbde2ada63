// The operations that generated kernels are written in, for the instruction set that Highway compiles for at present.
//
// A kernel names the element type of every operation: Add<float>(a, b). With a VectorTag, values are Highway vectors
// (bool: masks over signed lanes); with a ScalarTag, plain numbers, for what the instruction sets lack. An i8 or u8
// lives in a 32-bit lane and wraps after each step.

#if defined(ALKNET_COMPUTE_DEVICE_CPU_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ALKNET_COMPUTE_DEVICE_CPU_SIMD_INL_H_
#undef ALKNET_COMPUTE_DEVICE_CPU_SIMD_INL_H_
#else
#define ALKNET_COMPUTE_DEVICE_CPU_SIMD_INL_H_
#endif

#include <hwy/highway.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "alknet/compute/device_cpu/convert_value.h"
#include "alknet/compute/device_cpu/kernel_table.h"
#include "alknet/compute/device_cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace alknet::compute {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Whole vectors of lanes of `kBytes` bytes.
template <std::size_t kBytes>
struct VectorTag {
  using Signed = hn::ScalableTag<std::conditional_t<kBytes == 8, std::int64_t, std::int32_t>>;
  template <typename T>
  using Of = hn::Rebind<T, Signed>;
};

/// One element at a time.
struct ScalarTag {};

template <typename Value>
inline constexpr bool kIsScalar = std::is_arithmetic_v<Value>;

/// The type of an element of T in a tile.
template <typename T>
using Lane = std::conditional_t<sizeof(T) == 1 && !std::is_same_v<T, bool>, std::int32_t, T>;

template <std::size_t kBytes>
HWY_INLINE std::size_t step_of(VectorTag<kBytes>) {
  return hn::Lanes(typename VectorTag<kBytes>::Signed());
}
HWY_INLINE std::size_t step_of(ScalarTag) { return 1; }

/// Wraps a lane to the range of T.
template <typename T, typename V>
HWY_INLINE V Wrap(V v) {
  if constexpr (kIsScalar<V>) {
    return static_cast<V>(static_cast<T>(v));
  } else if constexpr (std::is_same_v<T, std::int8_t>) {
    return hn::ShiftRight<24>(hn::ShiftLeft<24>(v));
  } else if constexpr (std::is_same_v<T, std::uint8_t>) {
    return hn::And(v, hn::Set(hn::DFromV<V>(), 0xFF));
  } else {
    return v;
  }
}

template <typename T, std::size_t kBytes>
HWY_INLINE auto Load(VectorTag<kBytes>, const void* from, std::size_t at) {
  const typename VectorTag<kBytes>::Signed di;
  if constexpr (std::is_same_v<T, bool>) {
    const auto bytes = hn::LoadU(hn::Rebind<std::uint8_t, decltype(di)>(), static_cast<const std::uint8_t*>(from) + at);
    const auto words = hn::PromoteTo(hn::Rebind<std::int32_t, decltype(di)>(), bytes);
    if constexpr (kBytes == 8) {
      return hn::Ne(hn::PromoteTo(di, words), hn::Zero(di));
    } else {
      return hn::Ne(words, hn::Zero(di));
    }
  } else {
    return hn::LoadU(hn::Rebind<Lane<T>, decltype(di)>(), static_cast<const Lane<T>*>(from) + at);
  }
}
template <typename T>
HWY_INLINE T Load(ScalarTag, const void* from, std::size_t at) {
  return static_cast<T>(static_cast<const Lane<T>*>(from)[at]);
}

template <typename T, std::size_t kBytes, typename V>
HWY_INLINE void Store(VectorTag<kBytes>, V value, void* to, std::size_t at) {
  const typename VectorTag<kBytes>::Signed di;
  if constexpr (std::is_same_v<T, bool>) {
    const auto ones = hn::And(hn::VecFromMask(di, value), hn::Set(di, 1));
    const hn::Rebind<std::uint8_t, decltype(di)> d8;
    std::uint8_t* const bytes = static_cast<std::uint8_t*>(to) + at;
    if constexpr (kBytes == 8) {
      hn::StoreU(hn::TruncateTo(d8, hn::BitCast(hn::RebindToUnsigned<decltype(di)>(), ones)), d8, bytes);
    } else {
      hn::StoreU(hn::DemoteTo(d8, ones), d8, bytes);
    }
  } else {
    hn::StoreU(value, hn::Rebind<Lane<T>, decltype(di)>(), static_cast<Lane<T>*>(to) + at);
  }
}
template <typename T>
HWY_INLINE void Store(ScalarTag, T value, void* to, std::size_t at) {
  static_cast<Lane<T>*>(to)[at] = static_cast<Lane<T>>(value);
}

template <typename T, std::size_t kBytes>
HWY_INLINE auto Constant(VectorTag<kBytes>, T value) {
  const typename VectorTag<kBytes>::Signed di;
  if constexpr (std::is_same_v<T, bool>) {
    return hn::Ne(hn::Set(di, value ? 1 : 0), hn::Zero(di));
  } else {
    return hn::Set(hn::Rebind<Lane<T>, decltype(di)>(), static_cast<Lane<T>>(value));
  }
}
template <typename T>
HWY_INLINE T Constant(ScalarTag, T value) {
  return value;
}

/// Parameter `index` as every lane's value.
template <typename T, typename Tag>
HWY_INLINE auto Parameter(Tag tag, const TileParameters& parameters, std::size_t index) {
  if constexpr (std::is_floating_point_v<T>) {
    return Constant<T>(tag, static_cast<T>(parameters.number[index]));
  } else {
    return Constant<T>(tag, static_cast<T>(parameters.integer[index]));
  }
}

template <typename To, typename From>
HWY_INLINE To Cast(From value) {
  return convert_value<To>(value);
}

// Arithmetic. Integers wrap: they compute unsigned where overflow would be undefined.
template <typename T>
using Wide = std::conditional_t<std::is_floating_point_v<T>, T,
                                std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>>;

template <typename T, typename V>
HWY_INLINE V Add(V a, V b) {
  if constexpr (kIsScalar<V>)
    return static_cast<T>(static_cast<Wide<T>>(a) + static_cast<Wide<T>>(b));
  else
    return Wrap<T>(hn::Add(a, b));
}
template <typename T, typename V>
HWY_INLINE V Subtract(V a, V b) {
  if constexpr (kIsScalar<V>)
    return static_cast<T>(static_cast<Wide<T>>(a) - static_cast<Wide<T>>(b));
  else
    return Wrap<T>(hn::Sub(a, b));
}
template <typename T, typename V>
HWY_INLINE V Multiply(V a, V b) {
  if constexpr (kIsScalar<V>)
    return static_cast<T>(static_cast<Wide<T>>(a) * static_cast<Wide<T>>(b));
  else
    return Wrap<T>(hn::Mul(a, b));
}
template <typename T, typename V>
HWY_INLINE V Divide(V a, V b) {
  if constexpr (!kIsScalar<V>)
    return hn::Div(a, b);
  else
    return divide_value(a, b);
}
template <typename T, typename V>
HWY_INLINE V Remainder(V a, V b) {
  return remainder_value(a, b);
}
template <typename T, typename V>
HWY_INLINE V Negate(V a) {
  if constexpr (!kIsScalar<V>)
    return Wrap<T>(hn::Neg(a));
  else if constexpr (std::is_floating_point_v<V>)
    return -a;
  else
    return static_cast<T>(Wide<T>{0} - static_cast<Wide<T>>(a));
}
template <typename T, typename V>
HWY_INLINE V Abs(V a) {
  if constexpr (kIsScalar<V>) {
    if constexpr (std::is_floating_point_v<V>)
      return std::fabs(a);
    else if constexpr (std::is_unsigned_v<V>)
      return a;
    else
      return a < 0 ? Negate<T>(a) : a;
  } else if constexpr (std::is_unsigned_v<T>) {
    return a;
  } else {
    return Wrap<T>(hn::Abs(a));
  }
}

// Comparisons and masks.
template <typename D, typename M>
HWY_INLINE auto CanonicalMask(D, M mask) {
  return hn::RebindMask(hn::RebindToSigned<D>(), mask);
}
template <typename T, typename V>
HWY_INLINE auto Less(V a, V b) {
  if constexpr (kIsScalar<V>)
    return a < b;
  else
    return CanonicalMask(hn::DFromV<V>(), hn::Lt(a, b));
}
template <typename T, typename V>
HWY_INLINE auto LessEqual(V a, V b) {
  if constexpr (kIsScalar<V>)
    return a <= b;
  else
    return CanonicalMask(hn::DFromV<V>(), hn::Le(a, b));
}
template <typename T, typename V>
HWY_INLINE auto Greater(V a, V b) {
  return Less<T>(b, a);
}
template <typename T, typename V>
HWY_INLINE auto GreaterEqual(V a, V b) {
  return LessEqual<T>(b, a);
}
template <typename T, typename V>
HWY_INLINE auto Equal(V a, V b) {
  if constexpr (kIsScalar<V>)
    return a == b;
  else if constexpr (std::is_same_v<T, bool>)
    return hn::Not(hn::Xor(a, b));
  else
    return CanonicalMask(hn::DFromV<V>(), hn::Eq(a, b));
}
template <typename T, typename V>
HWY_INLINE auto NotEqual(V a, V b) {
  if constexpr (kIsScalar<V>)
    return a != b;
  else
    return hn::Not(Equal<T>(a, b));  // Highway's Ne is false of NaN
}
template <typename T, typename V>
HWY_INLINE auto IsNan(V a) {
  return NotEqual<T>(a, a);
}
template <typename T, typename M>
HWY_INLINE auto Not(M a) {
  if constexpr (kIsScalar<M>)
    return !a;
  else
    return hn::Not(a);
}
template <typename T, typename M>
HWY_INLINE auto And(M a, M b) {
  if constexpr (kIsScalar<M>)
    return a && b;
  else
    return hn::And(a, b);
}
template <typename T, typename M>
HWY_INLINE auto Or(M a, M b) {
  if constexpr (kIsScalar<M>)
    return a || b;
  else
    return hn::Or(a, b);
}
template <typename T, typename M, typename V>
HWY_INLINE V Select(M condition, V a, V b) {
  if constexpr (kIsScalar<V>)
    return condition ? a : b;
  else if constexpr (std::is_same_v<T, bool>)
    return hn::Or(hn::And(condition, a), hn::AndNot(condition, b));
  else
    return hn::IfThenElse(hn::RebindMask(hn::DFromV<V>(), condition), a, b);
}

// max and min are NaN when an argument is.

/// Whether Max and Min of vectors give the second argument where one is NaN.
inline constexpr bool kSecondOfNan = HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3;

template <typename T, typename V>
HWY_INLINE V Maximum(V a, V b) {
  if constexpr (kIsScalar<V>)
    return a != a ? a : b != b ? b : a < b ? b : a;
  else if constexpr (!std::is_floating_point_v<T>)
    return hn::Max(a, b);
  else if constexpr (kSecondOfNan)
    return hn::IfThenElse(hn::IsNaN(a), a, hn::Max(a, b));
  else
    return hn::IfThenElse(hn::IsNaN(a), a, hn::IfThenElse(hn::IsNaN(b), b, hn::Max(a, b)));
}
template <typename T, typename V>
HWY_INLINE V Minimum(V a, V b) {
  if constexpr (kIsScalar<V>)
    return a != a ? a : b != b ? b : b < a ? b : a;
  else if constexpr (!std::is_floating_point_v<T>)
    return hn::Min(a, b);
  else if constexpr (kSecondOfNan)
    return hn::IfThenElse(hn::IsNaN(a), a, hn::Min(a, b));
  else
    return hn::IfThenElse(hn::IsNaN(a), a, hn::IfThenElse(hn::IsNaN(b), b, hn::Min(a, b)));
}

template <typename T, typename V>
HWY_INLINE V Exp(V x) {
  if constexpr (kIsScalar<V>)
    return std::exp(x);
  else
    return math_exp(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Log(V x) {
  if constexpr (kIsScalar<V>)
    return std::log(x);
  else
    return math_log(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Sqrt(V x) {
  if constexpr (kIsScalar<V>)
    return std::sqrt(x);
  else
    return hn::Sqrt(x);
}
template <typename T, typename V>
HWY_INLINE V Rsqrt(V x) {
  if constexpr (kIsScalar<V>)
    return V{1} / std::sqrt(x);
  else
    return hn::Div(hn::Set(hn::DFromV<V>(), T{1}), hn::Sqrt(x));
}
template <typename T, typename V>
HWY_INLINE V Tanh(V x) {
  if constexpr (kIsScalar<V>)
    return std::tanh(x);
  else
    return math_tanh(hn::DFromV<V>(), x);
}
template <typename T, typename V>
HWY_INLINE V Erf(V x) {
  if constexpr (kIsScalar<V>)
    return std::erf(x);
  else
    return math_erf(hn::DFromV<V>(), x);
}

}  // namespace HWY_NAMESPACE
}  // namespace alknet::compute
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
