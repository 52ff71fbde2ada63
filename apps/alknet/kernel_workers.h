#pragma once

#include <memory>
#include <string>

#include "alknet/base/log.h"
#include "alknet/base/loop.h"
#include "alknet/compute/operations/kernel_workers.h"

namespace alknet::app {

/// Processes for kernels of callers, on the GPU that `device` names, else on the first adapter. Null when the helper
/// program is missing, which the log tells; then such kernels are refused. The loop must outlive them.
std::shared_ptr<compute::KernelWorkers> make_kernel_workers(Loop& loop, const std::string& device,
                                                            const Logger& logger);

}  // namespace alknet::app
