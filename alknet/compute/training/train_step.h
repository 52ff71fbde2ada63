#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "alknet/compute/training/optimizer.h"
#include "alknet/graph/graph.h"

namespace alknet::compute {

/// What a step does between the gradients and the optimizer.
struct TrainStepOptions {
  OptimizerOptions optimizer = {};
  std::optional<double> clip_value = {};  ///< Every gradient is cut to [-v, v].
  /// All gradients are scaled down together when the norm of all of them is larger (torch.nn.utils.clip_grad_norm_).
  std::optional<double> clip_norm = {};
  /// The loss is multiplied by the input `loss_scale` and the gradients divided by it. When a gradient is not finite,
  /// every state keeps its value, and the output `gradients_finite` is false.
  bool loss_scaling = false;
};

// Names in step graphs.
inline constexpr std::string_view kLearningRate = "learning_rate";        ///< Input, f32 [].
inline constexpr std::string_view kLossScale = "loss_scale";              ///< Input, f32 [], with loss scaling.
inline constexpr std::string_view kGradientsFinite = "gradients_finite";  ///< Output, bool [], with loss scaling.
inline constexpr std::string_view kGradientNorm = "gradient_norm";        ///< Output, f32 [], with `clip_norm`.
inline constexpr std::string_view kOptimizerStep = "optim.step";          ///< State, f32 []: steps taken.

/// A graph that computes `forward` and takes one step against the gradient of its output `loss` (one element) for every
/// trainable state: forward, gradients, unscale, clip, optimizer, assigns, as one run. No device is touched.
///
/// Inputs: those of `forward`, then `learning_rate`, then `loss_scale`. Outputs: those of `forward`, then those named
/// above. Moments are states `optim.<parameter>.<moment>`, f32 (f64 for f64 parameters), made as zeros where the store
/// lacks them. Throws what graph::grad throws, and Error `graph_invalid` when there is no trainable state.
graph::Graph train_step(const graph::Graph& forward, std::string_view loss, const TrainStepOptions& options,
                        const graph::OpTable& ops = graph::OpTable::builtin());

/// Gradient accumulation, first part: `forward` and its gradients added to the states `grad.<parameter>` (zeros at
/// first). With loss scaling they are added as they are, scaled. Inputs and outputs as `train_step` but for the
/// learning rate.
graph::Graph accumulate_step(const graph::Graph& forward, std::string_view loss, const TrainStepOptions& options,
                             const graph::OpTable& ops = graph::OpTable::builtin());

/// Gradient accumulation, second part: averages what `count` runs of `accumulate_step` added, takes the step with it,
/// and makes the sums 0 again. Inputs: `learning_rate` and `loss_scale`; outputs: those named above.
graph::Graph apply_step(const graph::Graph& forward, std::int64_t count, const TrainStepOptions& options,
                        const graph::OpTable& ops = graph::OpTable::builtin());

}  // namespace alknet::compute
