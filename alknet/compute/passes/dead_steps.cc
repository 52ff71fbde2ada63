#include <algorithm>

#include "alknet/compute/passes/passes.h"

namespace alknet::compute {

std::vector<std::uint32_t> count_uses(const PlanProgram& program) {
  std::vector<std::uint32_t> uses(program.values.size(), 0);
  const auto use = [&](std::uint32_t value) {
    ++uses[value];
    const auto viewed = [&] {
      const ValueSource source = program.values[value].source;
      return source == ValueSource::kView || source == ValueSource::kVersion;
    };
    for (; viewed(); ++uses[value]) value = program.values[value].index;
  };
  for (const auto& step : program.steps) {
    for (const auto& input : step.inputs) {
      if (input) use(*input);
    }
  }
  for (const std::uint32_t output : program.outputs) use(output);
  return uses;
}

void remove_steps(PlanProgram& program, const std::vector<bool>& removed) {
  std::vector<PlanStep> kept;
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    if (removed[s]) continue;
    for (const std::uint32_t value : program.steps[s].outputs) {
      program.values[value].index = static_cast<std::uint32_t>(kept.size());
    }
    kept.push_back(std::move(program.steps[s]));
  }
  program.steps = std::move(kept);
}

void eliminate_dead_steps(PlanProgram& program) {
  // Backwards: a step that goes may be the last use of an earlier one.
  auto uses = count_uses(program);
  std::vector<bool> dead(program.steps.size(), false);
  for (std::size_t s = program.steps.size(); s-- > 0;) {
    const PlanStep& step = program.steps[s];
    dead[s] = !program.assigns(step) &&
              std::all_of(step.outputs.begin(), step.outputs.end(), [&](std::uint32_t v) { return uses[v] == 0; });
    if (!dead[s]) continue;
    for (const auto& input : step.inputs) {
      if (input) --uses[program.base(*input)];
    }
  }
  remove_steps(program, dead);
}

}  // namespace alknet::compute
