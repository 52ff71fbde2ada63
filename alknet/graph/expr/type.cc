#include "alknet/graph/expr/type.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include "alknet/graph/expr/scalar.h"

namespace alknet::graph::expr {
namespace {

/// Bounds what a hostile source may cost later (register pressure, shader size).
constexpr std::size_t kMaxInstructions = 4096;

/// Integers beyond are not exact in double.
constexpr double kMaxInteger = 9007199254740992.0;

bool logical(Opcode opcode) { return opcode == Opcode::kNot || opcode == Opcode::kAnd || opcode == Opcode::kOr; }
bool equality(Opcode opcode) { return opcode == Opcode::kEqual || opcode == Opcode::kNotEqual; }

bool orders(Opcode opcode) {
  return opcode == Opcode::kLess || opcode == Opcode::kLessEqual || opcode == Opcode::kGreater ||
         opcode == Opcode::kGreaterEqual;
}

bool rounds(Opcode opcode) {
  return opcode == Opcode::kFloor || opcode == Opcode::kCeil || opcode == Opcode::kRound || opcode == Opcode::kTrunc;
}

/// The opcode that arithmetic or a bit operation on bool is: sums and maxima are or, products and minima and.
Opcode logical_form(Opcode opcode) {
  switch (opcode) {
    case Opcode::kMultiply:
    case Opcode::kMinimum:
    case Opcode::kBitAnd: return Opcode::kAnd;
    case Opcode::kAdd:
    case Opcode::kMaximum:
    case Opcode::kBitOr: return Opcode::kOr;
    case Opcode::kBitXor: return Opcode::kNotEqual;
    case Opcode::kBitNot: return Opcode::kNot;
    default: return opcode;
  }
}

std::string_view spelling(Opcode opcode) { return opcode_info(opcode).spelling; }

}  // namespace

Typer::Typer(std::span<const Variable> variables, Dtype literal_dtype) : literal_dtype_(compute_dtype(literal_dtype)) {
  for (const auto& variable : variables) {
    program_.variables.push_back(
        {variable.name, compute_dtype(variable.dtype), variable.parameter, variable.coordinate});
  }
}

Operand Typer::append(Instruction instruction, const Position& at) {
  const Key key{instruction.opcode,
                instruction.dtype,
                instruction.arguments[0],
                instruction.arguments[1],
                instruction.arguments[2],
                instruction.index,
                std::bit_cast<std::uint64_t>(instruction.constant)};
  const auto [place, added] = known_.try_emplace(key, static_cast<std::uint32_t>(program_.instructions.size()));
  if (added) {
    if (program_.instructions.size() == kMaxInstructions) {
      fail(at, fmt::format("the expression needs more than {} steps; split it", kMaxInstructions));
    }
    program_.instructions.push_back(instruction);
  }
  return {false, false, 0, place->second};
}

Operand Typer::constant(double number, Dtype dtype, const Position& at) {
  Instruction instruction;
  instruction.dtype = dtype;
  instruction.constant = number;
  return append(instruction, at);
}

Operand Typer::boolean(bool value) { return constant(value ? 1 : 0, Dtype::kBool, {}); }

Operand Typer::variable(std::size_t index) {
  Instruction instruction;
  instruction.opcode = Opcode::kVariable;
  instruction.dtype = program_.variables[index].dtype;
  instruction.index = static_cast<std::uint32_t>(index);
  return append(instruction, {});
}

Operand Typer::coordinate(std::int8_t which) {
  auto& variables = program_.variables;
  const auto found =
      std::find_if(variables.begin(), variables.end(), [&](const Variable& v) { return v.coordinate == which; });
  const auto index = static_cast<std::size_t>(found - variables.begin());
  if (found == variables.end()) {
    const std::string name = which == kLinearIndex ? "index_linear" : fmt::format("index_{}", -which);
    variables.push_back({name, Dtype::kI64, false, which});
  }
  return variable(index);
}

Operand Typer::give_dtype(const Operand& value, Dtype to, const Position& at) {
  if (!value.literal) return value;
  switch (dtype_class(to)) {
    case DtypeClass::kBool: fail(at, "a number meets a bool here; write true, false or a comparison"); break;
    case DtypeClass::kInteger:
      if (!value.integer) {
        fail(at, fmt::format("the literal {} meets an {}; cast the other operand, f32(...), or write an integer",
                             value.number, dtype_name(to)));
      }
      if (convert(value.number, Dtype::kF64, to) != value.number) {
        fail(at, fmt::format("the literal {:.0f} does not fit {}", value.number, dtype_name(to)));
      }
      break;
    case DtypeClass::kFloat: break;
  }
  return constant(value.number, to, at);
}

Operand Typer::cast(Dtype to, const Operand& value, const Position& at) {
  if (compute_dtype(to) != to) {
    fail(at, fmt::format("{} is for storage only: expressions compute in f32", dtype_name(to)));
  }
  if (value.literal) return constant(convert(value.number, Dtype::kF64, to), to, at);
  const Instruction& source = program_.instructions[value.instruction];
  if (source.dtype == to) return value;
  // A float constant is not rounded to its dtype here, so only casts that do not depend on that rounding are folded.
  if (source.opcode == Opcode::kConstant && !(is_float(source.dtype) && is_float(to))) {
    return constant(convert(source.constant, source.dtype, to), to, at);
  }
  Instruction instruction;
  instruction.opcode = Opcode::kCast;
  instruction.dtype = to;
  instruction.arguments[0] = value.instruction;
  return append(instruction, at);
}

std::optional<Dtype> Typer::common_dtype(std::span<const Operand> arguments, const Position& at) const {
  std::optional<Dtype> common;
  for (const auto& argument : arguments) {
    if (argument.literal) continue;
    if (common && *common != dtype(argument)) {
      fail(at, fmt::format("{0} meets {1} here; cast one, for example {0}(...)", dtype_name(*common),
                           dtype_name(dtype(argument))));
    }
    common = dtype(argument);
  }
  return common;
}

void Typer::check_operands(Opcode opcode, Dtype operand, const Position& at) const {
  const bool is_bool = operand == Dtype::kBool;
  if (logical(opcode)) {
    if (!is_bool) {
      fail(at, fmt::format("'{}' needs bool but gets {}; compare with 0", spelling(opcode), dtype_name(operand)));
    }
  } else if (is_bool && !equality(opcode)) {
    fail(at, fmt::format("'{}' does not work on bool; cast it, for example f32(...)", spelling(opcode)));
  } else if (opcode_info(opcode).needs_float && !is_float(operand)) {
    fail(at, fmt::format("'{}' needs a float but gets {}; cast it, f32(...)", spelling(opcode), dtype_name(operand)));
  } else if (opcode_info(opcode).needs_integer && is_float(operand)) {
    fail(at, fmt::format("'{}' needs an integer but gets {}", spelling(opcode), dtype_name(operand)));
  }
}

Operand Typer::fold(Opcode opcode, std::span<const Operand> literals, const Position& at) {
  if (logical(opcode)) fail(at, fmt::format("'{}' needs bool but gets a number", spelling(opcode)));
  std::array<double, 3> numbers{};
  for (std::size_t i = 0; i < literals.size(); ++i) numbers[i] = literals[i].number;
  const bool integers = std::all_of(literals.begin(), literals.end(), [](const Operand& o) { return o.integer; });
  const bool divides = opcode == Opcode::kDivide || opcode == Opcode::kRemainder;
  if (integers && divides && numbers[1] == 0) fail(at, "division of an integer literal by zero");
  if (integers && opcode == Opcode::kDivide && std::fmod(numbers[0], numbers[1]) != 0) {
    fail(at, fmt::format("{0:.0f} / {1:.0f} is not an integer; write {0:.0f}.0 / {1:.0f}", numbers[0], numbers[1]));
  }
  const bool bits = opcode_info(opcode).needs_integer;
  if (bits && !integers) fail(at, fmt::format("'{}' needs integers", spelling(opcode)));
  double result = apply(opcode, bits ? Dtype::kI64 : Dtype::kF64, std::span(numbers).first(literals.size()));
  if (integers) result += 0.0;  // -0 is the integer 0
  const OpcodeInfo& info = opcode_info(opcode);
  if (info.yields_bool) return constant(result, Dtype::kBool, at);
  return literal(result, integers && !info.needs_float && std::fabs(result) <= kMaxInteger);
}

Operand Typer::select(std::span<const Operand> arguments, const Position& at) {
  const Operand& condition = arguments[0];
  if (condition.literal || dtype(condition) != Dtype::kBool) {
    fail(at, "the condition before '?' must be bool; compare with 0");
  }
  const auto values = arguments.subspan(1);
  const Dtype common = common_dtype(values, at).value_or(literal_dtype_);
  const Operand if_true = give_dtype(values[0], common, at);
  const Operand if_false = give_dtype(values[1], common, at);
  const Instruction& test = program_.instructions[condition.instruction];
  if (test.opcode == Opcode::kConstant) return test.constant != 0 ? if_true : if_false;
  if (if_true.instruction == if_false.instruction) return if_true;
  Instruction instruction;
  instruction.opcode = Opcode::kSelect;
  instruction.dtype = common;
  instruction.arguments[0] = condition.instruction;
  instruction.arguments[1] = if_true.instruction;
  instruction.arguments[2] = if_false.instruction;
  return append(instruction, at);
}

Operand Typer::order(Opcode opcode, std::span<const Operand> bools, const Position& at) {
  std::array sides = {give_dtype(bools[0], Dtype::kBool, at), give_dtype(bools[1], Dtype::kBool, at)};
  if (opcode == Opcode::kGreater || opcode == Opcode::kGreaterEqual) std::swap(sides[0], sides[1]);
  sides[0] = step(Opcode::kNot, std::span(sides).first(1), at);
  const bool strict = opcode == Opcode::kLess || opcode == Opcode::kGreater;
  return step(strict ? Opcode::kAnd : Opcode::kOr, sides, at);
}

Operand Typer::step(Opcode opcode, std::span<const Operand> arguments, const Position& at) {
  if (opcode == Opcode::kSelect) return select(arguments, at);
  const auto common = common_dtype(arguments, at);
  if (!common) return fold(opcode, arguments, at);
  if (*common == Dtype::kBool) {
    if (orders(opcode)) return order(opcode, arguments, at);
    opcode = logical_form(opcode);
  }
  if (dtype_class(*common) == DtypeClass::kInteger) {
    if (rounds(opcode)) return arguments[0];
    if (opcode == Opcode::kIsNan) return constant(0, Dtype::kBool, at);
  }
  check_operands(opcode, *common, at);
  Instruction instruction;
  instruction.opcode = opcode;
  instruction.dtype = opcode_info(opcode).yields_bool ? Dtype::kBool : *common;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    instruction.arguments[i] = give_dtype(arguments[i], *common, at).instruction;
  }
  return append(instruction, at);
}

void Typer::output(std::string name, const Operand& value, const Position& at) {
  program_.outputs.push_back({std::move(name), give_dtype(value, literal_dtype_, at).instruction});
}

Program Typer::finish() && {
  auto& steps = program_.instructions;
  std::vector<bool> needed(steps.size(), false);
  for (const auto& output : program_.outputs) needed[output.value] = true;
  for (std::size_t i = steps.size(); i-- > 0;) {
    if (!needed[i]) continue;
    for (std::size_t a = 0; a < opcode_info(steps[i].opcode).arity; ++a) needed[steps[i].arguments[a]] = true;
  }
  std::vector<std::uint32_t> renamed(steps.size(), 0);
  std::vector<Instruction> kept;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!needed[i]) continue;
    Instruction step = steps[i];
    for (std::size_t a = 0; a < opcode_info(step.opcode).arity; ++a) step.arguments[a] = renamed[step.arguments[a]];
    renamed[i] = static_cast<std::uint32_t>(kept.size());
    kept.push_back(step);
  }
  steps = std::move(kept);
  for (auto& output : program_.outputs) output.value = renamed[output.value];
  return std::move(program_);
}

}  // namespace alknet::graph::expr
