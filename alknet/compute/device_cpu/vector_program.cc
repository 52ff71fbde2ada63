#include "alknet/compute/device_cpu/vector_program.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "alknet/base/error.h"
#include "alknet/compute/device_cpu/convert_value.h"
#include "alknet/compute/error.h"
#include "alknet/graph/expr/simplify.h"
#include "alknet/graph/op_program.h"

namespace alknet::compute {
namespace {

using graph::expr::Instruction;
using graph::expr::Opcode;
using graph::expr::Program;

/// Integers up to here are exact in the double precision of expressions' constants.
constexpr std::int64_t kMostExact = std::int64_t{1} << 53;

/// The dtype that the promoted arguments of a step have: its scalars take it.
Dtype promoted_dtype(const ElementwiseProgram& program, const ElementwiseProgram::Step& step) {
  for (std::size_t i = 0; i < step.arguments.size(); ++i) {
    if (!step.arguments[i].scalar && step.op->inputs[i].promotes) return program.dtype_of(step.arguments[i].value);
  }
  return step.dtype;
}

[[noreturn]] void refuse(const OpSpec& op, std::span<const Dtype> dtypes) {
  std::string names;
  for (const Dtype dtype : dtypes) names += fmt::format("{}{}", names.empty() ? "" : ", ", graph::dtype_name(dtype));
  throw Error(
      ComputeError::kUnsupported,
      fmt::format("[{}] has no CPU kernel for ({}): cast to a dtype that the op table lists for it", op.name, names));
}

/// cast, contiguous: the result is the one argument, in another dtype at most.
bool is_identity(const OpSpec& op, const Program& program) {
  const auto* value = &program.instructions[program.outputs.front().value];
  if (value->opcode == Opcode::kCast) value = &program.instructions[value->arguments[0]];
  return value->opcode == Opcode::kVariable && value->index == 0 && op.inputs.size() == 1;
}

/// Refuses dtypes that the entry does not list, before its expression is typed for them.
void check_dtypes(const OpSpec& op, std::span<const Dtype> dtypes) {
  for (std::size_t i = 0; i < dtypes.size(); ++i) {
    const auto& accepted = op.inputs[i].dtypes;
    if (std::find(accepted.begin(), accepted.end(), dtypes[i]) == accepted.end()) refuse(op, dtypes);
  }
}

/// A scalar as a constant of expressions; nothing for an integer that is not exact there.
std::optional<double> exact_number(const Scalar& scalar) {
  if (scalar.kind == graph::DtypeClass::kFloat) return scalar.number;
  if (scalar.integer > kMostExact || scalar.integer < -kMostExact) return std::nullopt;
  return static_cast<double>(scalar.integer);
}

Scalar parameter_scalar(const JsonObject& attrs, const std::string& name) {
  const Json* value = attrs.if_contains(name);
  if (value != nullptr && value->is_int64()) return Scalar::of(value->get_int64());
  return Scalar::of(*graph::scalar_value(attrs, name));
}

/// Tile to tile: elements as storing and loading them would leave them; null where that changes nothing.
ConvertFunction rounding(Dtype dtype) {
  const Dtype held = register_dtype(dtype);
  return held == dtype ? nullptr : cast_function(held, dtype);
}

template <typename T>
void fill(std::span<std::byte> elements, T value) {
  std::fill_n(reinterpret_cast<T*>(elements.data()), kTileMultiple, value);
}

}  // namespace

VectorProgram::VectorProgram(const ElementwiseProgram& program) : input_count_(program.inputs.size()) {
  std::vector<std::uint32_t> values;
  for (const Dtype dtype : program.inputs) values.push_back(add_value(dtype));
  for (const auto& step : program.steps) {
    // What a later step reads is rounded as storing it would: the register may hold more than the dtype.
    for (const auto& argument : step.arguments) {
      if (!argument.scalar && argument.value >= input_count_) round(values[argument.value]);
    }
    const bool reads_result = std::any_of(step.arguments.begin(), step.arguments.end(),
                                          [](const auto& argument) { return !argument.scalar && argument.value == 0; });
    if (reads_result && input_count_ > 0) round_result_ = rounding(dtypes_.front());
    values.push_back(add_operation(program, step, values));
  }
  for (const std::uint32_t output : program.outputs) outputs_.push_back(values[output]);
  join_pairs();
  std::size_t widest = 4;
  for (const Dtype dtype : dtypes_) widest = std::max(widest, graph::dtype_bytes(register_dtype(dtype)));
  tile_bytes_ = kTileElements * widest + 192;
  allocate_registers();
}

std::uint32_t VectorProgram::add_value(Dtype dtype) {
  dtypes_.push_back(dtype);
  return static_cast<std::uint32_t>(dtypes_.size() - 1);
}

std::uint32_t VectorProgram::add_step(Step step, Dtype dtype) {
  step.result = add_value(dtype);
  steps_.push_back(std::move(step));
  return steps_.back().result;
}

std::uint32_t VectorProgram::add_cast(std::uint32_t value, Dtype to) {
  if (same_in_tile(dtypes_[value], to)) return value;
  Step step;
  step.cast = cast_function(dtypes_[value], to);
  step.arguments = {value};
  return add_step(std::move(step), to);
}

void VectorProgram::round(std::uint32_t& value) {
  const bool computed = std::any_of(steps_.begin(), steps_.end(),
                                    [&](const Step& step) { return step.result == value && step.kernel != nullptr; });
  if (!computed || rounding(dtypes_[value]) == nullptr) return;
  Step step;
  step.cast = rounding(dtypes_[value]);
  step.arguments = {value};
  value = add_step(std::move(step), dtypes_[value]);
}

std::uint32_t VectorProgram::add_coordinate(std::int8_t coordinate) {
  for (const Step& step : steps_) {
    if (step.coordinate == coordinate) return step.result;
  }
  Step step;
  step.coordinate = coordinate;
  return add_step(std::move(step), Dtype::kI64);
}

std::uint32_t VectorProgram::add_operation(const ElementwiseProgram& program, const ElementwiseProgram::Step& step,
                                           std::span<const std::uint32_t> values) {
  std::vector<Dtype> dtypes;
  std::vector<std::optional<double>> known;
  const Dtype promoted = promoted_dtype(program, step);
  for (std::size_t i = 0; i < step.arguments.size(); ++i) {
    const auto& argument = step.arguments[i];
    const auto& input = step.op->inputs[i];
    const Dtype scalar_dtype = input.promotes ? promoted : input.dtypes.front();
    dtypes.push_back(argument.scalar ? scalar_dtype : program.dtype_of(argument.value));
    known.push_back(argument.scalar ? exact_number(*argument.scalar) : std::nullopt);
  }
  check_dtypes(*step.op, dtypes);
  const Program written = graph::elementwise_program(*step.op, step.attrs, dtypes, std::array{step.dtype});
  if (is_identity(*step.op, written)) return add_cast(values[step.arguments.front().value], step.dtype);

  std::vector<Scalar> parameters;
  for (std::size_t v = dtypes.size(); v < written.variables.size() && written.variables[v].parameter; ++v) {
    parameters.push_back(parameter_scalar(step.attrs, written.variables[v].name));
    known.push_back(exact_number(parameters.back()));
  }
  const Program simple = graph::expr::simplify(written, known, graph::expr::Exactness::kValue);
  const auto variable = [&](std::size_t v) -> std::uint32_t {
    const Dtype dtype = simple.variables[v].dtype;
    if (simple.variables[v].coordinate != 0) return add_coordinate(simple.variables[v].coordinate);
    if (v >= dtypes.size()) return add_constant(parameters[v - dtypes.size()], dtype);
    const auto& argument = step.arguments[v];
    return argument.scalar ? add_constant(*argument.scalar, dtype) : values[argument.value];
  };
  const std::size_t before = steps_.size();
  std::vector<std::uint32_t> results;
  for (const Instruction& instruction : simple.instructions) {
    results.push_back(instruction.opcode == Opcode::kVariable ? variable(instruction.index)
                                                              : add_instruction(simple, instruction, results));
  }
  const std::uint32_t result = results[simple.outputs.front().value];
  // An expression of f16 computes in f32; what a later step reads of it is f16.
  const bool computed = std::any_of(steps_.begin() + to_signed(before), steps_.end(),
                                    [&](const Step& made) { return made.result == result; });
  if (computed && register_dtype(step.dtype) == register_dtype(dtypes_[result])) dtypes_[result] = step.dtype;
  return result;
}

std::uint32_t VectorProgram::add_instruction(const Program& program, const Instruction& instruction,
                                             std::span<const std::uint32_t> values) {
  if (instruction.opcode == Opcode::kConstant) return add_constant(Scalar::of(instruction.constant), instruction.dtype);
  if (instruction.opcode == Opcode::kCast) return add_cast(values[instruction.arguments[0]], instruction.dtype);
  const std::size_t typed = instruction.opcode == Opcode::kSelect ? 1 : 0;
  const Dtype operand = program.instructions[instruction.arguments[typed]].dtype;
  const OpcodeKernel* kernel = find_opcode_kernel(instruction.opcode, operand);
  if (kernel == nullptr) {
    throw Error(BaseError::kInternal,
                fmt::format("no CPU kernel for `{}` of {}", graph::expr::opcode_info(instruction.opcode).spelling,
                            graph::dtype_name(operand)));
  }
  Step step;
  step.kernel = kernel->run;
  step.opcode = instruction.opcode;
  for (std::size_t a = 0; a < graph::expr::opcode_info(instruction.opcode).arity; ++a) {
    step.arguments.push_back(values[instruction.arguments[a]]);
  }
  return add_step(std::move(step), instruction.dtype);
}

std::uint32_t VectorProgram::add_constant(const Scalar& scalar, Dtype dtype) {
  Constant constant{add_value(dtype), {}};
  const std::span<std::byte> elements = constant.elements;
  const bool integral = scalar.kind != graph::DtypeClass::kFloat;
  const double number = integral ? static_cast<double>(scalar.integer) : scalar.number;
  const std::int64_t integer = integral ? scalar.integer : convert_value<std::int64_t>(scalar.number);
  switch (dtype) {
    case Dtype::kBool: fill(elements, number != 0); break;
    case Dtype::kI8: fill<std::int32_t>(elements, static_cast<std::int8_t>(integer)); break;
    case Dtype::kU8: fill<std::int32_t>(elements, static_cast<std::uint8_t>(integer)); break;
    case Dtype::kI32: fill(elements, static_cast<std::int32_t>(integer)); break;
    case Dtype::kU32: fill(elements, static_cast<std::uint32_t>(integer)); break;
    case Dtype::kI64: fill(elements, integer); break;
    case Dtype::kF64: fill(elements, number); break;
    default: fill(elements, static_cast<float>(number));
  }
  constants_.push_back(constant);
  return constant.value;
}

void VectorProgram::join_pairs() {
  std::vector<std::size_t> uses(dtypes_.size(), 0), producer(dtypes_.size(), steps_.size());
  for (const std::uint32_t output : outputs_) ++uses[output];
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    producer[steps_[s].result] = s;
    for (const std::uint32_t argument : steps_[s].arguments) ++uses[argument];
  }
  std::vector<bool> gone(steps_.size(), false), joined(steps_.size(), false);
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    Step& step = steps_[s];
    for (std::size_t a = 0; a < step.arguments.size() && step.kernel; ++a) {
      const std::uint32_t value = step.arguments[a];
      const std::size_t from = producer[value];
      if (uses[value] != 1 || from == steps_.size() || joined[from] || !steps_[from].kernel ||
          dtypes_[value] != Dtype::kF32) {
        continue;
      }
      const PairKernel* pair = find_pair_kernel(step.opcode, steps_[from].opcode, a);
      if (pair == nullptr) continue;
      std::vector<std::uint32_t> arguments = steps_[from].arguments;
      if (step.arguments.size() == 2) {
        arguments.insert(pair->inner_first ? arguments.end() : arguments.begin(), step.arguments[1 - a]);
      }
      gone[from] = joined[s] = true;
      step.arguments = std::move(arguments);
      step.kernel = pair->run;
      break;
    }
  }
  std::size_t at = 0;
  std::erase_if(steps_, [&](const Step&) { return gone[at++]; });
}

void VectorProgram::allocate_registers() {
  // Inputs keep a register each; a step's result takes one whose value is no longer read.
  std::vector<std::size_t> last_read(dtypes_.size(), 0);
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    for (const std::uint32_t argument : steps_[s].arguments) last_read[argument] = s;
  }
  for (const std::uint32_t output : outputs_) last_read[output] = steps_.size();
  registers_.assign(dtypes_.size(), 0);
  std::vector<std::uint32_t> free;
  for (std::uint32_t value = 0; value < input_count_; ++value)
    registers_[value] = static_cast<std::uint32_t>(register_count_++);
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    if (free.empty()) free.push_back(static_cast<std::uint32_t>(register_count_++));
    registers_[steps_[s].result] = free.back();
    free.pop_back();
    for (std::size_t earlier = 0; earlier <= s; ++earlier) {
      const std::uint32_t value = steps_[earlier].result;
      if (last_read[value] == s && value != steps_[s].result) free.push_back(registers_[value]);
    }
  }
}

std::size_t VectorProgram::scratch_bytes() const {
  return register_count_ * tile_bytes_ + (value_count() * sizeof(TileOperand) + 63) / 64 * 64;
}

}  // namespace alknet::compute
