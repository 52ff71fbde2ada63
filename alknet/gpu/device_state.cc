#include "alknet/gpu/device_state.h"

#include <fmt/format.h>

#include "alknet/base/json.h"
#include "alknet/gpu/encoder_state.h"

namespace alknet::gpu {

void ErrorSink::report(WGPUErrorType type, std::string_view message) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (!report_) report_ = Report{type, std::string(message)};
  } catch (...) {
    // No memory for the text: the flag below still makes the next check throw.
  }
  has_report_.store(true, std::memory_order_release);
}

void ErrorSink::lost(WGPUDeviceLostReason reason, std::string_view message) noexcept {
  // The owner's own destroy is reported here too.
  if (reason == WGPUDeviceLostReason_Destroyed || reason == WGPUDeviceLostReason_CallbackCancelled) return;
  try {
    const std::lock_guard lock(mutex_);
    lost_message_ = message;
  } catch (...) {
    // No memory for the text: the flag below is what matters.
  }
  lost_.store(true, std::memory_order_release);
}

std::optional<ErrorSink::Report> ErrorSink::take() noexcept {
  if (!has_report_.load(std::memory_order_acquire)) return std::nullopt;
  const std::lock_guard lock(mutex_);
  has_report_.store(false, std::memory_order_release);
  std::optional<Report> report = std::exchange(report_, std::nullopt);
  return report ? std::move(report) : Report{WGPUErrorType_OutOfMemory, {}};
}

std::string ErrorSink::lost_message() const {
  const std::lock_guard lock(mutex_);
  return lost_message_;
}

DeviceState::DeviceState() = default;

DeviceState::~DeviceState() {
  if (device && !destroyed) functions().device_destroy(device.get());
  // Mappings under way end with the device; hear of it while the place of their answers exists.
  for (UploadRing::Slot& slot : uploads.slots) {
    WGPUFutureWaitInfo wait{slot.mapping, WGPU_FALSE};
    if (slot.busy) functions().instance_wait_any(instance->instance.get(), 1, &wait, UINT64_MAX);
  }
}

Error DeviceState::gone_error() const {
  JsonObject details{{"device", adapter.id}, {"adapter", adapter.name}};
  if (sink->is_lost()) {
    return {GpuError::kDeviceLost,
            fmt::format("The GPU device {} ({}) was lost: {}. Acquire a new device and load its buffers again",
                        adapter.id, adapter.name, sink->lost_message()),
            std::move(details)};
  }
  return {GpuError::kDestroyed,
          fmt::format("The GPU device {} ({}) was destroyed by its owner and can do nothing more", adapter.id,
                      adapter.name),
          std::move(details)};
}

void DeviceState::check_alive() const {
  if (destroyed || sink->is_lost()) throw gone_error();
}

void DeviceState::check_reports(std::string_view subject) {
  const std::optional<ErrorSink::Report> report = sink->take();
  check_alive();
  if (!report) return;
  throw Error(instance->provider->dialect->classify(report->type, report->message),
              fmt::format("{}: {}", subject, report->message),
              JsonObject{{"object", subject}, {"provider_message", report->message}});
}

bool DeviceState::await(WGPUFuture future, std::chrono::nanoseconds limit) {
  WGPUFutureWaitInfo wait{future, WGPU_FALSE};
  const bool forever = limit == std::chrono::nanoseconds::max();
  const std::uint64_t nanoseconds = forever ? UINT64_MAX : static_cast<std::uint64_t>(limit.count());
  const WGPUWaitStatus status = functions().instance_wait_any(instance->instance.get(), 1, &wait, nanoseconds);
  if (status == WGPUWaitStatus_Success || status == WGPUWaitStatus_TimedOut) return wait.completed != WGPU_FALSE;
  check_alive();
  throw Error(BaseError::kInternal,
              fmt::format("Waiting for the GPU device {} failed with status {}", adapter.id, static_cast<int>(status)));
}

bool DeviceState::await_queue(std::chrono::nanoseconds limit) {
  check_alive();
  WGPUQueueWorkDoneCallbackInfo info{};
  info.mode = WGPUCallbackMode_WaitAnyOnly;
  // Its parameters differ between libraries and none is needed: losing the device is reported on its own.
  info.callback = [](WGPUQueueWorkDoneStatus, WGPUStringView, void*, void*) {};
  const bool done = await(functions().queue_on_submitted_work_done(queue.get(), info), limit);
  check_alive();
  return done;
}

}  // namespace alknet::gpu
