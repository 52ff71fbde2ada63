#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

#include "alknet/graph/expr/program.h"
#include "alknet/graph/expr/scalar.h"
#include "alknet/graph/expr/special.h"

namespace alknet::graph::expr {
namespace {

struct IntegerRange {
  std::int64_t min, max;
};

IntegerRange integer_range(Dtype dtype) {
  switch (dtype) {
    case Dtype::kI8: return {std::numeric_limits<std::int8_t>::min(), std::numeric_limits<std::int8_t>::max()};
    case Dtype::kU8: return {0, std::numeric_limits<std::uint8_t>::max()};
    case Dtype::kI32: return {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    case Dtype::kU32: return {0, std::numeric_limits<std::uint32_t>::max()};
    default: return {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
  }
}

/// Truncates towards zero; saturates to the range; NaN gives 0.
std::int64_t saturate(double value, IntegerRange range) {
  if (std::isnan(value)) return 0;
  if (value <= static_cast<double>(range.min)) return range.min;
  if (value >= static_cast<double>(range.max)) return range.max;
  return static_cast<std::int64_t>(value);
}

std::int64_t exact(double value) { return saturate(value, integer_range(Dtype::kI64)); }

std::int64_t wrap(std::int64_t value, Dtype dtype) {
  switch (dtype) {
    case Dtype::kI8: return static_cast<std::int8_t>(value);
    case Dtype::kU8: return static_cast<std::uint8_t>(value);
    case Dtype::kI32: return static_cast<std::int32_t>(value);
    case Dtype::kU32: return static_cast<std::uint32_t>(value);
    default: return value;
  }
}

/// Whether a shift by `count` leaves bits of a number of that dtype.
bool shifts(std::int64_t count, Dtype dtype) {
  return count >= 0 && count < static_cast<std::int64_t>(8 * dtype_bytes(dtype));
}

double truth(bool value) { return value ? 1.0 : 0.0; }

/// What differs between integers and floats: arithmetic of one step. Unsigned intermediate results wrap in 64 bits,
/// of which the narrower dtypes keep the low ones.
double integer_arithmetic(Opcode opcode, Dtype dtype, std::int64_t a, std::int64_t b) {
  const auto ua = static_cast<std::uint64_t>(a);
  const auto ub = static_cast<std::uint64_t>(b);
  std::int64_t result = 0;
  switch (opcode) {
    case Opcode::kNegate: result = static_cast<std::int64_t>(0 - ua); break;
    case Opcode::kAbs: result = a < 0 ? static_cast<std::int64_t>(0 - ua) : a; break;
    case Opcode::kAdd: result = static_cast<std::int64_t>(ua + ub); break;
    case Opcode::kSubtract: result = static_cast<std::int64_t>(ua - ub); break;
    case Opcode::kMultiply: result = static_cast<std::int64_t>(ua * ub); break;
    case Opcode::kDivide:
      // -1 apart: the smallest integer divided by it overflows.
      result = b == 0 ? a : b == -1 ? static_cast<std::int64_t>(0 - ua) : a / b;
      break;
    case Opcode::kRemainder: result = b == 0 || b == -1 ? 0 : a % b; break;
    case Opcode::kPow: result = integer_power(a, b); break;
    case Opcode::kBitAnd: result = a & b; break;
    case Opcode::kBitOr: result = a | b; break;
    case Opcode::kBitXor: result = a ^ b; break;
    case Opcode::kBitNot: result = ~a; break;
    case Opcode::kShiftLeft: result = shifts(b, dtype) ? static_cast<std::int64_t>(ua << ub) : 0; break;
    case Opcode::kShiftRight: result = shifts(b, dtype) ? a >> b : a < 0 ? -1 : 0; break;
    default: break;
  }
  return static_cast<double>(wrap(result, dtype));
}

double float_arithmetic(Opcode opcode, double a, double b) {
  switch (opcode) {
    case Opcode::kNegate: return -a;
    case Opcode::kAbs: return std::fabs(a);
    case Opcode::kAdd: return a + b;
    case Opcode::kSubtract: return a - b;
    case Opcode::kMultiply: return a * b;
    case Opcode::kDivide: return a / b;
    case Opcode::kRemainder: return std::fmod(a, b);
    case Opcode::kExp: return std::exp(a);
    case Opcode::kLog: return std::log(a);
    case Opcode::kSqrt: return std::sqrt(a);
    case Opcode::kRsqrt: return 1.0 / std::sqrt(a);
    case Opcode::kTanh: return std::tanh(a);
    case Opcode::kErf: return std::erf(a);
    case Opcode::kSin: return std::sin(a);
    case Opcode::kCos: return std::cos(a);
    case Opcode::kTan: return std::tan(a);
    case Opcode::kAsin: return std::asin(a);
    case Opcode::kAcos: return std::acos(a);
    case Opcode::kAtan: return std::atan(a);
    case Opcode::kSinh: return std::sinh(a);
    case Opcode::kCosh: return std::cosh(a);
    case Opcode::kAsinh: return std::asinh(a);
    case Opcode::kAcosh: return std::acosh(a);
    case Opcode::kAtanh: return std::atanh(a);
    case Opcode::kExp2: return std::exp2(a);
    case Opcode::kExpm1: return std::expm1(a);
    case Opcode::kLog2: return std::log2(a);
    case Opcode::kLog10: return std::log10(a);
    case Opcode::kLog1p: return std::log1p(a);
    case Opcode::kErfc: return std::erfc(a);
    case Opcode::kErfinv: return erfinv(a);
    case Opcode::kLgamma: return lgamma(a);
    case Opcode::kDigamma: return digamma(a);
    case Opcode::kFloor: return std::floor(a);
    case Opcode::kCeil: return std::ceil(a);
    case Opcode::kRound: return std::nearbyint(a);
    case Opcode::kTrunc: return std::trunc(a);
    case Opcode::kAtan2: return std::atan2(a, b);
    case Opcode::kPow: return std::pow(a, b);
    case Opcode::kCopysign: return std::copysign(a, b);
    case Opcode::kZeta: return hurwitz_zeta(a, b);
    default: return 0.0;
  }
}

}  // namespace

double convert(double value, Dtype from, Dtype to) {
  switch (dtype_class(to)) {
    case DtypeClass::kBool: return truth(value != 0.0);
    case DtypeClass::kInteger:
      if (is_float(from)) return static_cast<double>(saturate(value, integer_range(to)));
      return static_cast<double>(wrap(exact(value), to));
    case DtypeClass::kFloat: return value;
  }
  return value;
}

double apply(Opcode opcode, Dtype operand, std::span<const double> arguments) {
  const double a = arguments[0];
  const double b = arguments.size() > 1 ? arguments[1] : 0.0;
  switch (opcode) {
    case Opcode::kNot: return truth(a == 0.0);
    case Opcode::kLess: return truth(a < b);
    case Opcode::kLessEqual: return truth(a <= b);
    case Opcode::kGreater: return truth(a > b);
    case Opcode::kGreaterEqual: return truth(a >= b);
    case Opcode::kEqual: return truth(a == b);
    case Opcode::kNotEqual: return truth(a != b);
    case Opcode::kAnd: return truth(a != 0.0 && b != 0.0);
    case Opcode::kOr: return truth(a != 0.0 || b != 0.0);
    case Opcode::kSelect: return a != 0.0 ? b : arguments[2];
    case Opcode::kIsNan: return truth(std::isnan(a));
    case Opcode::kMaximum: return std::isnan(a) || a > b ? a : b;
    case Opcode::kMinimum: return std::isnan(a) || a < b ? a : b;
    default: break;
  }
  if (is_float(operand)) return float_arithmetic(opcode, a, b);
  return integer_arithmetic(opcode, operand, exact(a), exact(b));
}

std::vector<double> evaluate(const Program& program, std::span<const double> values) {
  std::vector<double> results;
  results.reserve(program.instructions.size());
  for (const Instruction& step : program.instructions) {
    std::array<double, 3> arguments{};
    const std::size_t arity = opcode_info(step.opcode).arity;
    for (std::size_t i = 0; i < arity; ++i) arguments[i] = results[step.arguments[i]];
    switch (step.opcode) {
      case Opcode::kConstant: results.push_back(step.constant); break;
      case Opcode::kVariable:
        results.push_back(step.dtype == Dtype::kBool ? truth(values[step.index] != 0) : values[step.index]);
        break;
      case Opcode::kCast:
        results.push_back(convert(arguments[0], program.instructions[step.arguments[0]].dtype, step.dtype));
        break;
      default: {
        const Dtype operand =
            step.opcode == Opcode::kSelect ? step.dtype : program.instructions[step.arguments[0]].dtype;
        results.push_back(apply(step.opcode, operand, std::span(arguments).first(arity)));
      }
    }
  }
  std::vector<double> outputs;
  for (const auto& output : program.outputs) outputs.push_back(results[output.value]);
  return outputs;
}

std::int64_t coordinate_value(std::int8_t coordinate, std::int64_t linear, std::span<const std::int64_t> sizes) {
  if (coordinate == kLinearIndex) return linear;
  const auto from_end = static_cast<std::size_t>(-coordinate);
  if (from_end > sizes.size()) return 0;
  for (std::size_t d = 1; d < from_end; ++d) linear /= sizes[sizes.size() - d];
  return linear % sizes[sizes.size() - from_end];
}

}  // namespace alknet::graph::expr
