#include "alknet/compute/generate/cpp_program.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "alknet/base/json.h"

namespace alknet::compute {
namespace {

using graph::Dtype;
using graph::expr::Instruction;
using graph::expr::Opcode;
using graph::expr::Program;

/// Names in simd-inl.h, and where the operation has a vector form.
struct CppOpcode {
  Opcode opcode;
  const char* name;
  bool float_vectors, word_vectors, i64_vectors, mask_vectors;
};
constexpr std::array kCppOpcodes = {
    CppOpcode{Opcode::kNegate, "Negate", true, true, true, false},
    CppOpcode{Opcode::kNot, "Not", false, false, false, true},
    CppOpcode{Opcode::kAdd, "Add", true, true, true, false},
    CppOpcode{Opcode::kSubtract, "Subtract", true, true, true, false},
    CppOpcode{Opcode::kMultiply, "Multiply", true, true, false, false},
    CppOpcode{Opcode::kDivide, "Divide", true, false, false, false},
    CppOpcode{Opcode::kRemainder, "Remainder", false, false, false, false},
    CppOpcode{Opcode::kLess, "Less", true, true, true, false},
    CppOpcode{Opcode::kLessEqual, "LessEqual", true, false, false, false},
    CppOpcode{Opcode::kGreater, "Greater", true, true, true, false},
    CppOpcode{Opcode::kGreaterEqual, "GreaterEqual", true, false, false, false},
    CppOpcode{Opcode::kEqual, "Equal", true, true, true, true},
    CppOpcode{Opcode::kNotEqual, "NotEqual", true, true, true, true},
    CppOpcode{Opcode::kAnd, "And", false, false, false, true},
    CppOpcode{Opcode::kOr, "Or", false, false, false, true},
    CppOpcode{Opcode::kSelect, "Select", true, true, true, true},
    CppOpcode{Opcode::kAbs, "Abs", true, true, false, false},
    CppOpcode{Opcode::kExp, "Exp", true, false, false, false},
    CppOpcode{Opcode::kLog, "Log", true, false, false, false},
    CppOpcode{Opcode::kSqrt, "Sqrt", true, false, false, false},
    CppOpcode{Opcode::kRsqrt, "Rsqrt", true, false, false, false},
    CppOpcode{Opcode::kTanh, "Tanh", true, false, false, false},
    CppOpcode{Opcode::kErf, "Erf", true, false, false, false},
    CppOpcode{Opcode::kMaximum, "Maximum", true, true, true, false},
    CppOpcode{Opcode::kMinimum, "Minimum", true, true, true, false},
    CppOpcode{Opcode::kIsNan, "IsNan", true, false, false, false},
    CppOpcode{Opcode::kSin, "Sin", true, false, false, false},
    CppOpcode{Opcode::kCos, "Cos", true, false, false, false},
    CppOpcode{Opcode::kTan, "Tan", true, false, false, false},
    CppOpcode{Opcode::kAsin, "Asin", true, false, false, false},
    CppOpcode{Opcode::kAcos, "Acos", true, false, false, false},
    CppOpcode{Opcode::kAtan, "Atan", true, false, false, false},
    CppOpcode{Opcode::kSinh, "Sinh", true, false, false, false},
    CppOpcode{Opcode::kCosh, "Cosh", true, false, false, false},
    CppOpcode{Opcode::kAsinh, "Asinh", true, false, false, false},
    CppOpcode{Opcode::kAcosh, "Acosh", true, false, false, false},
    CppOpcode{Opcode::kAtanh, "Atanh", true, false, false, false},
    CppOpcode{Opcode::kExp2, "Exp2", true, false, false, false},
    CppOpcode{Opcode::kExpm1, "Expm1", true, false, false, false},
    CppOpcode{Opcode::kLog2, "Log2", true, false, false, false},
    CppOpcode{Opcode::kLog10, "Log10", true, false, false, false},
    CppOpcode{Opcode::kLog1p, "Log1p", true, false, false, false},
    CppOpcode{Opcode::kFloor, "Floor", true, false, false, false},
    CppOpcode{Opcode::kCeil, "Ceil", true, false, false, false},
    CppOpcode{Opcode::kRound, "Round", true, false, false, false},
    CppOpcode{Opcode::kTrunc, "Trunc", true, false, false, false},
    CppOpcode{Opcode::kCopysign, "Copysign", true, false, false, false},
    CppOpcode{Opcode::kAtan2, "Atan2", true, false, false, false},
    CppOpcode{Opcode::kPow, "Pow", true, false, false, false},
    CppOpcode{Opcode::kErfc, "Erfc", false, false, false, false},
    CppOpcode{Opcode::kErfinv, "Erfinv", false, false, false, false},
    CppOpcode{Opcode::kLgamma, "Lgamma", false, false, false, false},
    CppOpcode{Opcode::kDigamma, "Digamma", false, false, false, false},
    CppOpcode{Opcode::kZeta, "Zeta", false, false, false, false},
    CppOpcode{Opcode::kShiftLeft, "ShiftLeft", false, false, false, false},
    CppOpcode{Opcode::kShiftRight, "ShiftRight", false, false, false, false},
    CppOpcode{Opcode::kBitAnd, "BitAnd", false, true, true, false},
    CppOpcode{Opcode::kBitOr, "BitOr", false, true, true, false},
    CppOpcode{Opcode::kBitXor, "BitXor", false, true, true, false},
    CppOpcode{Opcode::kBitNot, "BitNot", false, true, true, false},
};

/// Functions that Highway has in f64, but not to 4 ulp: f32 goes through them.
constexpr std::array kRoughInDouble = {Opcode::kTan, Opcode::kCosh, Opcode::kExp2, Opcode::kAtan2, Opcode::kPow};

const CppOpcode& cpp_opcode(Opcode opcode) {
  return *std::find_if(kCppOpcodes.begin(), kCppOpcodes.end(), [&](const auto& row) { return row.opcode == opcode; });
}

/// The dtype that an operation computes on: that of its values, not of a comparison's result.
Dtype operand_dtype(const Program& program, const Instruction& step) {
  switch (step.opcode) {
    case Opcode::kConstant:
    case Opcode::kVariable:
    case Opcode::kCast:
    case Opcode::kSelect: return step.dtype;
    default: return program.instructions[step.arguments[0]].dtype;
  }
}

/// Bytes of a lane; 0 for bool, which takes the width of the others.
std::size_t lane_bytes(Dtype dtype) {
  if (dtype == Dtype::kBool) return 0;
  return dtype == Dtype::kI64 || dtype == Dtype::kF64 ? 8 : 4;
}

bool has_vector_form(const Program& program, const Instruction& step) {
  if (step.opcode == Opcode::kConstant || step.opcode == Opcode::kVariable) return true;
  if (step.opcode == Opcode::kCast) return program.instructions[step.arguments[0]].dtype == step.dtype;
  const CppOpcode& row = cpp_opcode(step.opcode);
  const Dtype dtype = operand_dtype(program, step);
  if (dtype == Dtype::kBool) return row.mask_vectors;
  const bool rough = std::find(kRoughInDouble.begin(), kRoughInDouble.end(), step.opcode) != kRoughInDouble.end();
  if (graph::is_float(dtype)) return row.float_vectors && !(rough && dtype == Dtype::kF64);
  return dtype == Dtype::kI64 ? row.i64_vectors : row.word_vectors;
}

std::string literal(double value, Dtype dtype) {
  const std::string type = cpp_type(dtype);
  if (dtype == Dtype::kBool) return value != 0 ? "true" : "false";
  if (value != value) return fmt::format("std::numeric_limits<{}>::quiet_NaN()", type);
  if (value == std::numeric_limits<double>::infinity()) return fmt::format("std::numeric_limits<{}>::infinity()", type);
  if (value == -std::numeric_limits<double>::infinity())
    return fmt::format("-std::numeric_limits<{}>::infinity()", type);
  return graph::is_float(dtype) ? fmt::format("static_cast<{}>({})", type, number_text(value))
                                : fmt::format("static_cast<{}>({})", type, static_cast<std::int64_t>(value));
}

}  // namespace

std::string cpp_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::kBool: return "bool";
    case Dtype::kI8: return "std::int8_t";
    case Dtype::kU8: return "std::uint8_t";
    case Dtype::kI32: return "std::int32_t";
    case Dtype::kU32: return "std::uint32_t";
    case Dtype::kI64: return "std::int64_t";
    case Dtype::kF64: return "double";
    default: return "float";
  }
}

