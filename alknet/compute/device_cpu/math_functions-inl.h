// More functions of vectors of f32 and f64, for all arguments. f32 is computed in f64 and rounded once; what Highway's
// functions do not take (infinities, NaN, huge angles, ...) goes to the C library, lane by lane.

#if defined(ALKNET_COMPUTE_DEVICE_CPU_MATH_FUNCTIONS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ALKNET_COMPUTE_DEVICE_CPU_MATH_FUNCTIONS_INL_H_
#undef ALKNET_COMPUTE_DEVICE_CPU_MATH_FUNCTIONS_INL_H_
#else
#define ALKNET_COMPUTE_DEVICE_CPU_MATH_FUNCTIONS_INL_H_
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

HWY_BEFORE_NAMESPACE();
namespace alknet::compute {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// `result` where `valid`, `slow(lane...)` elsewhere.
template <typename D, typename V, typename M, typename Slow, typename... Vs>
HWY_INLINE V patch_lanes(D d, V result, M valid, Slow slow, Vs... arguments) {
  if (HWY_LIKELY(hn::AllTrue(d, valid))) return result;
  using T = hn::TFromD<D>;
  constexpr std::size_t kMost = HWY_MAX_BYTES / sizeof(T);
  HWY_ALIGN T results[kMost];
  HWY_ALIGN T good[kMost];
  HWY_ALIGN T lanes[sizeof...(Vs)][kMost];
  hn::Store(result, d, results);
  hn::Store(hn::IfThenElseZero(valid, hn::Set(d, T{1})), d, good);
  std::size_t k = 0;
  (hn::Store(arguments, d, lanes[k++]), ...);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) {
    if (good[i] != T{0}) continue;
    if constexpr (sizeof...(Vs) == 1)
      results[i] = slow(lanes[0][i]);
    else
      results[i] = slow(lanes[0][i], lanes[1][i]);
  }
  return hn::Load(d, results);
}

/// f32 lanes through a function of f64 lanes.
#if HWY_TARGET == HWY_SCALAR
template <typename D, typename F, typename... Vs>
HWY_INLINE auto through_double(D d, F function, Vs... arguments) {
  const hn::Rebind<double, D> wide;
  return hn::DemoteTo(d, function(wide, hn::PromoteTo(wide, arguments)...));
}
#else
template <typename D, typename F, typename... Vs>
HWY_INLINE auto through_double(D d, F function, Vs... arguments) {
  const hn::Half<D> half;
  const hn::Rebind<double, decltype(half)> wide;
  const auto low = function(wide, hn::PromoteTo(wide, hn::LowerHalf(half, arguments))...);
  const auto high = function(wide, hn::PromoteTo(wide, hn::UpperHalf(half, arguments))...);
  return hn::Combine(d, hn::DemoteTo(half, high), hn::DemoteTo(half, low));
}
#endif

/// A function of f64 lanes, of f32 lanes too.
template <typename D, typename F, typename... Vs>
HWY_INLINE auto in_double(D d, F function, Vs... arguments) {
  if constexpr (sizeof(hn::TFromD<D>) == 4)
    return through_double(d, function, arguments...);
  else
    return function(d, arguments...);
}

// Where Highway's functions are defined and good to 4 ulp. A NaN is in none of them.
template <typename D, typename V>
HWY_INLINE auto below(D d, V x, double bound) {
  return hn::Lt(hn::Abs(x), hn::Set(d, bound));
}
template <typename D, typename V>
HWY_INLINE auto between(D d, V x, double low, double high) {
  return hn::And(hn::Ge(x, hn::Set(d, low)), hn::Le(x, hn::Set(d, high)));
}
inline constexpr double kMostFinite = std::numeric_limits<double>::max();
inline constexpr double kLeastNormal = std::numeric_limits<double>::min();

