#include "alknet/compute/training/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "alknet/base/error.h"

namespace alknet::compute {
namespace {

void require_steps(std::int64_t steps) {
  if (steps < 1) throw Error(BaseError::kInvalidArgument, fmt::format("a schedule over {} steps: at least 1", steps));
}

/// From `begin` at 0 to `end` at 1 along half a cosine.
double cosine_between(double begin, double end, double part) {
  return end + (begin - end) * (1 + std::cos(std::numbers::pi * part)) / 2;
}

}  // namespace

Schedule constant_schedule(double rate) {
  return [rate](std::int64_t) { return rate; };
}

Schedule step_schedule(double rate, std::int64_t step_size, double gamma) {
  require_steps(step_size);
  return [=](std::int64_t step) { return rate * std::pow(gamma, static_cast<double>(step / step_size)); };
}

Schedule cosine_schedule(double rate, std::int64_t steps, double minimum) {
  require_steps(steps);
  return [=](std::int64_t step) {
    return cosine_between(rate, minimum, static_cast<double>(std::min(step, steps)) / static_cast<double>(steps));
  };
}

Schedule warm_up(Schedule then, std::int64_t steps, double start_factor, bool shifted) {
  require_steps(steps);
  return [=, then = std::move(then)](std::int64_t step) {
    const double part = std::min(1.0, static_cast<double>(step) / static_cast<double>(steps));
    const double full = then(shifted ? std::max<std::int64_t>(0, step - steps) : step);
    return full * (start_factor + (1 - start_factor) * part);
  };
}

Schedule one_cycle_schedule(const OneCycleOptions& options) {
  require_steps(options.steps);
  if (!(options.rise >= 0 && options.rise <= 1)) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("a cycle that rises for {} of its steps: 0 to 1", options.rise));
  }
  return [=](std::int64_t step) {
    const double last = static_cast<double>(options.steps - 1);
    const double top = options.rise * static_cast<double>(options.steps) - 1;
    const double begin = options.maximum / options.initial_divisor;
    const double at = std::min(static_cast<double>(step), last);
    if (at <= top) return cosine_between(begin, options.maximum, at / top);
    return cosine_between(options.maximum, begin / options.final_divisor, last > top ? (at - top) / (last - top) : 1);
  };
}

void LossScaler::update(bool gradients_finite) {
  if (!gradients_finite) {
    scale_ *= options_.backoff;
    finite_steps_ = 0;
  } else if (++finite_steps_ == options_.growth_interval) {
    scale_ *= options_.growth;
    finite_steps_ = 0;
  }
}

}  // namespace alknet::compute