std::string cpp_tag(const Program& program) {
  std::size_t width = 0;
  for (const Instruction& step : program.instructions) {
    const std::size_t bytes = lane_bytes(step.dtype);
    if (!has_vector_form(program, step) || (bytes != 0 && width != 0 && bytes != width)) return "ScalarTag()";
    width = std::max(width, bytes);
  }
  return fmt::format("VectorTag<{}>()", width == 0 ? 4 : width);
}

std::string print_steps(const Program& program, const CppVariables& variables, const std::string& indent) {
  std::string text;
  for (std::size_t i = 0; i < program.instructions.size(); ++i) {
    const Instruction& step = program.instructions[i];
    const std::string type = cpp_type(operand_dtype(program, step));
    std::string value;
    switch (step.opcode) {
      case Opcode::kConstant:
        value = fmt::format("Constant<{}>(tag, {})", type, literal(step.constant, step.dtype));
        break;
      case Opcode::kVariable: value = variables[step.index]; break;
      case Opcode::kCast: value = fmt::format("Cast<{}>(v{})", type, step.arguments[0]); break;
      default: {
        // Qualified, or a look-up by argument would find Highway's function of that name as well.
        value = fmt::format("HWY_NAMESPACE::{}<{}>(", cpp_opcode(step.opcode).name, type);
        for (std::size_t a = 0; a < graph::expr::opcode_info(step.opcode).arity; ++a) {
          value += fmt::format("{}v{}", a == 0 ? "" : ", ", step.arguments[a]);
        }
        value += ')';
      }
    }
    text += fmt::format("{}const auto v{} = {};\n", indent, i, value);
  }
  return text;
}

std::string cpp_opcode_name(Opcode opcode) { return cpp_opcode(opcode).name; }

}  // namespace alknet::compute
