#include "alknet/compute/training/recovery.h"

#include "alknet/gpu/error.h"

namespace alknet::compute {

void run_with_recovery(FunctionRef<void()> attempt, const Recovery& recovery) {
  std::int64_t reached = recovery.progress();
  for (std::size_t losses = 0;;) {
    try {
      return attempt();
    } catch (const Error& error) {
      if (error.code() != make_error_code(gpu::GpuError::kDeviceLost)) throw;
      const std::int64_t now = recovery.progress();
      losses = now > reached ? 1 : losses + 1;
      reached = now;
      if (losses >= recovery.max_losses) throw;
      if (recovery.on_loss) recovery.on_loss(error);
    }
  }
}

}  // namespace alknet::compute
