#include "alknet/compute/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"
#include "alknet/compute/passes/passes.h"
#include "alknet/graph/composite.h"

namespace alknet::compute {

std::uint32_t PlanProgram::base(std::uint32_t value) const {
  while (values[value].source == ValueSource::kView || values[value].source == ValueSource::kVersion) {
    value = values[value].index;
  }
  return value;
}

std::optional<std::uint32_t> PlanProgram::state_of(std::uint32_t value) const {
  const PlanValue& memory = values[base(value)];
  if (memory.source == ValueSource::kState) return memory.index;
  if (memory.target) return memory.target->state;
  return std::nullopt;
}

bool PlanProgram::assigns(const PlanStep& step) const {
  return std::any_of(step.outputs.begin(), step.outputs.end(),
                     [&](std::uint32_t output) { return values[output].target.has_value(); });
}

std::shared_ptr<const Plan> Plan::compile(const graph::Graph& graph, std::shared_ptr<Backend> backend,
                                          const CompileOptions& options, const graph::OpTable& ops) {
  std::shared_ptr<Plan> plan(new Plan());
  plan->graph_ = graph::expand_composites(graph::insert_casts(graph, ops), ops).graph;
  plan->backend_ = std::move(backend);
  PlanProgram& program = plan->program_;
  program = lower(plan->graph_, graph::infer(plan->graph_, ops), ops);
  if (options.share) share_steps(program);
  if (options.fold_constants) fold_constants(program, plan->graph_, *plan->backend_);
  eliminate_dead_steps(program);
  const KernelLimits limits = plan->backend_->kernel_limits();
  if (options.fuse && options.watch == Watch::kNothing) {
    simplify_inputs(program, plan->graph_);
    fuse_elementwise(program, limits);
    if (options.fuse_epilogues) fuse_epilogue(program, limits);
    write_through_views(program);
  }
  plan->watch_ = options.watch;
  plan_memory(program, plan->graph_, options.reuse_inputs && limits.in_place);
  plan->size_inputs_ = find_size_inputs(program, plan->graph_);
  plan->sized_ = find_sized_parts(program, plan->graph_, plan->size_inputs_);
  plan->assigned_.assign(plan->graph_.states.size(), false);
  for (const PlanValue& value : program.values) {
    if (value.target) plan->assigned_[value.target->state] = true;
  }
  for (PlanStep& step : program.steps) {
    try {
      step.kernel = plan->backend_->kernel(step.computation);
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("{}: {}", step.path, error.message()), error.details());
    }
  }
  return plan;
}

}  // namespace alknet::compute
