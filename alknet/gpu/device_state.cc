#include "alknet/gpu/device_state.h"

#include <fmt/format.h>

#include "alknet/base/json.h"
#include "alknet/gpu/encoder_state.h"

namespace alknet::gpu {
namespace {

std::uint64_t wait_limit(std::chrono::nanoseconds limit) {
  return limit == std::chrono::nanoseconds::max() ? UINT64_MAX : static_cast<std::uint64_t>(limit.count());
}

}  // namespace

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
  std::vector<std::weak_ptr<std::function<void()>>> subscribers;
  {
    const std::lock_guard lock(mutex_);
    subscribers.swap(subscribers_);
  }
  for (const auto& subscriber : subscribers) {
    if (const auto callback = subscriber.lock()) (*callback)();
  }
}

std::shared_ptr<void> ErrorSink::subscribe(std::function<void()> callback) {
  auto held = std::make_shared<std::function<void()>>(std::move(callback));
  const std::lock_guard lock(mutex_);
  std::erase_if(subscribers_, [](const auto& one) { return one.expired(); });
  subscribers_.push_back(held);
  return held;
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
    if (!slot.busy) continue;
    instance->provider->dialect->wait(functions(), {instance->instance.get(), device.get()}, slot.answer, UINT64_MAX);
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

bool DeviceState::finish_wait(WGPUWaitStatus status) const {
  if (status == WGPUWaitStatus_Success) return true;
  if (status == WGPUWaitStatus_TimedOut) return false;
  check_alive();
  throw Error(BaseError::kInternal,
              fmt::format("Waiting for the GPU device {} failed with status {}", adapter.id, static_cast<int>(status)));
}

bool DeviceState::await(Completion& call, std::chrono::nanoseconds limit) {
  return finish_wait(instance->provider->dialect->wait(functions(), {instance->instance.get(), device.get()}, call,
                                                       wait_limit(limit)));
}

bool DeviceState::await_queue(std::chrono::nanoseconds limit) {
  check_alive();
  const bool done = finish_wait(instance->provider->dialect->wait_queue(
      functions(), {instance->instance.get(), device.get()}, queue.get(), wait_limit(limit)));
  check_alive();
  return done;
}

}  // namespace alknet::gpu
