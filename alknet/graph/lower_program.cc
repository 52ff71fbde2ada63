#include "alknet/graph/lower_program.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "alknet/graph/error.h"

namespace alknet::graph {
namespace {

using expr::Instruction;
using expr::Opcode;

/// The operation that does a step.
struct OpcodeOp {
  Opcode opcode;
  std::string_view op;
};
constexpr std::array kOps = {
    OpcodeOp{Opcode::kNegate, "neg"},
    OpcodeOp{Opcode::kNot, "logical_not"},
    OpcodeOp{Opcode::kAdd, "add"},
    OpcodeOp{Opcode::kSubtract, "sub"},
    OpcodeOp{Opcode::kMultiply, "mul"},
    OpcodeOp{Opcode::kDivide, "div"},
    OpcodeOp{Opcode::kLess, "lt"},
    OpcodeOp{Opcode::kLessEqual, "le"},
    OpcodeOp{Opcode::kGreater, "gt"},
    OpcodeOp{Opcode::kGreaterEqual, "ge"},
    OpcodeOp{Opcode::kEqual, "eq"},
    OpcodeOp{Opcode::kNotEqual, "ne"},
    OpcodeOp{Opcode::kAnd, "logical_and"},
    OpcodeOp{Opcode::kOr, "logical_or"},
    OpcodeOp{Opcode::kSelect, "where"},
    OpcodeOp{Opcode::kAbs, "abs"},
    OpcodeOp{Opcode::kExp, "exp"},
    OpcodeOp{Opcode::kLog, "log"},
    OpcodeOp{Opcode::kSqrt, "sqrt"},
    OpcodeOp{Opcode::kRsqrt, "rsqrt"},
    OpcodeOp{Opcode::kTanh, "tanh"},
    OpcodeOp{Opcode::kErf, "erf"},
    OpcodeOp{Opcode::kMaximum, "maximum"},
    OpcodeOp{Opcode::kMinimum, "minimum"},
    OpcodeOp{Opcode::kIsNan, "isnan"},
    OpcodeOp{Opcode::kSin, "sin"},
    OpcodeOp{Opcode::kCos, "cos"},
    OpcodeOp{Opcode::kTan, "tan"},
    OpcodeOp{Opcode::kAsin, "asin"},
    OpcodeOp{Opcode::kAcos, "acos"},
    OpcodeOp{Opcode::kAtan, "atan"},
    OpcodeOp{Opcode::kSinh, "sinh"},
    OpcodeOp{Opcode::kCosh, "cosh"},
    OpcodeOp{Opcode::kAsinh, "asinh"},
    OpcodeOp{Opcode::kAcosh, "acosh"},
    OpcodeOp{Opcode::kAtanh, "atanh"},
    OpcodeOp{Opcode::kExp2, "exp2"},
    OpcodeOp{Opcode::kExpm1, "expm1"},
    OpcodeOp{Opcode::kLog2, "log2"},
    OpcodeOp{Opcode::kLog10, "log10"},
    OpcodeOp{Opcode::kLog1p, "log1p"},
    OpcodeOp{Opcode::kErfc, "erfc"},
    OpcodeOp{Opcode::kErfinv, "erfinv"},
    OpcodeOp{Opcode::kLgamma, "lgamma"},
    OpcodeOp{Opcode::kDigamma, "digamma"},
    OpcodeOp{Opcode::kFloor, "floor"},
    OpcodeOp{Opcode::kCeil, "ceil"},
    OpcodeOp{Opcode::kRound, "round"},
    OpcodeOp{Opcode::kTrunc, "trunc"},
    OpcodeOp{Opcode::kAtan2, "atan2"},
    OpcodeOp{Opcode::kPow, "pow"},
    OpcodeOp{Opcode::kCopysign, "copysign"},
    OpcodeOp{Opcode::kZeta, "zeta"},
    OpcodeOp{Opcode::kRemainder, "fmod"},
    OpcodeOp{Opcode::kBitAnd, "bitwise_and"},
    OpcodeOp{Opcode::kBitOr, "bitwise_or"},
    OpcodeOp{Opcode::kBitXor, "bitwise_xor"},
    OpcodeOp{Opcode::kBitNot, "bitwise_not"},
    OpcodeOp{Opcode::kShiftLeft, "bitwise_left_shift"},
    OpcodeOp{Opcode::kShiftRight, "bitwise_right_shift"},
};

std::string_view op_of(const Instruction& step, Dtype operand) {
  const auto found =
      std::find_if(kOps.begin(), kOps.end(), [&](const OpcodeOp& row) { return row.opcode == step.opcode; });
  const bool integer_division = step.opcode == Opcode::kDivide && !is_float(operand);
  if (found == kOps.end() || integer_division) {
    throw Error(GraphError::kNotDifferentiable,
                fmt::format("a gradient needs \"{}\" of {}, which no operation does; write the expression without it",
                            expr::opcode_info(step.opcode).spelling, dtype_name(operand)));
  }
  return found->op;
}

Ref literal(const Instruction& step) {
  switch (dtype_class(step.dtype)) {
    case DtypeClass::kBool: return {{}, 0, Scalar::of(step.constant != 0)};
    case DtypeClass::kInteger: return {{}, 0, Scalar::of(static_cast<std::int64_t>(step.constant))};
    case DtypeClass::kFloat: break;
  }
  return {{}, 0, Scalar::of(step.constant)};
}

}  // namespace

Ref lower_program(NodeWriter& writer, const expr::Program& program, const std::function<Ref(std::size_t)>& read) {
  std::vector<Ref> values;
  for (const Instruction& step : program.instructions) {
    if (step.opcode == Opcode::kConstant) {
      values.push_back(literal(step));
    } else if (step.opcode == Opcode::kVariable) {
      values.push_back(read(step.index));
    } else if (step.opcode == Opcode::kCast) {
      values.push_back(writer.cast(values[step.arguments[0]], step.dtype));
    } else {
      std::vector<Ref> operands;
      for (std::size_t a = 0; a < expr::opcode_info(step.opcode).arity; ++a) {
        operands.push_back(values[step.arguments[a]]);
      }
      // Two scalars would decide the dtype of `where`.
      if (step.opcode == Opcode::kSelect && operands[1].scalar && operands[2].scalar) {
        operands[1] = writer.number(operands[1].scalar->number, step.dtype);
      }
      values.push_back(writer.node(op_of(step, program.instructions[step.arguments[0]].dtype), operands));
    }
  }
  const Ref& result = values[program.outputs[0].value];
  const Dtype dtype = program.instructions[program.outputs[0].value].dtype;
  return result.scalar ? writer.number(result.scalar->number, dtype) : result;
}

}  // namespace alknet::graph
