#include <algorithm>

#include "alknet/compute/passes/merge.h"
#include "alknet/compute/passes/passes.h"

namespace alknet::compute {
namespace {

/// Steps of a smaller result that are computed anew for each element rather than kept.
constexpr std::size_t kCheapSteps = 2;

const graph::SymbolicShape& shape_of(const PlanProgram& program, const PlanStep& step) {
  return program.values[step.outputs.front()].shape;
}

bool writes_part(const PlanProgram& program, const PlanStep& step) {
  return std::any_of(step.outputs.begin(), step.outputs.end(), [&](std::uint32_t output) {
    const auto& target = program.values[output].target;
    return target && !target->start.empty();
  });
}

/// Whether an element-wise step may run inside a larger one that alone uses its result: the places of its elements are
/// others there.
bool cheap(const PlanProgram& program, const PlanStep& step) {
  const auto& steps = step.computation.program.steps;
  return step.outputs.size() == 1 && !program.values[step.outputs.front()].target && steps.size() <= kCheapSteps &&
         std::none_of(steps.begin(), steps.end(), [](const auto& each) { return each.op->reads_coordinates(); });
}

/// Whether the operation's kernels apply a program to their result.
bool takes_epilogue(const PlanStep& step) {
  const OpSpec& op = *step.computation.op;
  if (op.outputs.size() != 1) return false;
  if (const auto* forward = std::get_if<graph::TemplateForward>(&op.forward)) return forward->epilogue;
  return std::holds_alternative<graph::ReductionForward>(op.forward);
}

/// Merges `user` with the first step that computes one of its inputs and can be merged. Returns the joint step's place.
template <typename Accept>
std::optional<std::size_t> merge_input(StepMerger& merger, std::size_t user, const Accept& accept) {
  const auto inputs = merger.step(user).inputs;
  for (const auto& input : inputs) {
    const auto producer = merger.producer(*input);
    if (!producer || !accept(merger.step(*producer), *input)) continue;
    if (const auto place = merger.merge(*producer, user)) return place;
  }
  return std::nullopt;
}

}  // namespace

void fuse_elementwise(PlanProgram& program, const KernelLimits& limits) {
  StepMerger merger(program, limits);
  for (std::size_t s = 0; s < merger.size(); ++s) {
    std::size_t user = s;
    if (merger.removed(user)) continue;
    const auto accept = [&](const PlanStep& producer, std::uint32_t value) {
      if (!pure_elementwise(producer)) return false;
      const auto& shape = shape_of(program, merger.step(user));
      if (shape_of(program, producer) == shape) return true;
      return merger.uses(value) == 1 && cheap(program, producer) && !writes_part(program, merger.step(user));
    };
    while (pure_elementwise(merger.step(user))) {
      const auto place = merge_input(merger, user, accept);
      if (!place) break;
      user = *place;
    }
  }
  merger.finish();
}

void fuse_epilogue(PlanProgram& program, const KernelLimits& limits) {
  StepMerger merger(program, limits);
  for (std::size_t s = 0; s < merger.size(); ++s) {
    if (merger.removed(s) || !pure_elementwise(merger.step(s))) continue;
    const PlanStep& user = merger.step(s);
    if (writes_part(program, user)) continue;
    merge_input(merger, s, [&](const PlanStep& producer, std::uint32_t value) {
      return !pure_elementwise(producer) && takes_epilogue(producer) &&
             program.values[value].shape == shape_of(program, user);
    });
  }
  merger.finish();
}

}  // namespace alknet::compute
