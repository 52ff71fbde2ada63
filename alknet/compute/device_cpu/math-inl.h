// Functions of vectors of f32 and f64, for all arguments including infinities and NaN. Errors are at most 4 ulp.

#if defined(ALKNET_COMPUTE_DEVICE_CPU_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ALKNET_COMPUTE_DEVICE_CPU_MATH_INL_H_
#undef ALKNET_COMPUTE_DEVICE_CPU_MATH_INL_H_
#else
#define ALKNET_COMPUTE_DEVICE_CPU_MATH_INL_H_
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <cstddef>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace alknet::compute {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Horner's rule; coefficients from the constant term up.
template <typename D, typename V, std::size_t kCount>
HWY_INLINE V polynomial(D d, V x, const hn::TFromD<D> (&coefficients)[kCount]) {
  V sum = hn::Set(d, coefficients[kCount - 1]);
  for (std::size_t i = kCount - 1; i > 0; --i) sum = hn::MulAdd(sum, x, hn::Set(d, coefficients[i - 1]));
  return sum;
}

/// e^x. Highway's, which wants a limited range and no NaN.
template <typename D, typename V>
HWY_INLINE V math_exp(D d, V x) {
  using T = hn::TFromD<D>;
  const V limit = hn::Set(d, sizeof(T) == 4 ? T{120} : T{1000});
  const V result = hn::Exp(d, hn::Max(hn::Min(x, limit), hn::Neg(limit)));
  return hn::IfThenElse(hn::IsNaN(x), x, result);
}

/// The natural logarithm. Highway's, with what it leaves undefined: 0 gives -inf, negative numbers NaN.
template <typename D, typename V>
HWY_INLINE V math_log(D d, V x) {
  using T = hn::TFromD<D>;
  const V zero = hn::Zero(d);
  const V infinity = hn::Set(d, std::numeric_limits<T>::infinity());
  const V finite = hn::Log(d, x);
  const V result = hn::IfThenElse(hn::Eq(x, infinity), infinity, hn::IfThenElse(hn::IsNaN(x), x, finite));
  const V not_positive =
      hn::IfThenElse(hn::Eq(x, zero), hn::Neg(infinity), hn::Set(d, std::numeric_limits<T>::quiet_NaN()));
  return hn::IfThenElse(hn::Le(x, zero), not_positive, result);
}

template <typename D, typename V>
HWY_INLINE V math_tanh(D d, V x) {
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Tanh(d, x));
}

/// Coefficients of math_erf: Chebyshev interpolants of erf(x)/x in x^2 on [0, 1], and of -log(erfc(x)) in x - `centre`
/// on [1, `end`], where erf(`end`) rounds to 1.
template <typename T>
struct ErfCoefficients;

template <>
struct ErfCoefficients<float> {
  static constexpr float centre = 2.5F, end = 4.0F;
  static constexpr float near[] = {1.12837911F,    -0.37612626F,    0.112835944F,   -0.0268542115F,
                                   0.00518908724F, -0.00080168643F, 7.87587487e-05F};
  static constexpr float far[] = {7.80681515F,     5.35268068F,      0.943893731F,    0.0108585414F,  -0.00216530357F,
                                  0.000420122524F, -7.72913772e-05F, 1.33150143e-05F, -1.6371514e-06F};
};

template <>
struct ErfCoefficients<double> {
  static constexpr double centre = 3.5, end = 6.0;
  static constexpr double near[] = {1.1283791670955126,      -0.37612638903183748,    0.11283791670954879,
                                    -0.026866170645076792,   0.0052239776248180145,   -0.000854832698083379,
                                    0.0001205533111164271,   -1.4925595266831182e-05, 1.6461000484121368e-06,
                                    -1.6350312701054695e-07, 1.4659775274047436e-08,  -1.1372848856791674e-09,
                                    5.9571761477489113e-11};
  static constexpr double far[] = {
      14.112437402148174,      7.2660995883651909,      0.96675305474223017,     0.005225658221942861,
      -0.00087368732364082372, 0.00014729777488781744,  -2.4386373538371929e-05, 3.8895571774332912e-06,
      -5.8561434202146857e-07, 8.0693009210598873e-08,  -9.5316623245675591e-09, 7.7490982160991442e-10,
      2.4797961927313533e-11,  -3.0657997470652257e-11, 9.1816325492241738e-12,  -2.05374382433181e-12,
      3.9365555361178707e-13,  -6.7326589439040818e-14, 8.9333129390366378e-15,  -5.1811269632167103e-16,
      2.3727617867631581e-17,  -2.0718495744576254e-17, -7.9541595055272858e-18, 5.0952776026690955e-18,
      -6.3255205887184931e-19};
};

/// The error function by the usual split: an odd polynomial near 0, and 1 - exp(polynomial) where erfc is small, so
/// that errors of the exponential do not matter (Cody, Rational Chebyshev approximations for the error function, 1969).
template <typename D, typename V>
HWY_INLINE V math_erf(D d, V x) {
  using T = hn::TFromD<D>;
  using C = ErfCoefficients<T>;
  const V one = hn::Set(d, T{1});
  const V a = hn::Abs(x);
  const V near = hn::Mul(a, polynomial(d, hn::Mul(a, a), C::near));
  const V t = hn::Sub(hn::Min(a, hn::Set(d, C::end)), hn::Set(d, C::centre));
  const V far = hn::Sub(one, hn::Exp(d, hn::Neg(polynomial(d, t, C::far))));
  const V result = hn::CopySign(hn::IfThenElse(hn::Lt(a, one), near, far), x);
  return hn::IfThenElse(hn::IsNaN(x), x, result);
}

}  // namespace HWY_NAMESPACE
}  // namespace alknet::compute
HWY_AFTER_NAMESPACE();

#endif  // include guard per target
