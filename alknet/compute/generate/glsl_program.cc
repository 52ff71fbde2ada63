#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"
#include "alknet/compute/generate/glsl.h"

namespace alknet::compute {
namespace {

using graph::Dtype;
using graph::expr::Instruction;
using graph::expr::Opcode;
using graph::expr::Program;

std::string_view glsl_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::kBool: return "bool";
    case Dtype::kI32: return "int";
    case Dtype::kU32: return "uint";
    case Dtype::kF32: return "float";
    default:
      throw Error(ComputeError::kUnsupported,
                  fmt::format("GLSL kernels do not compute on {}; use .to('cpu')", graph::dtype_name(dtype)),
                  {{"dtype", graph::dtype_name(dtype)}});
  }
}

std::string glsl_literal(double value, Dtype dtype) {
  switch (dtype) {
    case Dtype::kBool: return value != 0 ? "true" : "false";
    case Dtype::kI32: return fmt::format("int({})", static_cast<std::int64_t>(value));
    case Dtype::kU32: return fmt::format("{}u", static_cast<std::uint64_t>(static_cast<std::int64_t>(value)));
    default: break;
  }
  const auto narrow = static_cast<float>(value);
  if (!std::isfinite(narrow) || (narrow == 0 && std::signbit(narrow))) {
    return fmt::format("uintBitsToFloat({:#x}u)", std::bit_cast<std::uint32_t>(narrow));
  }
  return fmt::format("float({:.9g})", narrow);
}

std::string glsl_cast(const std::string& value, Dtype from, Dtype to) {
  if (from == to) return value;
  if (to == Dtype::kBool) return fmt::format("!({} == {}(0))", value, glsl_type(from));
  if (from == Dtype::kF32) return fmt::format("{}_from_float({})", glsl_type(to), value);
  return fmt::format("{}({})", glsl_type(to), value);
}

/// How a step is written; {0}, {1}, {2} are its arguments. Empty: not at all.
struct GlslForm {
  Opcode opcode;
  std::string_view f32, integer, boolean = {};
};
constexpr GlslForm kGlslForms[] = {
    {Opcode::kNegate, "-{0}", "-{0}"},
    {Opcode::kNot, "", "", "!{0}"},
    {Opcode::kAdd, "{0} + {1}", "{0} + {1}"},
    {Opcode::kSubtract, "{0} - {1}", "{0} - {1}"},
    {Opcode::kMultiply, "{0} * {1}", "{0} * {1}"},
    {Opcode::kDivide, "{0} / {1}", "({1} == 0 ? {0} : {0} / {1})"},
    {Opcode::kRemainder, "({0} - {1} * trunc({0} / {1}))", "({1} == 0 ? {1} : {0} - {1} * ({0} / {1}))"},
    {Opcode::kLess, "{0} < {1}", "{0} < {1}"},
    {Opcode::kLessEqual, "{0} <= {1}", "{0} <= {1}"},
    {Opcode::kGreater, "{0} > {1}", "{0} > {1}"},
    {Opcode::kGreaterEqual, "{0} >= {1}", "{0} >= {1}"},
    {Opcode::kEqual, "{0} == {1}", "{0} == {1}", "{0} == {1}"},
    {Opcode::kNotEqual, "!({0} == {1})", "{0} != {1}", "{0} != {1}"},
    {Opcode::kAnd, "", "", "{0} && {1}"},
    {Opcode::kOr, "", "", "{0} || {1}"},
    {Opcode::kSelect, "{0} ? {1} : {2}", "{0} ? {1} : {2}", "{0} ? {1} : {2}"},
    {Opcode::kAbs, "abs({0})", "abs({0})"},
    {Opcode::kExp, "exp({0})", ""},
    {Opcode::kLog, "log({0})", ""},
    {Opcode::kSqrt, "sqrt({0})", ""},
    {Opcode::kRsqrt, "inversesqrt({0})", ""},
    {Opcode::kTanh, "tanh(clamp({0}, -20.0, 20.0))", ""},
    {Opcode::kErf, "error_function({0})", ""},
    {Opcode::kMaximum, "nan_max({0}, {1})", "max({0}, {1})"},
    {Opcode::kMinimum, "nan_min({0}, {1})", "min({0}, {1})"},
    {Opcode::kIsNan, "is_nan({0})", "false"},
    {Opcode::kSin, "sin({0})", ""},
    {Opcode::kCos, "cos({0})", ""},
    {Opcode::kTan, "tan({0})", ""},
    {Opcode::kAsin, "asin({0})", ""},
    {Opcode::kAcos, "acos({0})", ""},
    {Opcode::kAtan, "atan({0})", ""},
    {Opcode::kSinh, "sinh({0})", ""},
    {Opcode::kCosh, "cosh({0})", ""},
    {Opcode::kAsinh, "asinh({0})", ""},
    {Opcode::kAcosh, "acosh({0})", ""},
    {Opcode::kAtanh, "atanh({0})", ""},
    {Opcode::kExp2, "exp2({0})", ""},
    {Opcode::kExpm1, "exponential_less_1({0})", ""},
    {Opcode::kLog2, "log2({0})", ""},
    {Opcode::kLog10, "log({0}) * 0.434294482", ""},
    {Opcode::kLog1p, "log_of_1_plus({0})", ""},
    {Opcode::kErfc, "1.0 - error_function({0})", ""},
    {Opcode::kFloor, "floor({0})", ""},
    {Opcode::kCeil, "ceil({0})", ""},
    {Opcode::kRound, "roundEven({0})", ""},
    {Opcode::kTrunc, "trunc({0})", ""},
    {Opcode::kAtan2, "atan({0}, {1})", ""},
    {Opcode::kPow, "signed_power({0}, {1})", ""},
    {Opcode::kCopysign, "copy_sign({0}, {1})", ""},
    {Opcode::kBitAnd, "", "{0} & {1}"},
    {Opcode::kBitOr, "", "{0} | {1}"},
    {Opcode::kBitXor, "", "{0} ^ {1}"},
    {Opcode::kBitNot, "", "~{0}"},
    {Opcode::kShiftLeft, "", "(uint({1}) < 32u ? {0} << {1} : {0} - {0})"},
    {Opcode::kShiftRight, "", "(uint({1}) < 32u ? {0} >> {1} : {0} >> 31)"},
};

