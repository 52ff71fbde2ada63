#include "alknet/compute/generate/wgsl.h"

#include <span>

#include "alknet/compute/generate/wgsl_integer.h"

namespace alknet::compute {
namespace {

/// Functions that WGSL lacks or leaves loose. A row may call those above it.
constexpr WgslHelper kHelpers[] = {
    {"from_bits(", R"(
fn from_bits(bits: u32) -> f32 { return bitcast<f32>(bits); }
)"},
    {"is_nan(", R"(
fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
)"},
    {"nan_max(", R"(
fn nan_max(a: f32, b: f32) -> f32 { return select(max(a, b), a + b, is_nan(a) || is_nan(b)); }
)"},
    {"nan_min(", R"(
fn nan_min(a: f32, b: f32) -> f32 { return select(min(a, b), a + b, is_nan(a) || is_nan(b)); }
)"},
    {"i32_remainder(", R"(
// Drivers may give anything for the remainder of negative numbers.
fn i32_remainder(a: i32, b: i32) -> i32 {
  if (b == 0) { return 0; }
  return a - (a / b) * b;
}
)"},
    {"i32_from_f32(", R"(
fn i32_from_f32(x: f32) -> i32 {
  if (is_nan(x)) { return 0; }
  if (x >= 2147483648.0) { return 2147483647; }
  if (x <= -2147483648.0) { return i32(-2147483648); }
  return i32(x);
}
)"},
    {"u32_from_f32(", R"(
fn u32_from_f32(x: f32) -> u32 {
  if (is_nan(x) || x <= 0.0) { return 0u; }
  if (x >= 4294967296.0) { return 0xffffffffu; }
  return u32(x);
}
)"},
    {"i8_from_f32(", R"(
fn i8_from_f32(x: f32) -> i32 { return clamp(i32_from_f32(x), -128, 127); }
)"},
    {"u8_from_f32(", R"(
fn u8_from_f32(x: f32) -> u32 { return min(u32_from_f32(x), 255u); }
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
    {"erf(", R"(
// Below 1 the polynomial of Cephes' erff, above 1 - erfc by the Chebyshev fit of Numerical Recipes (1.2e-7 relative).
fn erf(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let a = abs(x);
  if (a < 1.0) {
    let z = x * x;
    return x * ((((((7.853861353153693e-5 * z - 8.010193625184903e-4) * z + 5.188327685732524e-3) * z
        - 2.685381193529856e-2) * z + 1.128358514861418e-1) * z - 3.761262582423300e-1) * z + 1.128379165726710);
  }
  let b = min(a, 10.0);
  let t = 1.0 / (1.0 + 0.5 * b);
  let s = t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t * (0.27886807
      + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  let y = 1.0 - t * exp(-b * b - 1.26551223 + s);
  return select(y, -y, x < 0.0);
}
)"},
    {"is_infinite(", R"(
fn is_infinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }
)"},
    {"copysign(", R"(
fn copysign(x: f32, y: f32) -> f32 {
  return bitcast<f32>((bitcast<u32>(x) & 0x7fffffffu) | (bitcast<u32>(y) & 0x80000000u));
}
)"},
    {"float_remainder(", R"(
// fmod: subtracts the divisor's multiples by powers of 2, each exactly.
fn float_remainder(x: f32, y: f32) -> f32 {
  if (is_nan(x) || is_nan(y) || is_infinite(x) || y == 0.0) { return from_bits(0x7fc00000u); }
  var r = abs(x);
  let d = abs(y);
  for (var i = 0; i < 300 && r >= d; i += 1) {
    let exponent = bitcast<u32>(r) & 0x7f800000u;
    var t = bitcast<f32>((bitcast<u32>(d) & 0x007fffffu) | exponent);
    if (t > r) { t = bitcast<f32>((bitcast<u32>(d) & 0x007fffffu) | (exponent - 0x00800000u)); }
    r = r - t;
  }
  return copysign(r, x);
}
)"},
    {"multiply_wide(", R"(
// The 64-bit product as (high, low).
fn multiply_wide(a: u32, b: u32) -> vec2<u32> {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let middle = a1 * b0 + ((a0 * b0) >> 16u);
  let other = a0 * b1 + (middle & 0xffffu);
  return vec2<u32>(a1 * b1 + (middle >> 16u) + (other >> 16u), a * b);
}
)"},
    {"reduce_angle(", R"(
struct Angle { rest: f32, quadrant: u32 }
// abs(x) less whole quarter turns: in three parts where that is exact, else by Payne and Hanek with 192 bits of 2/pi.
fn reduce_angle(x: f32) -> Angle {
  let a = abs(x);
  if (a < 8000.0) {
    let k = round(a * 0.636619772);
    return Angle(((a - k * 1.5703125) - k * 4.837512969970703125e-4) - k * 7.54978995489188216e-8, u32(k));
  }
  var bits = array<u32, 7>(0u, 0x28be60dbu, 0x9391054au, 0x7f09d5f4u, 0x7d4d3770u, 0x36d8a566u, 0x4f10e410u);
  let m = ((bitcast<u32>(a) & 0x007fffffu) << 8u) | 0x80000000u;
  let e = ((bitcast<u32>(a) >> 23u) & 0xffu) - 126u;
  let i = e >> 5u;
  let s = e & 31u;
  var high = bits[i];
  var middle = bits[i + 1u];
  var low = bits[i + 2u];
  if (s != 0u) {
    high = (high << s) | (middle >> (32u - s));
    middle = (middle << s) | (low >> (32u - s));
    low = (low << s) | (bits[i + 3u] >> (32u - s));
  }
  let p = multiply_wide(m, middle);
  let carry = multiply_wide(m, low).x;
  let low_word = p.y + carry;
  var high_word = p.x + select(0u, 1u, low_word < carry) + m * high;
  var q = high_word >> 30u;
  high_word = high_word & 0x3fffffffu;
  if (high_word >= 0x20000000u) {
    high_word = high_word | 0xc0000000u;
    q += 1u;
  }
  return Angle((f32(bitcast<i32>(high_word)) * 4294967296.0 + f32(low_word)) * 3.40612158e-19, q);
}
)"},
    {"sine_part(", R"(
// Cephes' sinf and cosf between -pi/4 and pi/4.
fn sine_part(r: f32) -> f32 {
  let z = r * r;
  return ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r;
}
)"},
    {"cosine_part(", R"(
fn cosine_part(r: f32) -> f32 {
  let z = r * r;
  return ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
}
)"},
    {"safe_sin(", R"(
fn safe_sin(x: f32) -> f32 {
  if (is_nan(x) || is_infinite(x)) { return from_bits(0x7fc00000u); }
  let angle = reduce_angle(x);
  var y = sine_part(angle.rest);
  if ((angle.quadrant & 1u) != 0u) { y = cosine_part(angle.rest); }
  return select(y, -y, ((angle.quadrant & 2u) != 0u) != (x < 0.0));
}
)"},
    {"safe_cos(", R"(
fn safe_cos(x: f32) -> f32 {
  if (is_nan(x) || is_infinite(x)) { return from_bits(0x7fc00000u); }
  let angle = reduce_angle(x);
  var y = cosine_part(angle.rest);
  if ((angle.quadrant & 1u) != 0u) { y = sine_part(angle.rest); }
  return select(y, -y, ((angle.quadrant + 1u) & 2u) != 0u);
}
)"},
    {"safe_tan(", R"(
fn safe_tan(x: f32) -> f32 {
  if (is_nan(x) || is_infinite(x)) { return from_bits(0x7fc00000u); }
  let angle = reduce_angle(x);
  let s = sine_part(angle.rest);
  let c = cosine_part(angle.rest);
  var y = s / c;
  if ((angle.quadrant & 1u) != 0u) { y = -c / s; }
  return select(y, -y, x < 0.0);
}
)"},
    {"asin_part(", R"(
// Cephes' asinf on [0, 0.5].
fn asin_part(x: f32) -> f32 {
  let z = x * x;
  return ((((4.2163199048e-2 * z + 2.4181311049e-2) * z + 4.5470025998e-2) * z + 7.4953002686e-2) * z
      + 1.6666752422e-1) * z * x + x;
}
)"},
    {"safe_asin(", R"(
fn safe_asin(x: f32) -> f32 {
  let a = abs(x);
  if (!(a <= 1.0)) { return from_bits(0x7fc00000u); }
  var y = asin_part(min(a, 0.5));
  if (a > 0.5) { y = 1.57079637 - 2.0 * asin_part(sqrt(0.5 * (1.0 - a))); }
  return select(y, -y, x < 0.0);
}
)"},
    {"safe_acos(", R"(
fn safe_acos(x: f32) -> f32 {
  let a = abs(x);
  if (!(a <= 1.0)) { return from_bits(0x7fc00000u); }
  if (a <= 0.5) { return 1.57079637 - select(asin_part(a), -asin_part(a), x < 0.0); }
  let y = 2.0 * asin_part(sqrt(0.5 * (1.0 - a)));
  return select(y, 3.14159274 - y, x < 0.0);
}
)"},
    {"safe_atan(", R"(
// Cephes' atanf.
fn safe_atan(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  var a = abs(x);
  var y = 0.0;
  if (a > 2.414213562373095) {
    y = 1.57079637;
    a = -1.0 / a;
  } else if (a > 0.4142135623730950) {
    y = 0.785398163;
    a = (a - 1.0) / (a + 1.0);
  }
  let z = a * a;
  y = y + ((((8.05374449538e-2 * z - 1.38776856032e-1) * z + 1.99777106478e-1) * z - 3.33329491539e-1) * z * a + a);
  return select(y, -y, x < 0.0);
}
)"},
    {"safe_atan2(", R"(
fn safe_atan2(y: f32, x: f32) -> f32 {
  if (is_nan(x) || is_nan(y)) { return x + y; }
  let behind = (bitcast<u32>(x) & 0x80000000u) != 0u;
  var angle = 0.0;
  let ax = abs(x);
  let ay = abs(y);
  if (ay == 0.0) {
    angle = 0.0;
  } else if (is_infinite(x) && is_infinite(y)) {
    angle = 0.785398163;
  } else if (ay > ax) {
    angle = 1.57079637 - safe_atan(ax / ay);
  } else {
    angle = safe_atan(ay / ax);
  }
  return copysign(select(angle, 3.14159274 - angle, behind), y);
}
)"},
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
    {"erfc(", R"(
// Numerical Recipes' fit as in erf; the square of the argument in two parts, as its error grows with it.
fn erfc(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  let b = min(abs(x), 20.0);
  let t = 1.0 / (1.0 + 0.5 * b);
  let s = t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t * (0.27886807
      + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  let top = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
  let y = t * exp(-top * top) * exp((top - b) * (top + b) - 1.26551223 + s);
  return select(y, 2.0 - y, x < 0.0);
}
)"},
    {"erfinv(", R"(
// Giles, Approximating the erfinv function (2012).
fn erfinv(y: f32) -> f32 {
  if (is_nan(y) || abs(y) > 1.0) { return from_bits(0x7fc00000u); }
  if (abs(y) == 1.0) { return copysign(from_bits(0x7f800000u), y); }
  var w = -log((1.0 - y) * (1.0 + y));
  var p = 0.0;
  if (w < 5.0) {
    w = w - 2.5;
    p = (((((((2.81022636e-8 * w + 3.43273939e-7) * w - 3.5233877e-6) * w - 4.39150654e-6) * w + 2.1858087e-4) * w
        - 1.25372503e-3) * w - 4.17768164e-3) * w + 2.46640727e-1) * w + 1.50140941;
  } else {
    w = sqrt(w) - 3.0;
    p = (((((((-2.00214257e-4 * w + 1.00950558e-4) * w + 1.34934322e-3) * w - 3.67342844e-3) * w + 5.73950773e-3) * w
        - 7.6224613e-3) * w + 9.43887047e-3) * w + 1.00167406) * w + 2.83297682;
  }
  return p * y;
}
)"},
    {"sine_part_of_turn(", R"(
// sin(pi x)
fn sine_part_of_turn(x: f32) -> f32 {
  let k = round(x);
  let y = safe_sin((x - k) * 3.14159274);
  return select(y, -y, (i32(k) & 1) != 0);
}
)"},
    {"lgamma(", R"(
// Stirling's series after shifting the argument up; by reflection below 0.
fn lgamma(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (is_infinite(x)) { return abs(x); }
  if (x <= 0.0 && floor(x) == x) { return from_bits(0x7f800000u); }
  var a = x;
  var correction = 0.0;
  if (x < 0.5) {
    correction = 1.14472989 - log(abs(sine_part_of_turn(x)));
    a = 1.0 - x;
  }
  var product = 1.0;
  for (var i = 0; i < 8 && a < 7.0; i += 1) {
    product = product * a;
    a = a + 1.0;
  }
  let z = 1.0 / (a * a);
  let tail = (0.0833333333 + z * (-2.77777778e-3 + z * 7.93650794e-4)) / a;
  let y = ((a - 0.5) * log(a) - a) + 0.918938533 + tail - log(product);
  return select(y, correction - y, x < 0.5);
}
)"},
    {"digamma(", R"(
fn digamma(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x == 0.0) { return copysign(from_bits(0x7f800000u), -x); }
  if (is_infinite(x)) { return select(from_bits(0x7fc00000u), x, x > 0.0); }
  var a = x;
  var y = 0.0;
  if (x < 0.0) {
    if (trunc(x) == x) { return from_bits(0x7fc00000u); }
    y = -3.14159274 / safe_tan(3.14159274 * (x - round(x)));
    a = 1.0 - x;
  }
  for (var i = 0; i < 10 && a < 8.0; i += 1) {
    y = y - 1.0 / a;
    a = a + 1.0;
  }
  let z = 1.0 / (a * a);
  return y + log(a) - 0.5 / a - z * (0.0833333333 - z * (8.33333333e-3 - z * (3.96825397e-3 - z * 4.16666667e-3)));
}
)"},
    {"hurwitz_zeta(", R"(
// Euler-Maclaurin summation, as Cephes' zeta.
fn hurwitz_zeta(s: f32, x: f32) -> f32 {
  if (is_nan(s) || is_nan(x) || s < 1.0) { return from_bits(0x7fc00000u); }
  if (s == 1.0) { return from_bits(0x7f800000u); }
  if (x <= 0.0) {
    if (floor(x) == x) { return from_bits(0x7f800000u); }
    if (floor(s) != s || x < -1e6) { return from_bits(0x7fc00000u); }
  }
  if (is_infinite(x)) { return 0.0; }
  var sum = 0.0;
  var a = x;
  for (; a < 10.0; a += 1.0) { sum += float_pow(a, -s); }
  let power = float_pow(a, -s);
  sum += power * a / (s - 1.0) + 0.5 * power;
  let z = 1.0 / (a * a);
  let first = s * power / a / 12.0;
  let second = s * (s + 1.0) * (s + 2.0) * power / a * z / 720.0;
  let third = s * (s + 1.0) * (s + 2.0) * (s + 3.0) * (s + 4.0) * power / a * z * z / 30240.0;
  return sum + first - second + third;
}
)"},
    {"integer_pow_i32(", R"(
fn integer_pow_i32(a: i32, b: i32) -> i32 {
  if (b < 0) { return select(0, select(select(-1, 1, (b & 1) == 0), 1, a == 1), abs(a) == 1); }
  var y = i32(1);
  var factor = a;
  for (var n = u32(b); n != 0u; n = n >> 1u) {
    if ((n & 1u) != 0u) { y = y * factor; }
    factor = factor * factor;
  }
  return y;
}
)"},
    {"shift_left_i32(", R"(
fn shift_left_i32(a: i32, b: i32) -> i32 { return select(i32(0), a << (u32(b) & 31u), u32(b) < 32u); }
)"},
    {"shift_right_i32(", R"(
fn shift_right_i32(a: i32, b: i32) -> i32 {
  return select(select(0, -1, a < 0), a >> (u32(b) & 31u), u32(b) < 32u);
}
)"},
    {"integer_pow_u32(", R"(
fn integer_pow_u32(a: u32, b: u32) -> u32 {
  var y = u32(1);
  var factor = a;
  for (var n = u32(b); n != 0u; n = n >> 1u) {
    if ((n & 1u) != 0u) { y = y * factor; }
    factor = factor * factor;
  }
  return y;
}
)"},
    {"shift_left_u32(", R"(
fn shift_left_u32(a: u32, b: u32) -> u32 { return select(u32(0), a << (u32(b) & 31u), u32(b) < 32u); }
)"},
    {"shift_right_u32(", R"(
fn shift_right_u32(a: u32, b: u32) -> u32 {
  return select(0u, a >> (u32(b) & 31u), u32(b) < 32u);
}
)"},
};

/// Whether `source` calls the function, rather than one whose name ends so.
bool calls(std::string_view source, std::string_view call) {
  for (std::size_t at = source.find(call); at != source.npos; at = source.find(call, at + 1)) {
    const char before = at == 0 ? ' ' : source[at - 1];
    const bool inside = before == '_' || (before >= 'a' && before <= 'z') || (before >= '0' && before <= '9');
    if (!inside) return true;
  }
  return false;
}

}  // namespace

std::string wgsl_helpers(std::string_view source) {
  std::string result;
  const auto add = [&](std::span<const WgslHelper> rows) {
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
      if (calls(source, row->call) || calls(result, row->call)) result.insert(0, row->text);
    }
  };
  add(wgsl_integer_helpers());
  add(kHelpers);
  return result;
}

}  // namespace alknet::compute
