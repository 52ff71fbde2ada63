#include "alknet/compute/generate/wgsl_helpers.h"

namespace alknet::compute {
namespace {

constexpr WgslHelper kIntegerHelpers[] = {
    {"i32_remainder(", R"(
// Drivers may give anything for the remainder of negative numbers.
fn i32_remainder(a: i32, b: i32) -> i32 {
  if (b == 0) { return 0; }
  return a - (a / b) * b;
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
    {"integer_pow_u32(", R"(
fn integer_pow_u32(a: u32, b: u32) -> u32 {
  var y = 1u;
  var factor = a;
  for (var n = b; n != 0u; n = n >> 1u) {
    if ((n & 1u) != 0u) { y = y * factor; }
    factor = factor * factor;
  }
  return y;
}
)"},
    {"integer_pow_i32(", R"(
fn integer_pow_i32(a: i32, b: i32) -> i32 {
  if (b < 0) { return select(0, select(select(-1, 1, (b & 1) == 0), 1, a == 1), abs(a) == 1); }
  return bitcast<i32>(integer_pow_u32(bitcast<u32>(a), u32(b)));
}
)"},
    {"shift_left_u32(", R"(
fn shift_left_u32(a: u32, b: u32) -> u32 { return select(0u, a << (b & 31u), b < 32u); }
)"},
    {"shift_left_i32(", R"(
fn shift_left_i32(a: i32, b: i32) -> i32 { return bitcast<i32>(shift_left_u32(bitcast<u32>(a), bitcast<u32>(b))); }
)"},
    {"shift_right_u32(", R"(
fn shift_right_u32(a: u32, b: u32) -> u32 { return select(0u, a >> (b & 31u), b < 32u); }
)"},
    {"shift_right_i32(", R"(
fn shift_right_i32(a: i32, b: i32) -> i32 {
  return select(select(0, -1, a < 0), a >> (u32(b) & 31u), u32(b) < 32u);
}
)"},
};

}  // namespace

std::span<const WgslHelper> wgsl_integer_helpers() { return kIntegerHelpers; }

}  // namespace alknet::compute