struct SinOfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V x) const {
    const auto valid = below(d, x, 39000);
    const V safe = hn::IfThenElse(valid, x, hn::Set(d, 0.0));
    const V result = hn::Sin(d, safe);
    return patch_lanes(
        d, hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, result), valid, [](double lane) { return std::sin(lane); }, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_sin(D d, V x) {
  return in_double(d, SinOfDouble(), x);
}
struct CosOfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V x) const {
    const auto valid = below(d, x, 39000);
    const V safe = hn::IfThenElse(valid, x, hn::Set(d, 0.0));
    const V result = hn::Cos(d, safe);
    return patch_lanes(
        d, result, valid, [](double lane) { return std::cos(lane); }, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_cos(D d, V x) {
  return in_double(d, CosOfDouble(), x);
}
struct TanOfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V x) const {
    const auto valid = below(d, x, 39000);
    const V safe = hn::IfThenElse(valid, x, hn::Set(d, 0.0));
    const V result = hn::Div(hn::Sin(d, safe), hn::Cos(d, safe));
    return patch_lanes(
        d, hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, result), valid, [](double lane) { return std::tan(lane); }, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_tan(D d, V x) {
  return in_double(d, TanOfDouble(), x);
}
struct AsinOfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V x) const {
    const auto valid = between(d, x, -1, 1);
    const V safe = hn::IfThenElse(valid, x, hn::Set(d, 0.0));
    const V result = hn::Asin(d, safe);
    return patch_lanes(
        d, hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, result), valid, [](double lane) { return std::asin(lane); }, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_asin(D d, V x) {
  return in_double(d, AsinOfDouble(), x);
}
struct AcosOfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V x) const {
    const auto valid = between(d, x, -1, 1);
    const V safe = hn::IfThenElse(valid, x, hn::Set(d, 0.0));
    const V result = hn::Acos(d, safe);
    return patch_lanes(
        d, result, valid, [](double lane) { return std::acos(lane); }, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_acos(D d, V x) {
  return in_double(d, AcosOfDouble(), x);
}
struct AtanOfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V x) const {
    const auto valid = between(d, x, -kMostFinite, kMostFinite);
    const V safe = hn::IfThenElse(valid, x, hn::Set(d, 0.0));
    const V result = hn::Atan(d, safe);
    return patch_lanes(
        d, hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, result), valid, [](double lane) { return std::atan(lane); }, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_atan(D d, V x) {
  return in_double(d, AtanOfDouble(), x);
}
struct SinhOfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V x) const {
    const auto valid = below(d, x, 709);
    const V safe = hn::IfThenElse(valid, x, hn::Set(d, 0.0));
    const V result = hn::Sinh(d, safe);
    return patch_lanes(
        d, hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, result), valid, [](double lane) { return std::sinh(lane); }, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_sinh(D d, V x) {
  return in_double(d, SinhOfDouble(), x);
}
struct CoshOfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V x) const {
    const auto valid = below(d, x, 700);
    const V safe = hn::IfThenElse(valid, x, hn::Set(d, 0.0));
    const V result = hn::Mul(hn::Set(d, 0.5), hn::Add(hn::Exp(d, safe), hn::Exp(d, hn::Neg(safe))));
    return patch_lanes(
        d, result, valid, [](double lane) { return std::cosh(lane); }, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_cosh(D d, V x) {
  return in_double(d, CoshOfDouble(), x);
}
struct AsinhOfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V x) const {
    const auto valid = below(d, x, 1e100);
    const V safe = hn::IfThenElse(valid, x, hn::Set(d, 0.0));
    const V result = hn::Asinh(d, safe);
    return patch_lanes(
        d, hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, result), valid, [](double lane) { return std::asinh(lane); }, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_asinh(D d, V x) {
  return in_double(d, AsinhOfDouble(), x);
}
struct AcoshOfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V x) const {
    const auto valid = between(d, x, 1, 1e100);
    const V safe = hn::IfThenElse(valid, x, hn::Set(d, 1.0));
    const V result = hn::Acosh(d, safe);
    return patch_lanes(
        d, result, valid, [](double lane) { return std::acosh(lane); }, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_acosh(D d, V x) {
  return in_double(d, AcoshOfDouble(), x);
}
struct AtanhOfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V x) const {
    const auto valid = below(d, x, 1);
    const V safe = hn::IfThenElse(valid, x, hn::Set(d, 0.0));
    const V result = hn::Atanh(d, safe);
    return patch_lanes(
        d, hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, result), valid, [](double lane) { return std::atanh(lane); }, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_atanh(D d, V x) {
  return in_double(d, AtanhOfDouble(), x);
}
struct Exp2OfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V x) const {
    const auto valid = below(d, x, 1000);
    const V safe = hn::IfThenElse(valid, x, hn::Set(d, 0.0));
    const V result = hn::Exp(d, hn::Mul(safe, hn::Set(d, std::numbers::ln2)));
    return patch_lanes(
        d, result, valid, [](double lane) { return std::exp2(lane); }, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_exp2(D d, V x) {
  return in_double(d, Exp2OfDouble(), x);
}
struct Expm1OfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V x) const {
    const auto valid = below(d, x, 700);
    const V safe = hn::IfThenElse(valid, x, hn::Set(d, 0.0));
    const V result = hn::Expm1(d, safe);
    return patch_lanes(
        d, hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, result), valid, [](double lane) { return std::expm1(lane); }, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_expm1(D d, V x) {
  return in_double(d, Expm1OfDouble(), x);
}
struct Log2OfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V x) const {
    const auto valid = between(d, x, kLeastNormal, kMostFinite);
    const V safe = hn::IfThenElse(valid, x, hn::Set(d, 1.0));
    const V result = hn::Log2(d, safe);
    return patch_lanes(
        d, result, valid, [](double lane) { return std::log2(lane); }, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_log2(D d, V x) {
  return in_double(d, Log2OfDouble(), x);
}
struct Log10OfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V x) const {
    const auto valid = between(d, x, kLeastNormal, kMostFinite);
    const V safe = hn::IfThenElse(valid, x, hn::Set(d, 1.0));
    const V result = hn::Log10(d, safe);
    return patch_lanes(
        d, result, valid, [](double lane) { return std::log10(lane); }, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_log10(D d, V x) {
  return in_double(d, Log10OfDouble(), x);
}
struct Log1pOfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V x) const {
    const auto valid = between(d, x, 0, kMostFinite);
    const V safe = hn::IfThenElse(valid, x, hn::Set(d, 0.0));
    const V result = hn::Log1p(d, safe);
    return patch_lanes(
        d, hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, result), valid, [](double lane) { return std::log1p(lane); }, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_log1p(D d, V x) {
  return in_double(d, Log1pOfDouble(), x);
}

struct Atan2OfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V y, V x) const {
    const auto normal = [&](V v) HWY_ATTR { return between(d, hn::Abs(v), 1e-100, 1e100); };
    const auto valid = hn::And(normal(x), normal(y));
    const V ratio = hn::IfThenElse(valid, hn::Div(y, x), hn::Zero(d));
    const V turn = hn::CopySign(hn::Set(d, std::numbers::pi), y);
    const V result = hn::Add(hn::Atan(d, ratio), hn::IfThenElseZero(hn::Lt(x, hn::Zero(d)), turn));
    return patch_lanes(
        d, result, valid, [](double a, double b) { return std::atan2(a, b); }, y, x);
  }
};
template <typename D, typename V>
HWY_INLINE V math_atan2(D d, V y, V x) {
  static_assert(sizeof(hn::TFromD<D>) == 4, "in f64 it would not be accurate");
  return through_double(d, Atan2OfDouble(), y, x);
}

struct PowOfDouble {
  template <typename D, typename V>
  HWY_INLINE V operator()(D d, V a, V b) const {
    const auto positive = between(d, a, kLeastNormal, kMostFinite);
    const V safe = hn::IfThenElse(positive, a, hn::Set(d, 1.0));
    const V exponent = hn::Mul(b, hn::Log(d, safe));
    const auto valid = hn::And(positive, below(d, exponent, 700));
    const V result = hn::Exp(d, hn::IfThenElseZero(valid, exponent));
    return patch_lanes(
        d, result, valid, [](double x, double y) { return std::pow(x, y); }, a, b);
  }
};
template <typename D, typename V>
HWY_INLINE V math_pow(D d, V a, V b) {
  static_assert(sizeof(hn::TFromD<D>) == 4, "in f64 it would not be accurate");
  return through_double(d, PowOfDouble(), a, b);
}

}  // namespace HWY_NAMESPACE
}  // namespace alknet::compute
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
