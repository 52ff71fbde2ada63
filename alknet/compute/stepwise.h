#pragma once

#include <vector>

#include "alknet/compute/bound_plan.h"
#include "alknet/compute/kernel_times.h"
#include "alknet/compute/plan.h"
#include "alknet/compute/trace.h"

namespace alknet::compute {

/// Runs a bound plan one kernel at a time, waiting for each: for what looks at single kernels. Sets `seconds` by step,
/// adds to `trace` and `times` unless they are null, and watches as the plan was compiled to. Throws Error `not_finite`
/// naming the step that made a NaN or an infinity, or what a kernel throws.
void run_stepwise(const Plan& plan, const BoundPlan& bound, Slots slots, Trace* trace, KernelTimes* times,
                  std::vector<double>& seconds);

}  // namespace alknet::compute
