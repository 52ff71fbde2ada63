#include "apps/alknet/kernel_workers.h"

#include <utility>

#include "alknet/base/error.h"
#include "alknet/platform/kernel_worker.h"

namespace alknet::app {

std::shared_ptr<compute::KernelWorkers> make_kernel_workers(Loop& loop, const std::string& device,
                                                            const Logger& logger) {
  platform::KernelWorkerOptions options;
  if (device.starts_with("gpu")) options.device = device;
  options.logger = logger;
  try {
    return std::make_shared<platform::KernelWorkerHost>(loop, std::move(options));
  } catch (const Error& error) {
    logger.warning("kernels of callers are not run", {{"reason", error.what()}});
    return nullptr;
  }
}

}  // namespace alknet::app
