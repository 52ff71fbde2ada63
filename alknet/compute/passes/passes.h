#pragma once

#include <span>
#include <vector>

#include "alknet/compute/plan.h"
#include "alknet/graph/validate.h"

namespace alknet::compute {

/// Writes a valid graph, casts inserted, as values and steps: one step a node, none for views. Where a view needs a
/// copy first, or an output is not a fresh contiguous value, a copying step is added.
PlanProgram lower(const graph::Graph& graph, const graph::TypedGraph& types, const graph::OpTable& ops);

/// Removes steps whose results nothing uses.
void eliminate_dead_steps(PlanProgram& program);

/// Merges element-wise steps of one shape where one reads what the other computes, so that a chain is one pass over
/// memory; results that others use are written on the way. A cheap step of a smaller result, which broadcasts into its
/// only user, is computed there.
void fuse_elementwise(PlanProgram& program, const KernelLimits& limits);

/// Applies element-wise steps to the result of the structured operation before them, inside that operation's kernel
/// (bias, activation and residual after matmul).
void fuse_epilogue(PlanProgram& program, const KernelLimits& limits);

/// Gives every value a slot. Values that are never alive together share one, preferably of equal symbolic size.
void plan_memory(PlanProgram& program, const graph::Graph& graph);

/// The inputs whose numbers dimension expressions of the plan use (see graph::is_size_input).
std::vector<std::uint32_t> find_size_inputs(const PlanProgram& program, const graph::Graph& graph);

/// What is to be bound anew when those numbers change.
SizedParts find_sized_parts(const PlanProgram& program, const graph::Graph& graph,
                            std::span<const std::uint32_t> size_inputs);

/// Drops the marked steps; nothing may use their results any more.
void remove_steps(PlanProgram& program, const std::vector<bool>& removed);

/// How many steps and outputs read each value, directly or through a view.
std::vector<std::uint32_t> count_uses(const PlanProgram& program);

}  // namespace alknet::compute
