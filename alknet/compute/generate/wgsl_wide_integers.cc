#include "alknet/compute/generate/wgsl_helpers.h"

namespace alknet::compute {
namespace {

constexpr WgslHelper kWideHelpers[] = {
    {"i64_from_i32(", R"(
fn i64_from_i32(x: i32) -> vec2<u32> { return vec2<u32>(bitcast<u32>(x), bitcast<u32>(x >> 31u)); }
)"},
    {"i64_add(", R"(
fn i64_add(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let low = a.x + b.x;
  return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}
)"},
    {"i64_sub(", R"(
fn i64_sub(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  return vec2<u32>(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}
)"},
    {"i64_abs(", R"(
fn i64_abs(a: vec2<u32>) -> vec2<u32> { return select(a, i64_sub(vec2<u32>(0u, 0u), a), (a.y >> 31u) != 0u); }
)"},
    {"i64_mul(", R"(
fn i64_mul(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let a0 = a.x & 0xffffu;
  let a1 = a.x >> 16u;
  let b0 = b.x & 0xffffu;
  let b1 = b.x >> 16u;
  let low = a0 * b0;
  let cross = a1 * b0 + (low >> 16u);
  let middle = a0 * b1 + (cross & 0xffffu);
  let high = a1 * b1 + (cross >> 16u) + (middle >> 16u);
  return vec2<u32>((middle << 16u) | (low & 0xffffu), high + a.x * b.y + a.y * b.x);
}
)"},
    {"i64_less(", R"(
fn i64_less(a: vec2<u32>, b: vec2<u32>) -> bool {
  return select(a.x < b.x, bitcast<i32>(a.y) < bitcast<i32>(b.y), a.y != b.y);
}
)"},
    {"i64_divide(", R"(
// Quotient and remainder, one bit at a time; the quotient truncates, by 0 it is the dividend and the remainder 0.
fn i64_divide(a: vec2<u32>, b: vec2<u32>) -> vec4<u32> {
  if (all(b == vec2<u32>(0u, 0u))) { return vec4<u32>(a, 0u, 0u); }
  let divisor = i64_abs(b);
  var quotient = i64_abs(a);
  var rest = vec2<u32>(0u, 0u);
  for (var i = 0u; i < 64u; i += 1u) {
    rest = vec2<u32>((rest.x << 1u) | (quotient.y >> 31u), (rest.y << 1u) | (rest.x >> 31u));
    quotient = vec2<u32>(quotient.x << 1u, (quotient.y << 1u) | (quotient.x >> 31u));
    let fits = rest.y > divisor.y || (rest.y == divisor.y && rest.x >= divisor.x);
    if (fits) {
      rest = i64_sub(rest, divisor);
      quotient.x |= 1u;
    }
  }
  if (((a.y ^ b.y) >> 31u) != 0u) { quotient = i64_sub(vec2<u32>(0u, 0u), quotient); }
  if ((a.y >> 31u) != 0u) { rest = i64_sub(vec2<u32>(0u, 0u), rest); }
  return vec4<u32>(quotient, rest);
}
)"},
    {"f32_from_i64(", R"(
// What lies below 32 leading bits only decides ties.
fn f32_from_i64(a: vec2<u32>) -> f32 {
  let sign = a.y & 0x80000000u;
  let m = i64_abs(a);
  var result = f32(m.x);
  if (m.y != 0u) {
    let n = countLeadingZeros(m.y);
    let top = select((m.y << n) | (m.x >> (32u - n)), m.y, n == 0u);
    let rest = m.x << n;
    result = f32(top | select(0u, 1u, rest != 0u)) * bitcast<f32>((159u - n) << 23u);
  }
  return bitcast<f32>(bitcast<u32>(result) | sign);
}
)"},
    {"i64_from_f32(", R"(
fn i64_from_f32(x: f32) -> vec2<u32> {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u || magnitude < 0x3f800000u) { return vec2<u32>(0u, 0u); }
  let negative = (bits >> 31u) != 0u;
  if (magnitude >= 0x5f000000u) { return select(vec2<u32>(0xffffffffu, 0x7fffffffu), vec2<u32>(0u, 0x80000000u), negative); }
  let significand = (bits & 0x7fffffu) | 0x800000u;
  let exponent = (magnitude >> 23u) - 127u;
  var result = vec2<u32>(significand >> (23u - min(exponent, 23u)), 0u);
  if (exponent > 23u) {
    let shift = exponent - 23u;
    result = select(vec2<u32>(significand << (shift & 31u), significand >> (32u - (shift & 31u))),
                    vec2<u32>(0u, significand << (shift & 31u)), shift >= 32u);
  }
  return select(result, i64_sub(vec2<u32>(0u, 0u), result), negative);
}
)"},
};

}  // namespace

std::span<const WgslHelper> wgsl_wide_integer_helpers() { return kWideHelpers; }

}  // namespace alknet::compute
