#pragma once

#include <functional>
#include <span>
#include <vector>

#include "alknet/compute/tensor.h"

namespace alknet::compute {

/// How `grad` and `backward` walk what was recorded.
struct GradOptions {
  bool create_graph = false;  ///< Record the walk as well, so that the gradients can be differentiated.
  bool retain_graph = false;  ///< Keep the saved tensors for another walk. `create_graph` implies it.
  bool allow_unused = false;  ///< An input that the outputs do not depend on has an empty gradient; else an error.
};

/// What each of `inputs` contributes to the sum of `outputs` weighted by `seeds` (empty: 1, for outputs of one
/// element). One walk backwards over the recorded operations, linear in them and without recursion; saved tensors are
/// freed as it goes, and leaves keep their `grad()`. Throws Error `not_differentiable`, `missing_input` (a seed),
/// `shape_mismatch` (of a seed), `stale_version` when a saved tensor was written since, `graph_freed` on a second walk.
std::vector<Tensor> grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs,
                         std::span<const Tensor> seeds = {}, const GradOptions& options = {});

/// The same for several outputs at once into the `grad()` of leaves; see Tensor::backward.
void backward(std::span<const Tensor> outputs, std::span<const Tensor> seeds = {}, const GradOptions& options = {});

/// Tensors to tensors.
using TensorFunction = std::function<std::vector<Tensor>(std::span<const Tensor>)>;

/// Runs `function` on `inputs` without keeping what its operations save: the backward walk runs it again, with the same
/// random numbers. Gradients pass through `inputs` and into leaves that `function` holds itself.
std::vector<Tensor> checkpoint(const TensorFunction& function, std::span<const Tensor> inputs);

}  // namespace alknet::compute
