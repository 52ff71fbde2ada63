#include "alknet/gpu/native_device.h"

#include <dlfcn.h>

#include "alknet/gpu/device_state.h"

namespace alknet::gpu {

WGPUDevice NativeDevice::handle() const { return device_.state()->device.get(); }
WGPUQueue NativeDevice::queue() const { return device_.state()->queue.get(); }
const Functions& NativeDevice::functions() const { return device_.state()->functions(); }

void* NativeDevice::function(const char* symbol) const {
  return dlsym(device_.state()->instance->provider->library, symbol);
}

std::uint32_t NativeDevice::texture_format(std::uint32_t standard) const {
  return device_.state()->instance->provider->dialect->texture_format(standard);
}

std::optional<NativeError> NativeDevice::run(FunctionRef<void()> calls) const {
  DeviceState& state = *device_.state();
  const std::lock_guard lock(state.mutex);
  calls();
  std::optional<ErrorSink::Report> report = state.sink->take();
  if (!report || state.sink->is_lost()) return std::nullopt;
  return NativeError{report->type, std::move(report->message)};
}

void NativeDevice::wait(Completion& call) const {
  const DeviceState& state = *device_.state();
  state.instance->provider->dialect->wait(state.functions(), {state.instance->instance.get(), state.device.get()}, call,
                                          UINT64_MAX);
}

void NativeDevice::wait_queue() const {
  const DeviceState& state = *device_.state();
  state.instance->provider->dialect->wait_queue(state.functions(), {state.instance->instance.get(), state.device.get()},
                                                state.queue.get(), UINT64_MAX);
}

bool NativeDevice::answers_later() const { return device_.provider() == "dawn"; }

LostSubscription NativeDevice::on_lost(std::function<void()> callback) const {
  return device_.state()->sink->subscribe(std::move(callback));
}

std::string NativeDevice::lost_message() const { return device_.state()->sink->lost_message(); }

WGPUBuffer native_buffer(const Buffer& buffer) { return buffer.state()->buffer.get(); }
WGPUBufferUsage native_usage(const Buffer& buffer) { return provider_usage(buffer.usage()); }

Buffer adopt_buffer(const Device& device, WGPUBuffer native, std::uint64_t bytes, std::shared_ptr<const void> owner) {
  const NativeDevice below(device);
  reinterpret_cast<void (*)(WGPUBuffer)>(below.function("wgpuBufferAddRef"))(native);
  auto state = std::make_shared<Buffer::State>();
  state->device = device.state();
  state->buffer = {native, below.functions().buffer_release};
  state->size = bytes;
  state->allocated_size = bytes;
  state->usage = BufferUsage::kStorage;
  state->label = "GPUBuffer";
  state->loans = 1;  // it stays its owner's
  state->owner = std::move(owner);
  return Buffer(std::move(state));
}

}  // namespace alknet::gpu
