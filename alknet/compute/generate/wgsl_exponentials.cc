#include "alknet/compute/generate/wgsl_helpers.h"

namespace alknet::compute {
namespace {

constexpr WgslHelper kExponentialHelpers[] = {
    {"log1p(", R"(
// Kahan's: the rounding of 1 + x comes out again.
fn log1p(x: f32) -> f32 {
  let u = 1.0 + x;
  let difference = bitcast<f32>(bitcast<u32>(u)) - 1.0;
  if (is_nan(x) || x < -1.0) { return from_bits(0x7fc00000u); }
  if (difference == 0.0 || is_infinite(x)) { return x; }
  if (x == -1.0) { return from_bits(0xff800000u); }
  if (abs(x) < 0.25) {
    // 2 atanh(x / (2 + x))
    let s = x / (2.0 + x);
    let z = s * s;
    return 2.0 * s * (1.0 + z * (0.333333333 + z * (0.2 + z * (0.142857143 + z * 0.111111111))));
  }
  return log(u) * (x / difference);
}
)"},
    {"expm1(", R"(
fn expm1(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (abs(x) >= 0.5) { return exp(min(x, 120.0)) - 1.0; }
  return x * (1.0 + x * (0.5 + x * (0.166666667 + x * (4.16666667e-2 + x * (8.33333333e-3 + x * (1.38888889e-3
      + x * (1.98412698e-4 + x * 2.48015873e-5)))))));
}
)"},
    {"safe_exp2(", R"(
fn safe_exp2(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  return exp2(clamp(x, -200.0, 200.0));
}
)"},
    {"safe_log2(", R"(
fn safe_log2(x: f32) -> f32 {
  if (is_nan(x) || x < 0.0) { return from_bits(0x7fc00000u); }
  if (x == 0.0) { return from_bits(0xff800000u); }
  if (is_infinite(x)) { return x; }
  return log2(x);
}
)"},
    {"log10(", R"(
fn log10(x: f32) -> f32 {
  if (is_nan(x) || x < 0.0) { return from_bits(0x7fc00000u); }
  if (x == 0.0) { return from_bits(0xff800000u); }
  if (is_infinite(x)) { return x; }
  return log(x) * 0.434294482;
}
)"},
    {"float_pow(", R"(
// As C's pow. Whole exponents that are small by multiplication, others through exp2 and log2.
fn float_pow(a: f32, b: f32) -> f32 {
  if (b == 0.0 || a == 1.0) { return 1.0; }
  if (is_nan(a) || is_nan(b)) { return a + b; }
  let m = abs(a);
  let negative = (bitcast<u32>(a) & 0x80000000u) != 0u;
  if (is_infinite(b)) {
    if (m == 1.0) { return 1.0; }
    return select(0.0, from_bits(0x7f800000u), (m > 1.0) == (b > 0.0));
  }
  let whole = trunc(b) == b;
  let odd = whole && abs(b) < 16777216.0 && (i32(clamp(b, -16777216.0, 16777216.0)) & 1) != 0;
  if (negative && m != 0.0 && !is_infinite(m) && !whole) { return from_bits(0x7fc00000u); }
  var y = 0.0;
  if (m == 0.0 || is_infinite(m)) {
    y = select(0.0, from_bits(0x7f800000u), (m == 0.0) == (b < 0.0));
  } else if (whole && abs(b) <= 64.0) {
    y = 1.0;
    var factor = m;
    for (var n = u32(abs(b)); n != 0u; n = n >> 1u) {
      if ((n & 1u) != 0u) { y = y * factor; }
      factor = factor * factor;
    }
    if (b < 0.0) { y = 1.0 / y; }
  } else {
    y = exp2(clamp(b * log2(m), -200.0, 200.0));
  }
  return select(y, -y, negative && odd);
}
)"},
    {"safe_tanh(", R"(
// Near 0 the polynomial of Cephes' tanhf, else through exp of a bounded argument.
fn safe_tanh(x: f32) -> f32 {
  let a = abs(x);
  if (a < 0.625) {
    let z = x * x;
    let q = (((-5.70498872745e-3 * z + 2.06390887954e-2) * z - 5.37397155531e-2) * z + 1.33314422036e-1) * z;
    return x + x * z * (q - 3.33332819422e-1);
  }
  if (is_nan(x)) { return x; }
  let y = 1.0 - 2.0 / (exp(2.0 * min(a, 20.0)) + 1.0);
  return select(y, -y, x < 0.0);
}
)"},
    {"safe_sinh(", R"(
fn safe_sinh(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let a = abs(x);
  var y = 0.0;
  if (a < 1.0) {
    let z = x * x;
    y = a + a * z * (0.166666667 + z * (8.33333333e-3 + z * (1.98412698e-4 + z * 2.75573192e-6)));
  } else {
    let half = exp(min(0.5 * a, 60.0));
    y = 0.5 * half * half - 0.5 / half / half;
  }
  return select(y, -y, x < 0.0);
}
)"},
    {"safe_cosh(", R"(
fn safe_cosh(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let half = exp(min(0.5 * abs(x), 60.0));
  return 0.5 * half * half + 0.5 / half / half;
}
)"},
    {"safe_asinh(", R"(
fn safe_asinh(x: f32) -> f32 {
  if (is_nan(x) || is_infinite(x)) { return x; }
  let a = abs(x);
  var y = 0.0;
  if (a > 1e9) {
    y = log(a) + 0.693147181;
  } else {
    y = log1p(a + a * a / (1.0 + sqrt(1.0 + a * a)));
  }
  return select(y, -y, x < 0.0);
}
)"},
    {"safe_acosh(", R"(
fn safe_acosh(x: f32) -> f32 {
  if (!(x >= 1.0)) { return from_bits(0x7fc00000u); }
  if (is_infinite(x)) { return x; }
  if (x > 1e9) { return log(x) + 0.693147181; }
  let t = x - 1.0;
  return log1p(t + sqrt(t * (t + 2.0)));
}
)"},
    {"safe_atanh(", R"(
fn safe_atanh(x: f32) -> f32 {
  let a = abs(x);
  if (!(a <= 1.0)) { return from_bits(0x7fc00000u); }
  if (a == 1.0) { return copysign(from_bits(0x7f800000u), x); }
  let y = 0.5 * log1p(2.0 * a / (1.0 - a));
  return select(y, -y, x < 0.0);
}
)"},
};

}  // namespace

std::span<const WgslHelper> wgsl_exponential_helpers() { return kExponentialHelpers; }

}  // namespace alknet::compute
