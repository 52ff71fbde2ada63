#include "alknet/compute/generate/wgsl_integer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

using graph::Dtype;
using graph::expr::Instruction;
using graph::expr::Opcode;
using graph::expr::Program;

/// Instructions of i64 by the text of their result, where {0} to {2} are the arguments.
struct IntegerRow {
  Opcode opcode;
  std::string_view text;
};
constexpr IntegerRow kIntegerRows[] = {
    {Opcode::kNegate, "i64_sub(vec2<u32>(0u, 0u), {0})"},
    {Opcode::kAdd, "i64_add({0}, {1})"},
    {Opcode::kSubtract, "i64_sub({0}, {1})"},
    {Opcode::kMultiply, "i64_mul({0}, {1})"},
    {Opcode::kDivide, "i64_divide({0}, {1}).xy"},
    {Opcode::kRemainder, "i64_divide({0}, {1}).zw"},
    {Opcode::kLess, "i64_less({0}, {1})"},
    {Opcode::kLessEqual, "!i64_less({1}, {0})"},
    {Opcode::kGreater, "i64_less({1}, {0})"},
    {Opcode::kGreaterEqual, "!i64_less({0}, {1})"},
    {Opcode::kEqual, "all({0} == {1})"},
    {Opcode::kNotEqual, "any({0} != {1})"},
    {Opcode::kSelect, "select({2}, {1}, {0})"},
    {Opcode::kAbs, "i64_abs({0})"},
    {Opcode::kMaximum, "select({0}, {1}, i64_less({0}, {1}))"},
    {Opcode::kMinimum, "select({1}, {0}, i64_less({0}, {1}))"},
    {Opcode::kBitNot, "~{0}"},
    {Opcode::kBitAnd, "{0} & {1}"},
    {Opcode::kBitOr, "{0} | {1}"},
    {Opcode::kBitXor, "{0} ^ {1}"},
    {Opcode::kIsNan, "false"},
};

/// Casts to i64, and from it.
struct IntegerCast {
  Dtype dtype;
  std::string_view to_i64, from_i64;
};
constexpr IntegerCast kIntegerCasts[] = {
    {Dtype::kBool, "vec2<u32>(select(0u, 1u, {0}), 0u)", "any({0} != vec2<u32>(0u, 0u))"},
    {Dtype::kI8, "i64_from_i32({0})", "(bitcast<i32>({0}.x << 24u) >> 24u)"},
    {Dtype::kU8, "vec2<u32>({0}, 0u)", "({0}.x & 0xffu)"},
    {Dtype::kI32, "i64_from_i32({0})", "bitcast<i32>({0}.x)"},
    {Dtype::kU32, "vec2<u32>({0}, 0u)", "{0}.x"},
    {Dtype::kF32, "i64_from_f32({0})", "f32_from_i64({0})"},
};

constexpr WgslHelper kIntegerHelpers[] = {
    {"bf16_unpack(", R"(
fn bf16_unpack(raw: u32) -> f32 { return bitcast<f32>(raw << 16u); }
)"},
    {"bf16_pack(", R"(
fn bf16_pack(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return (bits >> 16u) | 0x40u; }
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}
)"},
    {"f16_unpack(", R"(
fn f16_unpack(raw: u32) -> f32 {
  let sign = (raw & 0x8000u) << 16u;
  let magnitude = raw & 0x7fffu;
  if (magnitude >= 0x7c00u) { return bitcast<f32>(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13u)); }
  if (magnitude < 0x400u) { return bitcast<f32>(sign | bitcast<u32>(f32(magnitude) * 5.9604644775390625e-8)); }
  return bitcast<f32>(sign | ((magnitude << 13u) + 0x38000000u));
}
)"},
    {"f16_pack(", R"(
// Rounds to the nearest, ties to even; below 2^-14 by a sum whose unit is that of f16's smallest numbers.
fn f16_pack(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  let sign = (bits >> 16u) & 0x8000u;
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return sign | 0x7e00u; }
  if (magnitude >= 0x477ff000u) { return sign | 0x7c00u; }
  if (magnitude < 0x38800000u) { return sign | (bitcast<u32>(bitcast<f32>(magnitude) + 0.5) - 0x3f000000u); }
  return sign | ((magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13u) & 1u)) >> 13u);
}
)"},
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

std::string filled_integer(std::string_view text, const Instruction& step) {
  return fmt::format(fmt::runtime(text), fmt::format("v{}", step.arguments[0]), fmt::format("v{}", step.arguments[1]),
                     fmt::format("v{}", step.arguments[2]));
}

}  // namespace

std::string wgsl_i64_literal(double value) {
  // The largest integer is none of the doubles: it comes as 2^63.
  const std::int64_t integer =
      value >= 0x1p63 ? std::numeric_limits<std::int64_t>::max() : static_cast<std::int64_t>(value);
  const auto bits = static_cast<std::uint64_t>(integer);
  return fmt::format("vec2<u32>({:#x}u, {:#x}u)", bits & 0xffffffffU, bits >> 32);
}

std::optional<std::string> wgsl_i64_expression(const Program& program, const Instruction& step) {
  const auto arity = graph::expr::opcode_info(step.opcode).arity;
  bool wide = step.dtype == Dtype::kI64;
  for (std::size_t k = 0; k < arity; ++k) wide |= program.instructions[step.arguments[k]].dtype == Dtype::kI64;
  if (!wide || arity == 0) return std::nullopt;
  if (step.opcode == Opcode::kCast) {
    const Dtype from = program.instructions[step.arguments[0]].dtype;
    if (from == step.dtype) return fmt::format("v{}", step.arguments[0]);
    const Dtype other = from == Dtype::kI64 ? step.dtype : from;
    const auto row = std::ranges::find(kIntegerCasts, other, &IntegerCast::dtype);
    if (row != std::end(kIntegerCasts)) return filled_integer(from == Dtype::kI64 ? row->from_i64 : row->to_i64, step);
  }
  const auto row = std::ranges::find(kIntegerRows, step.opcode, &IntegerRow::opcode);
  if (row != std::end(kIntegerRows)) return filled_integer(row->text, step);
  throw Error(ComputeError::kUnsupported,
              fmt::format("WGSL has no `{}` of i64; cast to i32 or use .to('cpu')",
                          graph::expr::opcode_info(step.opcode).spelling),
              {{"dtype", "i64"}});
}

std::string wgsl_wrapped(Dtype dtype, std::string text) {
  if (dtype == Dtype::kI8) return fmt::format("(({}) << 24u) >> 24u", text);
  if (dtype == Dtype::kU8) return fmt::format("({}) & 0xffu", text);
  return text;
}

std::span<const WgslHelper> wgsl_integer_helpers() { return kIntegerHelpers; }

}  // namespace alknet::compute
