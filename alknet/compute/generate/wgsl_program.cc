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

/// A literal. WGSL refuses constant expressions that are not finite, so those are made from bits at run time; so are
/// the ends of the range, whose decimals may lie outside of it.
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
  const bool inside = std::fabs(narrow) < std::numeric_limits<float>::max();
  if (!inside || (narrow == 0 && std::signbit(narrow))) {
    return fmt::format("from_bits({:#x}u)", std::bit_cast<std::uint32_t>(narrow));
  }
  // All digits: rounded up, the largest number would be none.
  return fmt::format("f32({:.17g})", static_cast<double>(narrow));
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
  bool keeps_zero = false;  ///< f(-0) is -0, which the f32 function need not see to.
};
constexpr Call kCalls[] = {
    {Opcode::kAbs, "abs", "abs"},
    {Opcode::kExp, "exp", {}},
    {Opcode::kLog, "log", {}},
    {Opcode::kSqrt, "sqrt", {}},
    {Opcode::kRsqrt, "inverseSqrt", {}},
    {Opcode::kTanh, "safe_tanh", {}, true},
    {Opcode::kErf, "erf", {}},
    {Opcode::kMaximum, "nan_max", "max"},
    {Opcode::kMinimum, "nan_min", "min"},
    {Opcode::kSin, "safe_sin", {}, true},
    {Opcode::kCos, "safe_cos", {}},
    {Opcode::kTan, "safe_tan", {}, true},
    {Opcode::kAsin, "safe_asin", {}, true},
    {Opcode::kAcos, "safe_acos", {}},
    {Opcode::kAtan, "safe_atan", {}, true},
    {Opcode::kSinh, "safe_sinh", {}, true},
    {Opcode::kCosh, "safe_cosh", {}},
    {Opcode::kAsinh, "safe_asinh", {}, true},
    {Opcode::kAcosh, "safe_acosh", {}},
    {Opcode::kAtanh, "safe_atanh", {}, true},
    {Opcode::kExp2, "safe_exp2", {}},
    {Opcode::kExpm1, "expm1", {}},
    {Opcode::kLog2, "safe_log2", {}},
    {Opcode::kLog10, "log10", {}},
    {Opcode::kLog1p, "log1p", {}},
    {Opcode::kErfc, "erfc", {}},
    {Opcode::kErfinv, "erfinv", {}},
    {Opcode::kLgamma, "lgamma", {}},
    {Opcode::kDigamma, "digamma", {}},
    {Opcode::kFloor, "floor", {}},
    {Opcode::kCeil, "ceil", {}},
    {Opcode::kRound, "round", {}},
    {Opcode::kTrunc, "trunc", {}},
    {Opcode::kAtan2, "safe_atan2", {}},
    {Opcode::kCopysign, "copysign", {}},
    {Opcode::kZeta, "hurwitz_zeta", {}},
    {Opcode::kPow, "float_pow", "integer_pow"},
    {Opcode::kShiftLeft, {}, "shift_left"},
    {Opcode::kShiftRight, {}, "shift_right"},
};

struct Infix {
  Opcode opcode;
  std::string_view text;
};
constexpr Infix kInfix[] = {
    {Opcode::kAdd, "+"},           {Opcode::kSubtract, "-"}, {Opcode::kMultiply, "*"},   {Opcode::kDivide, "/"},
    {Opcode::kRemainder, "%"},     {Opcode::kLess, "<"},     {Opcode::kLessEqual, "<="}, {Opcode::kGreater, ">"},
    {Opcode::kGreaterEqual, ">="}, {Opcode::kEqual, "=="},   {Opcode::kAnd, "&&"},       {Opcode::kOr, "||"},
    {Opcode::kBitAnd, "&"},        {Opcode::kBitOr, "|"},    {Opcode::kBitXor, "^"},
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
    case Opcode::kBitNot: return "~" + argument(0);
    case Opcode::kRemainder:
      if (step.dtype == Dtype::kF32) return fmt::format("float_remainder({}, {})", argument(0), argument(1));
      if (type_name(step.dtype) == "i32") return fmt::format("i32_remainder({}, {})", argument(0), argument(1));
      break;
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
    std::string name(step.dtype == Dtype::kF32 ? call.f32 : call.integer);
    if (name.empty()) break;
    if (name.find('_') != name.npos && step.dtype != Dtype::kF32) name += fmt::format("_{}", type_name(step.dtype));
    const bool two = graph::expr::opcode_info(step.opcode).arity == 2;
    if (two) return fmt::format("{}({}, {})", name, argument(0), argument(1));
    const std::string value = fmt::format("{}({})", name, argument(0));
    return call.keeps_zero ? fmt::format("keep_zero({}, {})", argument(0), value) : value;
  }
  throw Error(ComputeError::kUnsupported,
              fmt::format("WGSL has no `{}` of {}; use .to('cpu')", graph::expr::opcode_info(step.opcode).spelling,
                          graph::dtype_name(step.dtype)));
}

}  // namespace

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
