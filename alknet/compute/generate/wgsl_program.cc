#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"
#include "alknet/compute/generate/wgsl.h"
#include "alknet/compute/generate/wgsl_integer.h"
#include "alknet/compute/generate/wgsl_storage.h"

namespace alknet::compute {
namespace {

using graph::Dtype;
using graph::expr::Instruction;
using graph::expr::Opcode;
using graph::expr::Program;

std::string_view type_name(Dtype dtype) { return wgsl_type(dtype); }

/// A literal. WGSL refuses constant expressions that are not finite, so those are made from bits at run time.
std::string literal(double value, Dtype dtype) {
  switch (dtype) {
    case Dtype::kBool: return value != 0 ? "true" : "false";
    case Dtype::kI8:
    case Dtype::kI32: return fmt::format("i32({})", static_cast<std::int64_t>(value));
    case Dtype::kI64: return wgsl_i64_literal(value);
    case Dtype::kU8:
    case Dtype::kU32: return fmt::format("{}u", static_cast<std::uint64_t>(static_cast<std::int64_t>(value)));
    default: break;
  }
  const auto narrow = static_cast<float>(value);
  if (!std::isfinite(narrow) || (narrow == 0 && std::signbit(narrow))) {
    return fmt::format("from_bits({:#x}u)", std::bit_cast<std::uint32_t>(narrow));
  }
  return fmt::format("f32({:.9g})", narrow);
}

std::string cast(const std::string& value, Dtype from, Dtype to) {
  if (from == to) return value;
  if (to == Dtype::kBool)
    return from == Dtype::kF32 ? fmt::format("(!({} == 0.0))", value)
                               : fmt::format("({} != {}(0))", value, type_name(from));
  if (from == Dtype::kF32) return fmt::format("{}_from_f32({})", graph::dtype_name(to), value);
  return wgsl_wrapped(to, fmt::format("{}({})", type_name(to), value));
}

/// How a function-like opcode is called for f32; for integers WGSL's own name.
struct Call {
  Opcode opcode;
  std::string_view f32, integer;
};
constexpr Call kCalls[] = {
    {Opcode::kAbs, "abs", "abs"},
    {Opcode::kExp, "exp", {}},
    {Opcode::kLog, "log", {}},
    {Opcode::kSqrt, "sqrt", {}},
    {Opcode::kRsqrt, "inverseSqrt", {}},
    {Opcode::kTanh, "safe_tanh", {}},
    {Opcode::kErf, "erf", {}},
    {Opcode::kMaximum, "nan_max", "max"},
    {Opcode::kMinimum, "nan_min", "min"},
};

struct Infix {
  Opcode opcode;
  std::string_view text;
};
constexpr Infix kInfix[] = {
    {Opcode::kAdd, "+"},           {Opcode::kSubtract, "-"}, {Opcode::kMultiply, "*"},   {Opcode::kDivide, "/"},
    {Opcode::kRemainder, "%"},     {Opcode::kLess, "<"},     {Opcode::kLessEqual, "<="}, {Opcode::kGreater, ">"},
    {Opcode::kGreaterEqual, ">="}, {Opcode::kEqual, "=="},   {Opcode::kAnd, "&&"},       {Opcode::kOr, "||"},
};

std::string variable(const graph::expr::Variable& from) {
  if (!from.parameter) return from.name;
  if (from.dtype == Dtype::kI64) return fmt::format("i64_from_i32(p.{})", from.name);
  return from.dtype == Dtype::kBool ? fmt::format("(p.{} != 0u)", from.name) : fmt::format("p.{}", from.name);
}

std::string expression(const Program& program, const Instruction& step) {
  if (auto wide = wgsl_i64_expression(program, step)) return std::move(*wide);
  const auto argument = [&](std::size_t k) { return fmt::format("v{}", step.arguments[k]); };
  const auto argument_dtype = [&](std::size_t k) { return program.instructions[step.arguments[k]].dtype; };
  switch (step.opcode) {
    case Opcode::kConstant: return literal(step.constant, step.dtype);
    case Opcode::kVariable: return variable(program.variables[step.index]);
    case Opcode::kCast: return cast(argument(0), argument_dtype(0), step.dtype);
    case Opcode::kNegate: return type_name(step.dtype) == "u32" ? "0u - " + argument(0) : "-" + argument(0);
    case Opcode::kNot: return "!" + argument(0);
    // `!=` is written so because drivers may compare ordered, which is false for NaN.
    case Opcode::kNotEqual: return fmt::format("!({} == {})", argument(0), argument(1));
    case Opcode::kSelect: return fmt::format("select({}, {}, {})", argument(2), argument(1), argument(0));
    case Opcode::kIsNan: return argument_dtype(0) == Dtype::kF32 ? fmt::format("is_nan({})", argument(0)) : "false";
    default: break;
  }
  for (const auto& infix : kInfix) {
    if (infix.opcode == step.opcode) return fmt::format("{} {} {}", argument(0), infix.text, argument(1));
  }
  for (const auto& call : kCalls) {
    if (call.opcode != step.opcode) continue;
    const std::string_view name = step.dtype == Dtype::kF32 ? call.f32 : call.integer;
    if (name.empty()) break;
    const bool two = graph::expr::opcode_info(step.opcode).arity == 2;
    return two ? fmt::format("{}({}, {})", name, argument(0), argument(1)) : fmt::format("{}({})", name, argument(0));
  }
  throw Error(ComputeError::kUnsupported,
              fmt::format("WGSL has no `{}` of {}; use .to('cpu')", graph::expr::opcode_info(step.opcode).spelling,
                          graph::dtype_name(step.dtype)));
}

/// Functions that WGSL lacks or leaves loose. A row may call those above it.
struct Helper {
  std::string_view call;
  std::string_view text;
};
constexpr Helper kHelpers[] = {
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
};

}  // namespace

std::string wgsl_helpers(std::string_view source) {
  std::string result;
  const auto integers = wgsl_integer_helpers();
  for (auto row = integers.rbegin(); row != integers.rend(); ++row) {
    const bool used = source.find(row->call) != source.npos || result.find(row->call) != result.npos;
    if (used) result.insert(0, row->text);
  }
  for (auto row = std::rbegin(kHelpers); row != std::rend(kHelpers); ++row) {
    const bool used = source.find(row->call) != source.npos || result.find(row->call) != result.npos;
    if (used) result.insert(0, row->text);
  }
  return result;
}

std::string wgsl_function(std::string_view name, const Program& program) {
  std::string arguments;
  for (const auto& v : program.variables) {
    if (v.parameter) continue;
    arguments += fmt::format("{}{}: {}", arguments.empty() ? "" : ", ", v.name, type_name(v.dtype));
  }
  std::string body;
  for (std::size_t i = 0; i < program.instructions.size(); ++i) {
    const Instruction& step = program.instructions[i];
    const bool computed = graph::expr::opcode_info(step.opcode).arity > 0 && step.opcode != Opcode::kCast;
    const std::string value = expression(program, step);
    body += fmt::format("  let v{} = {};\n", i, computed ? wgsl_wrapped(step.dtype, value) : value);
  }
  const auto output_type = [&](std::size_t k) {
    return type_name(program.instructions[program.outputs[k].value].dtype);
  };
  if (program.outputs.size() == 1) {
    return fmt::format("\nfn {}({}) -> {} {{\n{}  return v{};\n}}\n", name, arguments, output_type(0), body,
                       program.outputs[0].value);
  }
  std::string members, values;
  for (std::size_t k = 0; k < program.outputs.size(); ++k) {
    members += fmt::format("  {}: {},\n", program.outputs[k].name, output_type(k));
    values += fmt::format("{}v{}", k == 0 ? "" : ", ", program.outputs[k].value);
  }
  return fmt::format(
      "\nstruct {0}_result {{\n{1}}}\n\nfn {0}({2}) -> {0}_result {{\n{3}  return {0}_result({4});\n}}\n", name,
      members, arguments, body, values);
}

}  // namespace alknet::compute
