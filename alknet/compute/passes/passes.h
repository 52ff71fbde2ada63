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

/// Lets matrix products and attention store their result in the order of dimensions in which a copy alone reads it, and
/// drops the copy.
void write_through_views(PlanProgram& program);

/// Computes equal steps and views once. Not shared: random steps, those of checkpoint nodes (gradients recompute them
/// on purpose), assigns and what they read before and after, and the memory of outputs. Copies of what nothing
/// overwrites are dropped.
void share_steps(PlanProgram& program);

/// Computes steps that depend on constants alone and are not large, on `backend`, and adds the results to the constants
/// of `graph`.
void fold_constants(PlanProgram& program, graph::Graph& graph, Backend& backend);

/// Lets element-wise steps read what an expand views, since they broadcast by themselves, and take constants of rank 0
/// as scalars.
void simplify_inputs(PlanProgram& program, const graph::Graph& graph);

/// Gives every value a slot. Values that are never alive together share one, preferably of equal symbolic size; with
/// `in_place` also the result of an element-wise step and an input that nothing else reads later.
void plan_memory(PlanProgram& program, const graph::Graph& graph, bool in_place);

/// The inputs whose numbers dimension expressions of the plan use (see graph::is_size_input).
std::vector<std::uint32_t> find_size_inputs(const PlanProgram& program, const graph::Graph& graph);

/// What is to be bound anew when those numbers change.
SizedParts find_sized_parts(const PlanProgram& program, const graph::Graph& graph,
                            std::span<const std::uint32_t> size_inputs);

/// Whether an operation in it is random.
bool draws_random_numbers(const PlanStep& step);

/// Drops the marked steps; nothing may use their results any more.
void remove_steps(PlanProgram& program, const std::vector<bool>& removed);

/// How many steps and outputs read each value, directly or through a view.
std::vector<std::uint32_t> count_uses(const PlanProgram& program);

}  // namespace alknet::compute