std::string glsl_expression(const Program& program, const Instruction& step) {
  const auto argument = [&](std::size_t k) { return fmt::format("v{}", step.arguments[k]); };
  const auto argument_dtype = [&](std::size_t k) { return program.instructions[step.arguments[k]].dtype; };
  if (step.opcode == Opcode::kConstant) return glsl_literal(step.constant, step.dtype);
  if (step.opcode == Opcode::kVariable) {
    const auto& from = program.variables[step.index];
    if (!from.parameter) return from.name;
    return from.dtype == Dtype::kBool ? fmt::format("(p.{} != 0u)", from.name) : fmt::format("p.{}", from.name);
  }
  if (step.opcode == Opcode::kCast) return glsl_cast(argument(0), argument_dtype(0), step.dtype);
  const Dtype operand = step.opcode == Opcode::kSelect ? step.dtype : argument_dtype(0);
  for (const auto& form : kGlslForms) {
    if (form.opcode != step.opcode) continue;
    const std::string_view text = operand == Dtype::kF32    ? form.f32
                                  : operand == Dtype::kBool ? form.boolean
                                                            : form.integer;
    const bool shift = operand == Dtype::kU32 && step.opcode == Opcode::kShiftRight;
    if (shift) return fmt::format("({1} < 32u ? {0} >> {1} : 0u)", argument(0), argument(1));
    if (text.empty()) break;
    return fmt::format(fmt::runtime(text), argument(0), argument(1), argument(2));
  }
  throw Error(ComputeError::kUnsupported,
              fmt::format("GLSL kernels have no `{}` of {}; use WGSL or .to('cpu')",
                          graph::expr::opcode_info(step.opcode).spelling, graph::dtype_name(operand)));
}

