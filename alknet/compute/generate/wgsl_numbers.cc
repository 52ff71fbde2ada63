#include "alknet/compute/generate/wgsl_helpers.h"

namespace alknet::compute {
namespace {

constexpr WgslHelper kNumberHelpers[] = {
    {"from_bits(", R"(
fn from_bits(bits: u32) -> f32 { return bitcast<f32>(bits); }
)"},
    {"is_nan(", R"(
fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
)"},
    {"float_key(", R"(
// A word that rises with x: NaN is the largest, the zeros are equal.
fn float_key(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return 0xffffffffu; }
  if ((bits & 0x7fffffffu) == 0u) { return 0x80000000u; }
  return select(bits ^ 0x80000000u, ~bits, (bits >> 31u) != 0u);
}
)"},
    {"nan_max(", R"(
fn nan_max(a: f32, b: f32) -> f32 { return select(max(a, b), a + b, is_nan(a) || is_nan(b)); }
)"},
    {"nan_min(", R"(
fn nan_min(a: f32, b: f32) -> f32 { return select(min(a, b), a + b, is_nan(a) || is_nan(b)); }
)"},
    {"keep_zero(", R"(
fn keep_zero(x: f32, y: f32) -> f32 { return select(y, x, x == 0.0); }
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
};

}  // namespace

std::span<const WgslHelper> wgsl_number_helpers() { return kNumberHelpers; }

}  // namespace alknet::compute
