#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace alknet::compute {

/// The learning rate of each step, counted from 0: a function on the host, whose value is an input of the step graph,
/// so that no schedule compiles anything.
using Schedule = std::function<double(std::int64_t step)>;

/// Always the same.
Schedule constant_schedule(double rate);

/// Multiplied by `gamma` every `step_size` steps (torch StepLR).
Schedule step_schedule(double rate, std::int64_t step_size, double gamma = 0.1);

/// From `rate` to `minimum` over `steps` steps along half a cosine, then `minimum` (torch CosineAnnealingLR over its
/// first half period).
Schedule cosine_schedule(double rate, std::int64_t steps, double minimum = 0);

/// Rises linearly from `start_factor` of what `then` says to all of it over `steps` steps (torch LinearLR); `then`
/// counts from the first step of all, or with `shifted` from the end of the rise.
Schedule warm_up(Schedule then, std::int64_t steps, double start_factor = 0, bool shifted = false);

/// Smith's "super-convergence": up from `maximum / initial_divisor` to `maximum` over the first `rise` of `steps`, then
/// down to the beginning `/ final_divisor`, both along half a cosine (torch OneCycleLR).
struct OneCycleOptions {
  double maximum = 1e-2;
  std::int64_t steps = 1;
  double rise = 0.3;
  double initial_divisor = 25;
  double final_divisor = 1e4;
};
Schedule one_cycle_schedule(const OneCycleOptions& options);

/// The scale of losses in mixed precision (torch.amp.GradScaler): halves after gradients that were not finite, doubles
/// after `growth_interval` steps in a row that were. One thread at a time.
class LossScaler {
 public:
  struct Options {
    double initial = 65536;
    double growth = 2;
    double backoff = 0.5;
    std::int64_t growth_interval = 2000;
  };
  LossScaler() : LossScaler(Options{}) {}
  explicit LossScaler(Options options) : options_(options), scale_(options.initial) {}

  /// Of the next step.
  double scale() const { return scale_; }
  void update(bool gradients_finite);

 private:
  Options options_;
  double scale_;
  std::int64_t finite_steps_ = 0;
};

}  // namespace alknet::compute
