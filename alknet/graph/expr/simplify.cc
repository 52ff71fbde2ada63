#include "alknet/graph/expr/simplify.h"

#include <cmath>
#include <vector>

#include "alknet/graph/expr/scalar.h"

namespace alknet::graph::expr {

Operand StepBuilder::constant(double number, Dtype dtype) {
  if (dtype == Dtype::kBool) return typer_.boolean(number != 0);
  return typer_.cast(dtype, Typer::literal(number, std::trunc(number) == number), {});
}

std::optional<double> StepBuilder::known(const Operand& value) const {
  const Instruction& step = typer_.instruction(value);
  if (step.opcode != Opcode::kConstant) return std::nullopt;
  return step.constant;
}

Operand StepBuilder::append(Opcode opcode, std::span<const Operand> arguments) {
  std::array<double, 3> numbers{};
  bool all_known = true;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto number = known(arguments[i]);
    all_known = all_known && number;
    numbers[i] = number.value_or(0);
  }
  if (!all_known) return typer_.step(opcode, arguments, {});
  const Dtype operand = dtype(arguments.back());
  const double result = apply(opcode, operand, std::span(numbers).first(arguments.size()));
  return constant(result, opcode_info(opcode).yields_bool ? Dtype::kBool : operand);
}

Operand StepBuilder::unary(Opcode opcode, const Operand& a) {
  const Instruction& step = typer_.instruction(a);
  const bool undoes = step.opcode == opcode && (opcode == Opcode::kNegate || opcode == Opcode::kNot);
  if (undoes) return Operand{false, false, 0, step.arguments[0]};
  return append(opcode, std::array{a});
}

std::optional<Operand> StepBuilder::identity(Opcode opcode, const Operand& a, const Operand& b) {
  // Of floats 0 + x, x + 0, 0 - x and 0 * x depend on x being -0, infinite or NaN.
  const bool zeros = exactness_ == Exactness::kDerivative || !is_float(dtype(a));
  switch (opcode) {
    case Opcode::kAdd:
      if (zeros && is(a, 0)) return b;
      if (zeros && is(b, 0)) return a;
      break;
    case Opcode::kSubtract:
      if (is(b, 0) && (zeros || !std::signbit(*known(b)))) return a;
      if (zeros && is(a, 0)) return unary(Opcode::kNegate, b);
      break;
    case Opcode::kMultiply:
      if (is(b, 1)) return a;
      if (is(a, 1)) return b;
      if (zeros && is(a, 0)) return a;
      if (zeros && is(b, 0)) return b;
      if (is(a, -1)) return unary(Opcode::kNegate, b);
      if (is(b, -1)) return unary(Opcode::kNegate, a);
      break;
    case Opcode::kDivide:
      if (is(b, 1)) return a;
      if (exactness_ == Exactness::kDerivative && is(a, 0) && is_float(dtype(a))) return a;
      break;
    case Opcode::kPow:
      if (is(b, 1)) return a;
      if (is(b, 2)) return binary(Opcode::kMultiply, a, a);
      break;
    case Opcode::kAnd:
      if (is(a, 0) || is(b, 1)) return a;
      if (is(b, 0) || is(a, 1)) return b;
      break;
    case Opcode::kOr:
      if (is(a, 1) || is(b, 0)) return a;
      if (is(b, 1) || is(a, 0)) return b;
      break;
    default: break;
  }
  return std::nullopt;
}

Operand StepBuilder::binary(Opcode opcode, const Operand& a, const Operand& b) {
  const bool both_known = known(a) && known(b);
  if (!both_known) {
    if (const auto same = identity(opcode, a, b)) return *same;
  }
  return append(opcode, std::array{a, b});
}

Operand StepBuilder::select(const Operand& condition, const Operand& if_true, const Operand& if_false) {
  const Instruction& test = typer_.instruction(condition);
  if (test.opcode == Opcode::kNot) {
    return select(Operand{false, false, 0, test.arguments[0]}, if_false, if_true);
  }
  return typer_.step(Opcode::kSelect, std::array{condition, if_true, if_false}, {});
}

Operand StepBuilder::repeat(const Instruction& instruction, std::span<const Operand> arguments) {
  switch (instruction.opcode) {
    case Opcode::kConstant: return constant(instruction.constant, instruction.dtype);
    case Opcode::kCast: return cast(instruction.dtype, arguments[0]);
    case Opcode::kSelect: return select(arguments[0], arguments[1], arguments[2]);
    default: break;
  }
  if (arguments.size() == 1) return unary(instruction.opcode, arguments[0]);
  return binary(instruction.opcode, arguments[0], arguments[1]);
}

Program simplify(const Program& program, std::span<const std::optional<double>> known, Exactness exactness) {
  StepBuilder builder(program.variables, exactness);
  std::vector<Operand> values;
  for (const Instruction& step : program.instructions) {
    if (step.opcode == Opcode::kVariable) {
      const auto number = step.index < known.size() ? known[step.index] : std::nullopt;
      values.push_back(number ? builder.constant(*number, step.dtype) : builder.variable(step.index));
      continue;
    }
    std::array<Operand, 3> arguments;
    const std::size_t arity = opcode_info(step.opcode).arity;
    for (std::size_t i = 0; i < arity; ++i) arguments[i] = values[step.arguments[i]];
    values.push_back(builder.repeat(step, std::span(arguments).first(arity)));
  }
  for (const auto& output : program.outputs) builder.output(output.name, values[output.value]);
  return std::move(builder).finish();
}

}  // namespace alknet::graph::expr
