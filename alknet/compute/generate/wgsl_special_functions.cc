#include "alknet/compute/generate/wgsl_helpers.h"

namespace alknet::compute {
namespace {

constexpr WgslHelper kSpecialHelpers[] = {
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
};

}  // namespace

std::span<const WgslHelper> wgsl_special_function_helpers() { return kSpecialHelpers; }

}  // namespace alknet::compute
