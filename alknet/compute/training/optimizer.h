#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "alknet/base/json.h"
#include "alknet/compute/training/expression.h"

namespace alknet::compute {

/// How parameters follow from gradients: the rules and defaults of `torch.optim` (Lion: of its authors). The learning
/// rate is an input of each step.
struct OptimizerOptions {
  enum class Kind : std::uint8_t { kSgd, kAdam, kAdamW, kRmsProp, kAdagrad, kLion };
  Kind kind = Kind::kAdamW;
  double weight_decay = 0;  ///< All. Adam and the like add it to the gradient; AdamW and Lion shrink parameters.
  double momentum = 0;      ///< SGD, RMSprop.
  double dampening = 0;     ///< SGD, with momentum.
  bool nesterov = false;    ///< SGD, with momentum and no dampening.
  double beta1 = 0.9;       ///< Adam, AdamW, Lion.
  double beta2 = 0.999;     ///< Adam, AdamW; Lion: 0.99.
  double eps = 1e-8;        ///< Adam, AdamW, RMSprop; Adagrad: 1e-10.
  bool amsgrad = false;     ///< Adam, AdamW.
  double alpha = 0.99;      ///< RMSprop: smoothing.
  bool centered = false;    ///< RMSprop.
  double lr_decay = 0;      ///< Adagrad.
  double initial_accumulator_value = 0;  ///< Adagrad.

  /// The defaults of a kind (AdamW: weight decay 0.01).
  static OptimizerOptions of(Kind kind);

  /// {"name": "sgd" | "adam" | "adamw" | "rmsprop" | "adagrad" | "lion", ...} with members named as above, and
  /// "betas": [b1, b2]. Throws Error `invalid_argument` naming a member that is unknown, not for this kind, or out of
  /// range.
  static OptimizerOptions from_json(const Json& json);
};

/// What the rule of one parameter reads and writes.
struct ParameterUpdate {
  Expression parameter;
  Expression gradient;
  Expression learning_rate;  ///< Rank 0.
  Expression step;           ///< Rank 0: 1 in the first step.

  /// The value of a moment before the step, which begins with `initial` everywhere.
  std::function<Expression(std::string_view moment, double initial)> moment;
  /// Its value after the step.
  std::function<void(std::string_view moment, const Expression& value)> set_moment;
};

/// Appends one step of the rule; returns the new parameter.
///
/// Sources: PyTorch's `torch/optim/*.py` (single-tensor forms); Chen et al., "Symbolic Discovery of Optimization
/// Algorithms" (2023) for Lion.
Expression write_update(const OptimizerOptions& options, const ParameterUpdate& update);

}  // namespace alknet::compute
