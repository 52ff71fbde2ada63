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

}  // namespace alknet::compute
