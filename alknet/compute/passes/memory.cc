#include <algorithm>

#include "alknet/compute/passes/merge.h"
#include "alknet/compute/passes/passes.h"

namespace alknet::compute {
namespace {

/// A memory of the arena: free after `busy_until`, last sized for `elements` of a dtype.
struct ArenaSlot {
  std::size_t busy_until = 0;
  graph::Dim elements;
  Dtype dtype = Dtype::kF32;
};

/// The last step that reads each value's memory, directly or through views.
std::vector<std::size_t> last_uses(const PlanProgram& program) {
  std::vector<std::size_t> last(program.values.size(), 0);
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    for (const auto& input : program.steps[s].inputs) {
      if (input) last[program.base(*input)] = s;
    }
    for (const std::uint32_t output : program.steps[s].outputs) last[output] = s;
  }
  return last;
}

/// An input of an element-wise step whose memory the step may overwrite by a result, element by element.
std::optional<std::uint32_t> replaceable_input(const PlanProgram& program, const PlanStep& step,
                                               const PlanValue& result, const std::vector<std::size_t>& last,
                                               std::size_t now, const std::vector<std::uint32_t>& output_of) {
  if (!pure_elementwise(step)) return std::nullopt;
  for (const auto& input : step.inputs) {
    const PlanValue& value = program.values[*input];
    const bool fits = value.source == ValueSource::kStep && !value.target && value.dtype == result.dtype &&
                      value.shape == result.shape && last[*input] == now && output_of[*input] == 0;
    if (!fits) continue;
    // Read in another order through a view, elements would be overwritten too early.
    const auto reads = std::count_if(step.inputs.begin(), step.inputs.end(),
                                     [&](const auto& other) { return program.base(*other) == *input; });
    if (reads == 1) return *input;
  }
  return std::nullopt;
}

}  // namespace

void plan_memory(PlanProgram& program, const graph::Graph& graph, bool in_place) {
  const auto last = last_uses(program);
  std::vector<std::uint32_t> output_of(program.values.size(), 0);  // 1 + position among the outputs
  for (std::uint32_t i = 0; i < program.outputs.size(); ++i) output_of[program.outputs[i]] = i + 1;

  std::vector<ArenaSlot> arena;
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    for (const std::uint32_t index : program.steps[s].outputs) {
      if (output_of[index] != 0 || program.values[index].target) continue;
      PlanValue& value = program.values[index];
      const graph::Dim elements = graph::element_count(value.shape);
      if (const auto input =
              in_place ? replaceable_input(program, program.steps[s], value, last, s, output_of) : std::nullopt) {
        const std::uint32_t shared = program.values[*input].slot;
        if (arena[shared].busy_until == s) {  // not yet taken by another result
          arena[shared] = {last[index], elements, value.dtype};
          arena[shared].busy_until = std::max(last[index], s + 1);
          value.slot = shared;
          continue;
        }
      }
      // A slot is reusable only after the last reader has run: a kernel never writes the memory of its own inputs.
      const auto free = [&](const ArenaSlot& slot) { return slot.busy_until < s; };
      auto slot = std::find_if(arena.begin(), arena.end(), [&](const ArenaSlot& candidate) {
        return free(candidate) && candidate.dtype == value.dtype && candidate.elements == elements;
      });
      if (slot == arena.end()) slot = std::find_if(arena.begin(), arena.end(), free);
      if (slot == arena.end()) slot = arena.insert(arena.end(), ArenaSlot());
      *slot = {last[index], elements, value.dtype};
      value.slot = static_cast<std::uint32_t>(slot - arena.begin());
    }
  }
  const auto count = [](const auto& list) { return static_cast<std::uint32_t>(list.size()); };
  program.slots = {count(arena), count(graph.inputs), count(graph.states), count(graph.constants),
                   count(program.outputs)};
  for (std::size_t i = 0; i < program.values.size(); ++i) {
    PlanValue& value = program.values[i];
    switch (value.source) {
      case ValueSource::kInput: value.slot = program.slots.first_input() + value.index; break;
      case ValueSource::kState: value.slot = program.slots.first_state() + value.index; break;
      case ValueSource::kConstant: value.slot = program.slots.first_constant() + value.index; break;
      case ValueSource::kStep:
        if (output_of[i] != 0) value.slot = program.slots.first_output() + output_of[i] - 1;
        if (value.target) value.slot = program.slots.first_state() + value.target->state;
        break;
      case ValueSource::kView:
      case ValueSource::kVersion: break;
    }
  }
}

}  // namespace alknet::compute