/// A row may call those above it.
struct GlslHelper {
  std::string_view call, text;
};
constexpr GlslHelper kGlslHelpers[] = {
    {"is_nan(", R"(
bool is_nan(float x) { return (floatBitsToUint(x) & 0x7fffffffu) > 0x7f800000u; }
)"},
    {"nan_max(", R"(
float nan_max(float a, float b) { return is_nan(a) || is_nan(b) ? a + b : max(a, b); }
)"},
    {"nan_min(", R"(
float nan_min(float a, float b) { return is_nan(a) || is_nan(b) ? a + b : min(a, b); }
)"},
    {"int_from_float(", R"(
int int_from_float(float x) {
  if (is_nan(x)) { return 0; }
  if (x >= 2147483648.0) { return 2147483647; }
  if (x <= -2147483648.0) { return -2147483647 - 1; }
  return int(x);
}
)"},
    {"uint_from_float(", R"(
uint uint_from_float(float x) {
  if (is_nan(x) || x <= 0.0) { return 0u; }
  if (x >= 4294967296.0) { return 0xffffffffu; }
  return uint(x);
}
)"},
    {"copy_sign(", R"(
float copy_sign(float x, float y) {
  return uintBitsToFloat((floatBitsToUint(x) & 0x7fffffffu) | (floatBitsToUint(y) & 0x80000000u));
}
)"},
    {"log_of_1_plus(", R"(
float log_of_1_plus(float x) {
  float s = x / (2.0 + x);
  float z = s * s;
  if (abs(x) < 0.25) { return 2.0 * s * (1.0 + z * (0.333333333 + z * (0.2 + z * (0.142857143 + z * 0.111111111)))); }
  return log(1.0 + x);
}
)"},
    {"exponential_less_1(", R"(
float exponential_less_1(float x) {
  if (abs(x) >= 0.5) { return exp(x) - 1.0; }
  return x * (1.0 + x * (0.5 + x * (0.166666667 + x * (4.16666667e-2 + x * (8.33333333e-3 + x * (1.38888889e-3
      + x * (1.98412698e-4 + x * 2.48015873e-5)))))));
}
)"},
    {"signed_power(", R"(
// As C's pow for finite arguments.
float signed_power(float a, float b) {
  if (b == 0.0 || a == 1.0) { return 1.0; }
  float y = pow(abs(a), b);
  if (a >= 0.0) { return y; }
  if (trunc(b) != b) { return uintBitsToFloat(0x7fc00000u); }
  return abs(b) < 16777216.0 && (int(b) & 1) != 0 ? -y : y;
}
)"},
    {"error_function(", R"(
// As in WGSL: Cephes' erff below 1, Numerical Recipes' fit above.
float error_function(float x) {
  if (is_nan(x)) { return x; }
  float a = abs(x);
  if (a < 1.0) {
    float z = x * x;
    return x * ((((((7.853861353153693e-5 * z - 8.010193625184903e-4) * z + 5.188327685732524e-3) * z
        - 2.685381193529856e-2) * z + 1.128358514861418e-1) * z - 3.761262582423300e-1) * z + 1.128379165726710);
  }
  float b = min(a, 10.0);
  float t = 1.0 / (1.0 + 0.5 * b);
  float s = t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t * (0.27886807
      + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  float y = 1.0 - t * exp(-b * b - 1.26551223 + s);
  return x < 0.0 ? -y : y;
}
)"},
};

}  // namespace

std::string glsl_helpers(std::string_view source) {
  std::string result;
  for (auto row = std::rbegin(kGlslHelpers); row != std::rend(kGlslHelpers); ++row) {
    const bool used = source.find(row->call) != source.npos || result.find(row->call) != result.npos;
    if (used) result.insert(0, row->text);
  }
  return result;
}

std::string glsl_function(std::string_view name, const Program& program) {
  std::string arguments, body;
  for (const auto& v : program.variables) {
    if (v.parameter) continue;
    arguments += fmt::format("{}{} {}", arguments.empty() ? "" : ", ", glsl_type(v.dtype), v.name);
  }
  for (std::size_t i = 0; i < program.instructions.size(); ++i) {
    const Instruction& step = program.instructions[i];
    body += fmt::format("  {} v{} = {};\n", glsl_type(step.dtype), i, glsl_expression(program, step));
  }
  const auto output_type = [&](std::size_t k) {
    return glsl_type(program.instructions[program.outputs[k].value].dtype);
  };
  if (program.outputs.size() == 1) {
    return fmt::format("\n{} {}({}) {{\n{}  return v{};\n}}\n", output_type(0), name, arguments, body,
                       program.outputs[0].value);
  }
  std::string members, values;
  for (std::size_t k = 0; k < program.outputs.size(); ++k) {
    members += fmt::format("  {} {};\n", output_type(k), program.outputs[k].name);
    values += fmt::format("{}v{}", k == 0 ? "" : ", ", program.outputs[k].value);
  }
  return fmt::format("\nstruct {0}_result {{\n{1}}};\n\n{0}_result {0}({2}) {{\n{3}  return {0}_result({4});\n}}\n",
                     name, members, arguments, body, values);
}

}  // namespace alknet::compute
