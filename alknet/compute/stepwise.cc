#include "alknet/compute/stepwise.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "alknet/base/error.h"
#include "alknet/base/float16.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

/// What a tensor holds beside numbers.
struct Oddities {
  bool nan = false;
  bool infinity = false;
};

double number(Dtype dtype, const std::byte* at) {
  const auto as = [&]<typename T>(T value) {
    std::memcpy(&value, at, sizeof(value));
    return value;
  };
  switch (dtype) {
    case Dtype::kF16: return static_cast<double>(to_float(as(Half{})));
    case Dtype::kBF16: return static_cast<double>(to_float(as(BFloat16{})));
    case Dtype::kF32: return static_cast<double>(as(float{}));
    default: return as(double{});
  }
}

Oddities oddities(Backend& backend, Slots slots, const Operand& operand) {
  Oddities found;
  const auto& [shape, strides, offset] = operand.layout;
  if (!graph::is_float(operand.dtype) || graph::element_count(shape) == 0) return found;
  std::int64_t first = offset, last = offset;
  for (std::size_t d = 0; d < shape.size(); ++d) (strides[d] < 0 ? first : last) += (shape[d] - 1) * strides[d];
  const std::size_t width = graph::dtype_bytes(operand.dtype);
  std::vector<std::byte> bytes(static_cast<std::size_t>(last - first + 1) * width);
  backend.read(*slots[operand.slot], static_cast<std::size_t>(first) * width, bytes);
  for (std::int64_t i = 0; i < graph::element_count(shape); ++i) {
    std::int64_t rest = i, at = offset - first;
    for (std::size_t d = shape.size(); d-- > 0; rest /= shape[d]) at += rest % shape[d] * strides[d];
    const double value = number(operand.dtype, bytes.data() + static_cast<std::size_t>(at) * width);
    found.nan |= std::isnan(value);
    found.infinity |= std::isinf(value);
  }
  return found;
}

/// Compares what a step writes with what it reads.
class Watcher {
 public:
  Watcher(const Plan& plan, const BoundPlan& bound, Slots slots) : plan_(plan), bound_(bound), slots_(slots) {}

  /// Before the step runs, which may write over its inputs.
  void look_before(const PlanStep& step) {
    read_ = {};
    for (const auto& input : step.inputs) {
      if (input) add(read_, *input);
    }
  }

  void look_after(const PlanStep& step) const {
    Oddities written;
    for (const std::uint32_t output : step.outputs) add(written, output);
    const bool nan = written.nan && !read_.nan;
    const bool infinity = plan_.watch() == Watch::kNonFinite && written.infinity && !read_.infinity && !read_.nan;
    if (!nan && !infinity) return;
    const std::string name = step.computation.name();
    throw Error(ComputeError::kNotFinite,
                fmt::format("{}: [{}] is the first to make {} from inputs without", step.path, name,
                            nan ? "a NaN" : "an infinity"),
                JsonObject{{"path", step.path}, {"op", name}});
  }

 private:
  void add(Oddities& sum, std::uint32_t value) const {
    const Oddities found = oddities(*plan_.backend(), slots_, bound_.operands[value]);
    sum.nan |= found.nan;
    sum.infinity |= found.infinity;
  }

  const Plan& plan_;
  const BoundPlan& bound_;
  Slots slots_;
  Oddities read_;
};

}  // namespace

void run_stepwise(const Plan& plan, const BoundPlan& bound, Slots slots, Trace* trace, KernelTimes* times,
                  std::vector<double>& seconds) {
  const auto& steps = plan.program().steps;
  Backend& backend = *plan.backend();
  Watcher watcher(plan, bound, slots);
  const bool watches = plan.watch() != Watch::kNothing;
  seconds.assign(steps.size(), 0);
  backend.synchronize();  // what was given to the device before does not count
  for (std::size_t s = 0; s < steps.size(); ++s) {
    if (watches) watcher.look_before(steps[s]);
    const auto start = Trace::Clock::now();
    backend.run(std::span(bound.launches).subspan(s, 1), slots);
    backend.synchronize();
    const auto end = Trace::Clock::now();
    seconds[s] = std::chrono::duration<double>(end - start).count();
    if (times) times->add(backend.id(), steps[s].computation.name(), seconds[s]);
    if (trace) {
      const auto& shape = bound.operands[steps[s].outputs.front()].layout.shape;
      trace->add(steps[s].computation.name(), "kernel", start, end,
                 {{"path", steps[s].path}, {"shape", JsonArray(shape.begin(), shape.end())}, {"step", s}});
    }
    if (watches) watcher.look_after(steps[s]);
  }
}

}  // namespace alknet::compute
