#include "alknet/compute/passes/merge.h"

#include <algorithm>

#include "alknet/compute/passes/passes.h"

namespace alknet::compute {
namespace {

/// Steps of a merged program: beyond it code grows and nothing is saved.
constexpr std::size_t kMaxProgramSteps = 128;

/// Whether a dtype has fewer numbers than the register that steps compute it in.
bool narrow(Dtype dtype) { return dtype != Dtype::kBool && graph::dtype_bytes(dtype) < 4; }

bool contains(const std::vector<std::uint32_t>& list, std::uint32_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

/// Writes the program of two steps, one after the other.
class ProgramMerger {
 public:
  ProgramMerger(const PlanStep& earlier, const PlanStep& user) : joint_(earlier) {
    const Computation& first = earlier.computation;
    const std::size_t op_inputs = first.op_inputs();
    ElementwiseProgram program = first.program;
    if (first.op && program.outputs.empty()) {  // an identity: the operation's result
      program.inputs = {first.outputs.front()};
      program.outputs = {0};
    }
    // Values of `joint_` by their number in each part.
    for (std::size_t i = 0; i < program.inputs.size(); ++i) {
      const bool result = first.op && i == 0;
      inputs_.push_back(result ? std::nullopt : earlier.inputs[op_inputs + i - (first.op ? 1 : 0)]);
      dtypes_.push_back(program.inputs[i]);
      first_numbers_.push_back(static_cast<std::uint32_t>(i));
    }
    const ElementwiseProgram& second = user.computation.program;
    std::vector<std::optional<std::size_t>> from_first(second.inputs.size());
    for (std::size_t i = 0; i < second.inputs.size(); ++i) {
      const std::uint32_t value = *user.inputs[i];
      const auto produced = std::find(earlier.outputs.begin(), earlier.outputs.end(), value);
      if (produced != earlier.outputs.end()) {
        from_first[i] = static_cast<std::size_t>(produced - earlier.outputs.begin());
        second_numbers_.push_back(0);
      } else {
        second_numbers_.push_back(input_number(value, second.inputs[i]));
      }
    }
    merged_.inputs = dtypes_;
    append(program, first_numbers_);
    for (std::size_t i = 0; i < second.inputs.size(); ++i) {
      if (from_first[i]) second_numbers_[i] = first_numbers_[program.outputs[*from_first[i]]];
    }
    append(second, second_numbers_);
    first_outputs_ = program.outputs;
  }

  /// The joint step; `kept[k]` says whether the earlier step's result k stays one.
  PlanStep finish(const PlanStep& earlier, const PlanStep& user, const std::vector<bool>& kept) {
    const std::size_t op_inputs = earlier.computation.op_inputs();
    joint_.inputs.resize(op_inputs);
    joint_.computation.inputs.resize(op_inputs);
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (!inputs_[i]) continue;
      joint_.inputs.push_back(inputs_[i]);
      joint_.computation.inputs.emplace_back(dtypes_[i]);
    }
    joint_.outputs.clear();
    joint_.computation.outputs.clear();
    for (std::size_t k = 0; k < earlier.outputs.size(); ++k) {
      if (kept[k]) add_output(earlier.outputs[k], earlier.computation.outputs[k], first_numbers_[first_outputs_[k]]);
    }
    for (std::size_t k = 0; k < user.outputs.size(); ++k) {
      add_output(user.outputs[k], user.computation.outputs[k], second_numbers_[user.computation.program.outputs[k]]);
    }
    joint_.computation.program = std::move(merged_);
    joint_.computation.strided = earlier.computation.strided || user.computation.strided;
    return std::move(joint_);
  }

 private:
  std::uint32_t input_number(std::uint32_t value, Dtype dtype) {
    const auto found = std::find(inputs_.begin(), inputs_.end(), std::optional(value));
    if (found != inputs_.end()) return static_cast<std::uint32_t>(found - inputs_.begin());
    inputs_.emplace_back(value);
    dtypes_.push_back(dtype);
    return static_cast<std::uint32_t>(inputs_.size() - 1);
  }

  void append(const ElementwiseProgram& part, std::vector<std::uint32_t>& numbers) {
    for (ElementwiseProgram::Step step : part.steps) {
      for (auto& argument : step.arguments) {
        if (!argument.scalar) argument.value = numbers[argument.value];
      }
      numbers.push_back(static_cast<std::uint32_t>(merged_.inputs.size() + merged_.steps.size()));
      merged_.steps.push_back(std::move(step));
    }
  }

  void add_output(std::uint32_t value, Dtype dtype, std::uint32_t number) {
    joint_.outputs.push_back(value);
    joint_.computation.outputs.push_back(dtype);
    merged_.outputs.push_back(number);
  }

  PlanStep joint_;
  ElementwiseProgram merged_;
  std::vector<std::optional<std::uint32_t>> inputs_;  ///< Plan values of the merged inputs; nothing: the op's result.
  std::vector<Dtype> dtypes_;
  std::vector<std::uint32_t> first_numbers_, second_numbers_;  ///< By number in the part: number in the merged program.
  std::vector<std::uint32_t> first_outputs_;
};

}  // namespace

bool pure_elementwise(const PlanStep& step) { return step.computation.op == nullptr; }

StepMerger::StepMerger(PlanProgram& program, const KernelLimits& limits)
    : program_(program), limits_(limits), removed_(program.steps.size(), false), uses_(compute::count_uses(program)) {}

std::optional<std::size_t> StepMerger::producer(std::uint32_t value) const {
  const PlanValue& produced = program_.values[value];
  if (produced.source != ValueSource::kStep) return std::nullopt;
  return produced.index;
}

std::optional<std::size_t> StepMerger::merge(std::size_t earlier, std::size_t user) {
  const PlanStep& first = program_.steps[earlier];
  const PlanStep& second = program_.steps[user];
  if (first.computation.program.steps.size() + second.computation.program.steps.size() > kMaxProgramSteps) {
    return std::nullopt;
  }
  // Elements of a view are others: they would be read before they are computed.
  const bool through_view = std::any_of(second.inputs.begin(), second.inputs.end(), [&](const auto& input) {
    return program_.base(*input) != *input && contains(first.outputs, program_.base(*input));
  });
  if (through_view) return std::nullopt;
  std::vector<bool> kept;
  for (const std::uint32_t output : first.outputs) {
    const auto here = std::count(second.inputs.begin(), second.inputs.end(), std::optional(output));
    if (here != 0 && narrow(program_.values[output].dtype) && !limits_.exact_steps) return std::nullopt;
    kept.push_back(uses_[output] > static_cast<std::uint32_t>(here) || program_.values[output].target);
  }
  PlanStep joint = ProgramMerger(first, second).finish(first, second, kept);
  if (!fits(joint)) return std::nullopt;
  std::size_t place = user;
  if (!may_move(earlier, earlier, user)) {
    if (!may_move(user, earlier, user)) return std::nullopt;
    place = earlier;
  }
  count_uses(first, ~std::uint32_t{0});
  count_uses(second, ~std::uint32_t{0});
  count_uses(joint, 1);
  removed_[place == user ? earlier : user] = true;
  if (joint.merged.empty()) joint.merged = {first.path};
  joint.merged.insert(joint.merged.end(), second.merged.begin(), second.merged.end());
  if (second.merged.empty()) joint.merged.push_back(second.path);
  for (const std::uint32_t output : joint.outputs) program_.values[output].index = static_cast<std::uint32_t>(place);
  program_.steps[place] = std::move(joint);
  return place;
}

void StepMerger::finish() { remove_steps(program_, removed_); }

/// Whether `step`, one of the ends of a range, may run at the other end: nothing between depends on it or it on that.
bool StepMerger::may_move(std::size_t step, std::size_t from, std::size_t to) const {
  const PlanStep& moved = program_.steps[step];
  const auto reads_result = [&](const PlanStep& reader, const PlanStep& writer) {
    return std::any_of(reader.inputs.begin(), reader.inputs.end(),
                       [&](const auto& input) { return input && contains(writer.outputs, program_.base(*input)); });
  };
  const auto touches = [&](const PlanStep& other, std::uint32_t state) {
    const auto in_state = [&](std::uint32_t value) { return program_.state_of(value) == state; };
    return std::any_of(other.inputs.begin(), other.inputs.end(),
                       [&](const auto& input) { return input && in_state(*input); }) ||
           std::any_of(other.outputs.begin(), other.outputs.end(), in_state);
  };
  const auto conflict = [&](const PlanStep& writer, const PlanStep& other) {
    return std::any_of(writer.outputs.begin(), writer.outputs.end(), [&](std::uint32_t output) {
      const auto& target = program_.values[output].target;
      return target && touches(other, target->state);
    });
  };
  for (std::size_t between = from + 1; between < to; ++between) {
    if (removed_[between]) continue;
    const PlanStep& other = program_.steps[between];
    const bool depends = step == from ? reads_result(other, moved) : reads_result(moved, other);
    if (depends || conflict(moved, other) || conflict(other, moved)) return false;
  }
  return true;
}

/// Whether one kernel can have these tensors, and what it reads of a state that it writes lies where it writes.
bool StepMerger::fits(const PlanStep& joint) const {
  const auto inputs = static_cast<std::size_t>(
      std::count_if(joint.inputs.begin(), joint.inputs.end(), [](const auto& input) { return input.has_value(); }));
  std::size_t shared = 0;
  for (std::size_t k = 0; k < joint.outputs.size(); ++k) {
    const PlanValue& output = program_.values[joint.outputs[k]];
    if (!output.target) continue;
    for (std::size_t other = 0; other < k; ++other) {
      const auto& target = program_.values[joint.outputs[other]].target;
      if (target && target->state == output.target->state) return false;
    }
    for (std::size_t i = 0; i < joint.inputs.size(); ++i) {
      if (!joint.inputs[i] || program_.state_of(*joint.inputs[i]) != output.target->state) continue;
      const PlanValue& input = program_.values[*joint.inputs[i]];
      const bool same_place = input.source != ValueSource::kView && output.target->start.empty() &&
                              input.shape == output.shape && (!input.target || input.target->start.empty());
      if (joint.computation.op || !limits_.in_place || !same_place) return false;
      ++shared;
    }
  }
  return inputs + joint.outputs.size() - shared <= limits_.operands;
}

/// Adds `change`, modulo 2^32, to the uses of what a step reads.
void StepMerger::count_uses(const PlanStep& step, std::uint32_t change) {
  for (const auto& input : step.inputs) {
    if (!input) continue;
    std::uint32_t value = *input;
    uses_[value] += change;
    for (; program_.base(value) != value; uses_[value] += change) value = program_.values[value].index;
  }
}

}  // namespace alknet::compute
