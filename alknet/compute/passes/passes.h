#pragma once

#include "alknet/compute/plan.h"
#include "alknet/graph/validate.h"

namespace alknet::compute {

/// Writes a valid graph, casts inserted, as values and steps: one step a node, none for views. Where a view needs a
/// copy first, or an output is not a fresh contiguous value, a copying step is added.
PlanProgram lower(const graph::Graph& graph, const graph::TypedGraph& types, const graph::OpTable& ops);

/// Removes steps whose results nothing uses.
void eliminate_dead_steps(PlanProgram& program);

/// Merges an element-wise step into the one that uses its result when nothing else does and the shapes are equal, so
/// that a chain is one pass over memory.
void fuse_elementwise(PlanProgram& program);

/// Applies an element-wise step to the result of the structured operation before it, inside that operation's kernel
/// (bias and activation after matmul).
void fuse_epilogue(PlanProgram& program);

/// Gives every value a slot. Values that are never alive together share one, preferably of equal symbolic size.
void plan_memory(PlanProgram& program, const graph::Graph& graph);

/// Drops the marked steps; nothing may use their results any more.
void remove_steps(PlanProgram& program, const std::vector<bool>& removed);

/// How many steps and outputs read each value, directly or through a view.
std::vector<std::uint32_t> count_uses(const PlanProgram& program);

}  // namespace alknet::compute
