#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "alknet/base/error.h"
#include "alknet/base/function_ref.h"

namespace alknet::compute {

/// How a training goes on after its device was lost (driver reset, removal).
struct Recovery {
  /// How far its checkpoint is, for example in epochs; never falls.
  std::function<std::int64_t()> progress;
  /// Told of each loss before the next attempt; may be empty.
  std::function<void(const Error&)> on_loss = {};
  /// Losses in a row without progress after which the error is thrown: the work itself may be what resets the device.
  std::size_t max_losses = 3;
};

/// Runs `attempt` until it returns. When it throws `device_lost`, it is called again: it opens the device anew
/// (Devices::open acquires another in place of a lost one), loads the last checkpoint and goes on from there. Other
/// errors pass.
void run_with_recovery(FunctionRef<void()> attempt, const Recovery& recovery);

}  // namespace alknet::compute
