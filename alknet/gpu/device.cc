#include "alknet/gpu/device.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/json.h"
#include "alknet/gpu/device_state.h"
#include "alknet/gpu/encoder_state.h"

namespace alknet::gpu {

const AdapterInfo& Device::adapter() const { return state_->adapter; }
std::string_view Device::provider() const { return state_->instance->provider->dialect->name(); }
bool Device::robust() const { return state_->options.robust; }
const std::string& Device::label() const { return state_->options.label; }
const Limits& Device::limits() const { return state_->limits; }
std::span<const Limit> Device::all_limits() const { return state_->all_limits; }
std::span<const std::string> Device::features() const { return state_->features; }
bool Device::has_mappable_buffers() const { return state_->mappable_buffers; }
bool Device::lost() const { return state_->sink->is_lost(); }

bool Device::has_feature(std::string_view feature) const {
  return std::ranges::binary_search(state_->features, feature);
}

std::size_t Device::pipeline_count() const {
  const std::lock_guard lock(state_->mutex);
  return state_->pipelines.size();
}

Submission Device::dispatch(const Pipeline& pipeline, std::span<const Binding> bindings, Workgroups workgroups) const {
  Encoder work = encoder();
  work.dispatch(pipeline, create_bind_group(pipeline, bindings), workgroups);
  return submit(std::move(work));
}

void Device::wait(std::chrono::nanoseconds limit) const {
  if (state_->await_queue(limit)) return;
  throw Error(GpuError::kTimeout,
              fmt::format("Work on the GPU device {} did not finish within {} ms; it goes on running",
                          state_->adapter.id, std::chrono::duration_cast<std::chrono::milliseconds>(limit).count()),
              JsonObject{{"device", state_->adapter.id}, {"nanoseconds", limit.count()}});
}

void Device::destroy() const {
  if (state_->destroyed.exchange(true)) return;
  state_->functions().device_destroy(state_->device.get());
}

void Device::lose(std::string_view message) const {
  state_->check_alive();
  state_->instance->provider->dialect->force_loss(state_->functions(), state_->device.get(), message);
  if (!state_->sink->is_lost()) state_->sink->lost(WGPUDeviceLostReason_Unknown, message);
}

}  // namespace alknet::gpu
