#include <algorithm>

#include "alknet/compute/passes/passes.h"

namespace alknet::compute {
namespace {

/// WebGPU guarantees eight storage buffers a shader stage; one is the output and one is kept for a device's error word.
constexpr std::size_t kMaxFusedInputs = 6;

/// Puts `producer`, whose only output is `consumer`'s input number `at`, in front of `consumer`. `inputs` receives the
/// values of the merged program's inputs, each once; `producer_values` and `consumer_values` are those of the parts.
ElementwiseProgram concatenate(const ElementwiseProgram& producer, const ElementwiseProgram& consumer, std::size_t at,
                               const std::vector<std::uint32_t>& producer_values,
                               const std::vector<std::uint32_t>& consumer_values, std::vector<std::uint32_t>& inputs) {
  ElementwiseProgram merged;
  const auto input_index = [&](std::uint32_t value, Dtype dtype) {
    const auto found = std::find(inputs.begin(), inputs.end(), value);
    if (found != inputs.end()) return static_cast<std::uint32_t>(found - inputs.begin());
    inputs.push_back(value);
    merged.inputs.push_back(dtype);
    return static_cast<std::uint32_t>(inputs.size() - 1);
  };
  std::vector<std::uint32_t> of_producer, of_consumer;
  for (std::size_t i = 0; i < producer.inputs.size(); ++i) {
    of_producer.push_back(input_index(producer_values[i], producer.inputs[i]));
  }
  for (std::size_t i = 0; i < consumer.inputs.size(); ++i) {
    of_consumer.push_back(i == at ? 0 : input_index(consumer_values[i], consumer.inputs[i]));
  }
  const auto append = [&](const ElementwiseProgram& part, std::vector<std::uint32_t>& numbers) {
    for (ElementwiseProgram::Step step : part.steps) {
      for (auto& argument : step.arguments) {
        if (!argument.scalar) argument.value = numbers[argument.value];
      }
      numbers.push_back(static_cast<std::uint32_t>(merged.inputs.size() + merged.steps.size()));
      merged.steps.push_back(std::move(step));
    }
  };
  append(producer, of_producer);
  of_consumer[at] = of_producer[producer.outputs.front()];
  append(consumer, of_consumer);
  for (const std::uint32_t output : consumer.outputs) merged.outputs.push_back(of_consumer[output]);
  return merged;
}

std::vector<std::uint32_t> input_values(const PlanStep& step, std::size_t from = 0) {
  std::vector<std::uint32_t> values;
  for (std::size_t i = from; i < step.inputs.size(); ++i) values.push_back(*step.inputs[i]);
  return values;
}

void set_inputs(PlanStep& step, const std::vector<std::uint32_t>& values, const ElementwiseProgram& program,
                std::size_t first_program_input) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    step.inputs.push_back(values[i]);
    step.computation.inputs.push_back(program.inputs[first_program_input + i]);
  }
}

bool pure_elementwise(const PlanStep& step) { return step.computation.op == nullptr; }

/// The step that computes `value`, if its only use is this one and it has the shape of `user`'s result.
PlanStep* sole_producer(PlanProgram& program, const std::vector<std::uint32_t>& uses, std::uint32_t value,
                        const PlanStep& user) {
  const PlanValue& produced = program.values[value];
  if (produced.source != ValueSource::kStep || uses[value] != 1) return nullptr;
  if (produced.shape != program.values[user.outputs.front()].shape) return nullptr;
  PlanStep& producer = program.steps[produced.index];
  return producer.outputs.size() == 1 && user.outputs.size() == 1 ? &producer : nullptr;
}

std::size_t index_of(const PlanProgram& program, const PlanStep& step) {
  return static_cast<std::size_t>(&step - program.steps.data());
}

/// Merges into `user` the first producer that can be merged. Returns the index of the producer.
std::optional<std::size_t> absorb_elementwise(PlanProgram& program, const std::vector<std::uint32_t>& uses,
                                              PlanStep& user) {
  for (std::size_t i = 0; i < user.inputs.size(); ++i) {
    const PlanStep* producer = sole_producer(program, uses, *user.inputs[i], user);
    if (!producer || !pure_elementwise(*producer)) continue;
    std::vector<std::uint32_t> inputs;
    ElementwiseProgram merged = concatenate(producer->computation.program, user.computation.program, i,
                                            input_values(*producer), input_values(user), inputs);
    if (inputs.size() > kMaxFusedInputs) continue;
    user.inputs.clear();
    user.computation.inputs.clear();
    set_inputs(user, inputs, merged, 0);
    user.computation.program = std::move(merged);
    return index_of(program, *producer);
  }
  return std::nullopt;
}

std::optional<std::size_t> absorb_structured(PlanProgram& program, const std::vector<std::uint32_t>& uses,
                                             PlanStep& user) {
  for (std::size_t i = 0; i < user.inputs.size(); ++i) {
    const PlanStep* producer = sole_producer(program, uses, *user.inputs[i], user);
    if (!producer || pure_elementwise(*producer) || !producer->computation.program.steps.empty()) continue;
    // An identity in front of the user's program whose one input is the operation's result: it becomes input 0.
    ElementwiseProgram result;
    result.inputs = {producer->computation.outputs.front()};
    result.outputs = {0};
    std::vector<std::uint32_t> inputs;
    ElementwiseProgram merged =
        concatenate(result, user.computation.program, i, {producer->outputs.front()}, input_values(user), inputs);
    if (producer->inputs.size() + inputs.size() - 1 > kMaxFusedInputs) continue;
    PlanStep fused = *producer;
    inputs.erase(inputs.begin());
    set_inputs(fused, inputs, merged, 1);
    fused.computation.program = std::move(merged);
    fused.computation.outputs = user.computation.outputs;
    fused.outputs = user.outputs;
    const std::size_t absorbed = index_of(program, *producer);
    user = std::move(fused);
    return absorbed;
  }
  return std::nullopt;
}

template <typename Absorb>
void fuse(PlanProgram& program, Absorb&& absorb, bool repeat) {
  const auto uses = count_uses(program);
  std::vector<bool> removed(program.steps.size(), false);
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    if (!pure_elementwise(program.steps[s])) continue;
    while (const auto absorbed = absorb(program, uses, program.steps[s])) {
      removed[*absorbed] = true;
      if (!repeat) break;
    }
  }
  remove_steps(program, removed);
}

}  // namespace

void fuse_elementwise(PlanProgram& program) { fuse(program, absorb_elementwise, true); }

void fuse_epilogue(PlanProgram& program) { fuse(program, absorb_structured, false); }

}  // namespace alknet::compute
