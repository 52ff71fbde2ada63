#include "alknet/compute/device_cpu/vector_program.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "alknet/base/error.h"
#include "alknet/compute/device_cpu/convert_value.h"
#include "alknet/compute/error.h"
#include "alknet/graph/op_program.h"

namespace alknet::compute {
namespace {

/// The dtype that the promoted arguments of a step have: its scalars take it.
Dtype promoted_dtype(const ElementwiseProgram& program, const ElementwiseProgram::Step& step) {
  for (std::size_t i = 0; i < step.arguments.size(); ++i) {
    if (!step.arguments[i].scalar && step.op->inputs[i].promotes) return program.dtype_of(step.arguments[i].value);
  }
  return step.dtype;
}

TileParameters tile_parameters(const OpSpec& op, const JsonObject& attrs) {
  TileParameters parameters;
  std::size_t index = 0;
  for (const auto& name : graph::scalar_parameters(op)) {
    if (index == parameters.number.size()) {
      throw Error(ComputeError::kUnsupported,
                  fmt::format("[{}] has more than {} scalar parameters", op.name, parameters.number.size()));
    }
    const Json& value = attrs.at(name);
    if (value.is_bool()) {
      parameters.integer[index] = value.get_bool() ? 1 : 0;
      parameters.number[index] = value.get_bool() ? 1 : 0;
    } else if (value.is_double()) {
      parameters.number[index] = value.get_double();
      parameters.integer[index] = convert_value<std::int64_t>(value.get_double());
    } else {
      parameters.integer[index] = value.to_number<std::int64_t>();
      parameters.number[index] = static_cast<double>(parameters.integer[index]);
    }
    ++index;
  }
  return parameters;
}

[[noreturn]] void refuse(const OpSpec& op, std::span<const Dtype> dtypes) {
  std::string names;
  for (const Dtype dtype : dtypes) names += fmt::format("{}{}", names.empty() ? "" : ", ", graph::dtype_name(dtype));
  throw Error(
      ComputeError::kUnsupported,
      fmt::format("[{}] has no CPU kernel for ({}): cast to a dtype that the op table lists for it", op.name, names));
}

std::string variant_of(const OpSpec& op, const JsonObject& attrs) {
  const auto& forward = std::get<graph::ElementwiseForward>(op.forward);
  return forward.parameter.empty() ? std::string() : std::string(attrs.at(forward.parameter).as_string());
}

/// cast, contiguous: the result is the one argument, in another dtype at most.
bool is_identity(const OpSpec& op, const JsonObject& attrs, std::span<const Dtype> inputs, Dtype output) {
  const auto program = graph::elementwise_program(op, attrs, inputs, std::array{output});
  const auto* value = &program.instructions[program.outputs.front().value];
  if (value->opcode == graph::expr::Opcode::kCast) value = &program.instructions[value->arguments[0]];
  return value->opcode == graph::expr::Opcode::kVariable && op.inputs.size() == 1;
}

/// Refuses dtypes that the entry does not list, before its expression is typed for them.
void check_dtypes(const OpSpec& op, std::span<const Dtype> dtypes) {
  for (std::size_t i = 0; i < dtypes.size(); ++i) {
    const auto& accepted = op.inputs[i].dtypes;
    if (std::find(accepted.begin(), accepted.end(), dtypes[i]) == accepted.end()) refuse(op, dtypes);
  }
}

template <typename T>
void fill_tile(std::byte* tile, T value) {
  std::fill_n(reinterpret_cast<T*>(tile), kTileElements, value);
}

}  // namespace

VectorProgram::VectorProgram(const ElementwiseProgram& program) : input_count_(program.inputs.size()) {
  dtypes_ = program.inputs;
  for (const auto& step : program.steps) dtypes_.push_back(step.dtype);
  first_constant_ = dtypes_.size();
  choose_tile_bytes(program);
  for (const auto& step : program.steps) {
    steps_.push_back(make_step(program, step));
    steps_.back().result = static_cast<std::uint32_t>(input_count_ + steps_.size() - 1);
  }
  outputs_ = program.outputs;
  round_between_steps();
  allocate_registers();
}

void VectorProgram::round_between_steps() {
  const auto rounding = [&](std::uint32_t value) {
    const Dtype dtype = dtypes_[value], held = register_dtype(dtype);
    return held == dtype ? nullptr : cast_function(held, dtype);
  };
  for (const Step& reader : steps_) {
    for (const std::uint32_t argument : reader.arguments) {
      if (argument == 0 && input_count_ > 0) round_result_ = rounding(0);
      if (argument < input_count_ || argument >= first_constant_) continue;
      Step& step = steps_[argument - input_count_];
      if (step.kernel) step.round = rounding(argument);  // a cast rounds by itself
    }
  }
}

std::uint32_t VectorProgram::origin(std::uint32_t value) const {
  while (value >= input_count_ && value < first_constant_) {
    const Step& step = steps_[value - input_count_];
    if (step.kernel || step.cast) break;
    value = step.arguments.front();
  }
  return value;
}

void VectorProgram::choose_tile_bytes(const ElementwiseProgram& program) {
  std::size_t widest = 4;
  for (const Dtype dtype : dtypes_) widest = std::max(widest, graph::dtype_bytes(register_dtype(dtype)));
  for (const auto& step : program.steps) widest = std::max(widest, graph::dtype_bytes(promoted_dtype(program, step)));
  tile_bytes_ = kTileElements * widest + 192;
}

VectorProgram::Step VectorProgram::make_step(const ElementwiseProgram& program, const ElementwiseProgram::Step& step) {
  Step made;
  std::vector<Dtype> dtypes;
  const Dtype promoted = promoted_dtype(program, step);
  for (std::size_t i = 0; i < step.arguments.size(); ++i) {
    const auto& argument = step.arguments[i];
    const auto& accepted = step.op->inputs[i].dtypes;
    const Dtype scalar_dtype = step.op->inputs[i].promotes ? promoted : accepted.front();
    dtypes.push_back(argument.scalar ? scalar_dtype : program.dtype_of(argument.value));
    made.arguments.push_back(argument.scalar ? add_constant(*argument.scalar, scalar_dtype) : argument.value);
  }
  check_dtypes(*step.op, dtypes);
  if (step.op->inputs.size() == 1 && is_identity(*step.op, step.attrs, dtypes, step.dtype)) {
    if (!same_in_tile(dtypes.front(), step.dtype)) made.cast = cast_function(dtypes.front(), step.dtype);
    return made;
  }
  for (Dtype& dtype : dtypes) dtype = graph::compute_dtype(dtype);
  const auto* kernel = find_elementwise_kernel(step.op->name, variant_of(*step.op, step.attrs), dtypes);
  if (!kernel) refuse(*step.op, dtypes);
  made.kernel = kernel->run;
  made.parameters = tile_parameters(*step.op, step.attrs);
  return made;
}

std::uint32_t VectorProgram::add_constant(const Scalar& scalar, Dtype dtype) {
  constants_.resize(constants_.size() + tile_bytes_);
  std::byte* tile = constants_.data() + constants_.size() - tile_bytes_;
  const bool integral = scalar.kind != graph::DtypeClass::kFloat;
  const double number = integral ? static_cast<double>(scalar.integer) : scalar.number;
  const std::int64_t integer = integral ? scalar.integer : convert_value<std::int64_t>(scalar.number);
  switch (dtype) {
    case Dtype::kBool: fill_tile(tile, number != 0); break;
    case Dtype::kI8: fill_tile<std::int32_t>(tile, static_cast<std::int8_t>(integer)); break;
    case Dtype::kU8: fill_tile<std::int32_t>(tile, static_cast<std::uint8_t>(integer)); break;
    case Dtype::kI32: fill_tile(tile, static_cast<std::int32_t>(integer)); break;
    case Dtype::kU32: fill_tile(tile, static_cast<std::uint32_t>(integer)); break;
    case Dtype::kI64: fill_tile(tile, integer); break;
    case Dtype::kF64: fill_tile(tile, number); break;
    default: fill_tile(tile, static_cast<float>(number));
  }
  dtypes_.push_back(dtype);
  return static_cast<std::uint32_t>(dtypes_.size() - 1);
}

const std::byte* VectorProgram::constant(std::uint32_t value) const {
  return constants_.data() + (value - first_constant_) * tile_bytes_;
}

void VectorProgram::allocate_registers() {
  // Inputs and outputs keep a register each; a step's result takes one whose value is no longer read.
  std::vector<std::size_t> last_read(dtypes_.size(), 0);
  for (std::size_t s = 0; s < steps_.size(); ++s) {
    for (const std::uint32_t argument : steps_[s].arguments) last_read[argument] = s;
  }
  for (const std::uint32_t output : outputs_) last_read[output] = steps_.size();
  // A step without function passes its argument on, so that must live as long.
  for (std::size_t s = steps_.size(); s-- > 0;) {
    if (steps_[s].kernel || steps_[s].cast) continue;
    std::size_t& source = last_read[steps_[s].arguments.front()];
    source = std::max(source, last_read[steps_[s].result]);
  }
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
  return register_count_ * tile_bytes_ + (value_count() * sizeof(void*) + 63) / 64 * 64;
}

}  // namespace alknet::compute
