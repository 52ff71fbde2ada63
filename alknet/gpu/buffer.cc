#include "alknet/gpu/buffer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "alknet/base/json.h"
#include "alknet/gpu/device_state.h"
#include "alknet/gpu/padding.h"

namespace alknet::gpu {
namespace {

constexpr std::uint64_t kGranularity = 16;  // a vec4<f32>

struct UsageRow {
  BufferUsage ours;
  WGPUBufferUsage theirs;
};
constexpr UsageRow kUsages[] = {
    {BufferUsage::kStorage, WGPUBufferUsage_Storage},
    {BufferUsage::kUniform, WGPUBufferUsage_Uniform},
    {BufferUsage::kIndirect, WGPUBufferUsage_Indirect},
    {BufferUsage::kHostVisible, WGPUBufferUsage_MapRead | WGPUBufferUsage_MapWrite},
};

std::shared_ptr<Buffer::State> make_state(DeviceState& device, std::uint64_t bytes, BufferUsage usage,
                                          std::string_view label) {
  auto state = std::make_shared<Buffer::State>();
  state->device = device.shared_from_this();
  state->size = bytes;
  state->usage = usage;
  state->label = label;
  if (bytes > device.limits.max_buffer_size || bytes > UINT64_MAX - kGranularity) {
    throw Error(
        GpuError::kLimitExceeded,
        fmt::format("{} needs {} bytes; the GPU device {} ({}) allows {} a buffer. Split it, or use the cpu",
                    state->describe(), bytes, device.adapter.id, device.adapter.name, device.limits.max_buffer_size),
        JsonObject{{"limit", "maxBufferSize"}, {"value", bytes}, {"maximum", device.limits.max_buffer_size}});
  }
  if (has_usage(usage, BufferUsage::kHostVisible) && !device.mappable_buffers) {
    throw Error(GpuError::kFeatureMissing,
                fmt::format("{} is to be host-visible, which the GPU device {} cannot: it needs the feature "
                            "buffer-map-extended-usages and a device that is not robust",
                            state->describe(), device.adapter.id),
                JsonObject{{"feature", "buffer-map-extended-usages"}});
  }
  state->allocated_size = padded(std::max(bytes, kGranularity), kGranularity);
  return state;
}

// Makes the provider's buffer. With `contents`, it starts with them.
void allocate(DeviceState& device, Buffer::State& state, std::span<const std::byte> contents) {
  const Functions& functions = device.functions();
  WGPUBufferDescriptor descriptor{};
  descriptor.label = view_of(state.label);
  descriptor.usage = provider_usage(state.usage);
  descriptor.size = state.allocated_size;
  descriptor.mappedAtCreation = contents.empty() ? WGPU_FALSE : WGPU_TRUE;
  const ProviderCall call(device);
  state.buffer = {functions.device_create_buffer(device.device.get(), &descriptor), functions.buffer_release};
  call.check(state.describe());
  const auto out_of_memory = [&] {
    return Error(GpuError::kOutOfMemory,
                 fmt::format("{} of {} bytes: the GPU device {} has no memory left for it", state.describe(),
                             state.allocated_size, device.adapter.id),
                 JsonObject{{"bytes", state.allocated_size}});
  };
  if (!state.buffer) throw out_of_memory();
  if (contents.empty()) return;
  void* mapped = functions.buffer_get_mapped_range(state.buffer.get(), 0, state.allocated_size);
  if (mapped == nullptr) throw out_of_memory();
  std::memcpy(mapped, contents.data(), contents.size());
  functions.buffer_unmap(state.buffer.get());
  call.check(state.describe());
}

}  // namespace

WGPUBufferUsage provider_usage(BufferUsage usage) {
  WGPUBufferUsage result = WGPUBufferUsage_CopySrc | WGPUBufferUsage_CopyDst;
  for (const UsageRow& row : kUsages) {
    if (has_usage(usage, row.ours)) result |= row.theirs;
  }
  return result;
}

Buffer::State::~State() { release(); }

void Buffer::State::release() noexcept {
  if (loans == 0) destroy();
}

void Buffer::State::destroy() noexcept {
  if (destroyed.exchange(true) || !buffer) return;
  device->functions().buffer_destroy(buffer.get());
}

std::string Buffer::State::describe() const {
  return label.empty() ? std::string("GPU buffer") : fmt::format("GPU buffer \"{}\"", label);
}

Buffer::State& usable_state(const Buffer& buffer, const DeviceState& device) {
  Buffer::State* state = buffer.state().get();
  if (state == nullptr) {
    throw Error(GpuError::kValidationFailed, "A GPU buffer that was never created (or was moved from) is used");
  }
  if (state->device.get() != &device) {
    throw Error(GpuError::kValidationFailed, fmt::format("{} belongs to another device than the one it is used on ({})",
                                                         state->describe(), device.adapter.id));
  }
  if (state->destroyed) {
    throw Error(GpuError::kDestroyed, fmt::format("{} was destroyed and is used afterwards", state->describe()),
                JsonObject{{"buffer", state->label}});
  }
  return *state;
}

Buffer::Buffer() = default;
Buffer::Buffer(std::shared_ptr<State> state) : state_(std::move(state)) {}
Buffer::Buffer(Buffer&& other) noexcept = default;
Buffer::~Buffer() {
  if (state_) state_->release();
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    if (state_) state_->release();
    state_ = std::move(other.state_);
  }
  return *this;
}

std::uint64_t Buffer::size() const { return state_ ? state_->size : 0; }
std::uint64_t Buffer::allocated_size() const { return state_ ? state_->allocated_size : 0; }
BufferUsage Buffer::usage() const { return state_ ? state_->usage : BufferUsage{}; }

const std::string& Buffer::label() const {
  static const std::string kNone;
  return state_ ? state_->label : kNone;
}

bool Buffer::valid() const {
  return state_ && !state_->destroyed && !state_->device->destroyed && !state_->device->sink->is_lost();
}

void Buffer::lend() const { ++state_->loans; }
void Buffer::end_loan() const { --state_->loans; }

std::shared_ptr<DeviceState> device_of(const Buffer& buffer) { return buffer.state()->device; }

void Buffer::destroy() {
  if (state_) state_->destroy();
}

Buffer Device::create_buffer(std::uint64_t bytes, BufferUsage usage, std::string_view label) const {
  auto state = make_state(*state_, bytes, usage, label);
  allocate(*state_, *state, {});
  return Buffer(std::move(state));
}

Buffer Device::create_buffer(std::span<const std::byte> contents, BufferUsage usage, std::string_view label) const {
  auto state = make_state(*state_, contents.size(), usage, label);
  // Elsewhere a mapping would stage all bytes at once, and twice as slowly as writes in chunks.
  const bool mapped = has_usage(usage, BufferUsage::kHostVisible);
  allocate(*state_, *state, mapped ? contents : std::span<const std::byte>());
  Buffer buffer(std::move(state));
  if (!mapped) write_buffer(buffer, 0, contents);
  return buffer;
}

}  // namespace alknet::gpu
