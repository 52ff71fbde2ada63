#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "alknet/base/function_ref.h"
#include "alknet/compute/plan.h"
#include "alknet/compute/tensor.h"

namespace alknet::compute {

/// A plan for one set of input layouts: all sizes known, every kernel bound.
struct BoundPlan {
  std::vector<Strided> inputs;
  std::vector<std::int64_t> sizes;       ///< Of Plan::size_inputs.
  std::vector<Operand> operands;         ///< By value of the plan.
  std::vector<std::size_t> arena_bytes;  ///< By arena slot.
  std::vector<Shape> outputs;
  std::vector<std::unique_ptr<Launch>> launches;  ///< By step.
};

/// What a session knows before inputs come.
struct SessionLayouts {
  graph::DimValues dims;        ///< Those that the states' shapes have.
  std::vector<Strided> states;  ///< By state.
  std::vector<bool> lasting;    ///< By state: whether runs leave its memory as it is.
};

/// Reads the symbolic dimensions off the inputs' shapes and checks every shape against them. `sizes` are the numbers in
/// Plan::size_inputs. Throws Error `shape_mismatch` or `dim_invalid`.
graph::DimValues bind_dims(const Plan& plan, std::span<const Tensor* const> inputs, std::span<const std::int64_t> sizes,
                           const graph::DimValues& known);

/// Binds every kernel, after `measured` has seen what memory they need: kernels prepare what is in proportion to it.
/// Throws Error `shape_mismatch`, `index_out_of_range` for a part outside its state, or what a
/// kernel throws, with the path of the step.
BoundPlan bind_plan(const Plan& plan, const SessionLayouts& session, std::span<const Tensor* const> inputs,
                    std::span<const std::int64_t> sizes, FunctionRef<void(const BoundPlan&)> measured);

/// Binds anew what depends on `sizes`, which are others than those of `bound`; the layouts of the inputs are the same.
void rebind_sizes(const Plan& plan, const SessionLayouts& session, std::span<const Tensor* const> inputs,
                  std::span<const std::int64_t> sizes, BoundPlan& bound, FunctionRef<void(const BoundPlan&)> measured);

}  // namespace alknet::compute
