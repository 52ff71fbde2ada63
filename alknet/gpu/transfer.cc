// Device::write_buffer and Device::readback: bytes between the CPU's memory and the device's.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "alknet/base/json.h"
#include "alknet/gpu/device.h"
#include "alknet/gpu/device_state.h"
#include "alknet/gpu/encoder_state.h"
#include "alknet/gpu/padding.h"

namespace alknet::gpu {
namespace {

// Writes up to this size leave staging to the provider, which is quick for small ones.
constexpr std::uint64_t kSmallWrite = std::uint64_t{1} << 20;
// Bytes of small writes that the provider may hold before we let the device catch up.
constexpr std::uint64_t kSmallWritesInFlight = std::uint64_t{32} << 20;

void check_range(const Buffer::State& state, std::string_view verb, std::uint64_t offset, std::uint64_t bytes) {
  if (offset % 4 == 0 && offset <= state.size && bytes <= state.size - offset) return;
  throw Error(GpuError::kValidationFailed,
              fmt::format("{}: cannot {} {} bytes at offset {}; it has {} bytes and offsets are multiples of 4",
                          state.describe(), verb, bytes, offset, state.size),
              JsonObject{{"buffer", state.label}, {"offset", offset}, {"bytes", bytes}, {"size", state.size}});
}

void check_mapped(DeviceState& device, const MapAnswer& answer, std::string_view subject) {
  device.check_reports(subject);
  if (answer.status == WGPUMapAsyncStatus_Success) return;
  throw Error(GpuError::kValidationFailed, fmt::format("{}: cannot be mapped: {}", subject, answer.message));
}

// Maps a host-visible buffer once the device has finished with it, and runs `body` on its memory.
template <typename Body>
void with_mapping(DeviceState& device, Buffer::State& state, WGPUMapMode mode, std::uint64_t offset,
                  std::uint64_t bytes, Body body) {
  const std::uint64_t begin = offset / 8 * 8;  // mappings start at multiples of 8
  const std::uint64_t length = padded(offset + bytes - begin, 4);
  device.await_queue();
  const ProviderCall call(device);
  MapAnswer answer;
  map_async(device.functions(), state.buffer.get(), mode, begin, length, answer);
  device.await(answer);
  check_mapped(device, answer, state.describe());
  const Functions& functions = device.functions();
  const bool writes = mode == WGPUMapMode_Write;
  void* memory = writes ? functions.buffer_get_mapped_range(state.buffer.get(), begin, length)
                        : const_cast<void*>(functions.buffer_get_const_mapped_range(state.buffer.get(), begin, length));
  if (memory != nullptr) body(static_cast<std::byte*>(memory) + (offset - begin));
  functions.buffer_unmap(state.buffer.get());
  call.check(state.describe());
  if (memory == nullptr) throw Error(GpuError::kOutOfMemory, fmt::format("{}: cannot be mapped", state.describe()));
}

}  // namespace

struct PendingReadback::State {
  std::shared_ptr<DeviceState> device;
  StagingBuffer staging;
  std::uint64_t bytes = 0;
  MapAnswer answer;
  bool waiting = false;

  ~State() {
    if (!waiting) return;
    device->functions().buffer_destroy(staging.buffer.get());  // ends the mapping, so waiting returns at once
    try {
      device->await(answer);
    } catch (const Error&) {
      // The bytes are not wanted any more, and a device that is gone tells its next user.
    }
  }
};

namespace {

// Records and submits the copy to a staging buffer and asks for its mapping.
void begin_readback(PendingReadback::State& pending, DeviceState& device, const Buffer::State& source,
                    std::uint64_t offset, std::uint64_t bytes) {
  const Functions& functions = device.functions();
  const std::uint64_t length = padded(bytes, 4);
  pending.device = device.shared_from_this();
  pending.bytes = bytes;
  const ProviderCall call(device);
  pending.staging = device.staging.acquire(functions, device.device.get(), length);
  const Handle<WGPUCommandEncoder> encoder(functions.device_create_command_encoder(device.device.get(), nullptr),
                                           functions.command_encoder_release);
  functions.command_encoder_copy_buffer_to_buffer(encoder.get(), source.buffer.get(), offset,
                                                  pending.staging.buffer.get(), 0, length);
  const Handle<WGPUCommandBuffer> commands(functions.command_encoder_finish(encoder.get(), nullptr),
                                           functions.command_buffer_release);
  const WGPUCommandBuffer submitted = commands.get();
  functions.queue_submit(device.queue.get(), 1, &submitted);
  call.check(source.describe());
  map_async(device.functions(), pending.staging.buffer.get(), WGPUMapMode_Read, 0, length, pending.answer);
  pending.waiting = true;
}

void finish_readback(PendingReadback::State& pending, std::span<std::byte> target) {
  DeviceState& device = *pending.device;
  const Functions& functions = device.functions();
  device.await(pending.answer);
  pending.waiting = false;
  const ProviderCall call(device);
  check_mapped(device, pending.answer, "Reading back");
  const void* memory =
      functions.buffer_get_const_mapped_range(pending.staging.buffer.get(), 0, padded(pending.bytes, 4));
  if (memory == nullptr) throw Error(GpuError::kOutOfMemory, "Reading back: the staging buffer cannot be mapped");
  std::memcpy(target.data(), memory, target.size());
  functions.buffer_unmap(pending.staging.buffer.get());
  device.staging.release(std::move(pending.staging));
}

}  // namespace

PendingReadback::PendingReadback() = default;
PendingReadback::PendingReadback(std::unique_ptr<State> state) : state_(std::move(state)) {}
PendingReadback::PendingReadback(PendingReadback&&) noexcept = default;
PendingReadback& PendingReadback::operator=(PendingReadback&&) noexcept = default;
PendingReadback::~PendingReadback() = default;

void PendingReadback::wait(std::span<std::byte> target) {
  if (!state_) throw Error(BaseError::kInvalidArgument, "A readback was waited for twice, or never begun");
  if (target.size() != state_->bytes) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("A readback of {} bytes cannot fill {} bytes", state_->bytes, target.size()));
  }
  const std::unique_ptr<State> state = std::move(state_);
  if (state->bytes > 0) finish_readback(*state, target);
}

PendingReadback Device::readback_async(const Buffer& buffer, std::uint64_t offset, std::uint64_t bytes) const {
  state_->check_alive();
  const Buffer::State& source = usable_state(buffer, *state_);
  check_range(source, "read", offset, bytes);
  auto pending = std::make_unique<PendingReadback::State>();
  if (bytes > 0) begin_readback(*pending, *state_, source, offset, bytes);
  return PendingReadback(std::move(pending));
}

void Device::readback(const Buffer& buffer, std::uint64_t offset, std::span<std::byte> target) const {
  state_->check_alive();
  Buffer::State& source = usable_state(buffer, *state_);
  check_range(source, "read", offset, target.size());
  if (target.empty()) return;
  if (has_usage(source.usage, BufferUsage::kHostVisible)) {
    with_mapping(*state_, source, WGPUMapMode_Read, offset, target.size(),
                 [&](const std::byte* memory) { std::memcpy(target.data(), memory, target.size()); });
    return;
  }
  std::array<PendingReadback::State, Staging::kChunksInFlight> ring;
  const auto chunk_size = [&](std::uint64_t at) { return std::min(Staging::kChunkBytes, target.size() - at); };
  std::uint64_t begun = 0;
  std::size_t next_begun = 0;
  std::size_t next_finished = 0;
  for (std::uint64_t finished = 0; finished < target.size();) {
    while (begun < target.size() && next_begun - next_finished < ring.size()) {
      begin_readback(ring[next_begun++ % ring.size()], *state_, source, offset + begun, chunk_size(begun));
      begun += chunk_size(begun);
    }
    finish_readback(ring[next_finished++ % ring.size()], target.subspan(finished, chunk_size(finished)));
    finished += chunk_size(finished);
  }
}

void read_timestamps(Submission::State& timing) {
  DeviceState& device = *timing.device;
  const Functions& functions = device.functions();
  const std::uint64_t bytes = timing.times.size() * 2 * sizeof(std::uint64_t);
  MapAnswer answer;
  device.check_alive();
  map_async(device.functions(), timing.staging.buffer.get(), WGPUMapMode_Read, 0, bytes, answer);
  device.await(answer);
  const ProviderCall call(device);
  check_mapped(device, answer, "Kernel timings");
  const void* memory = functions.buffer_get_const_mapped_range(timing.staging.buffer.get(), 0, bytes);
  if (memory == nullptr) throw Error(GpuError::kOutOfMemory, "Kernel timings: the staging buffer cannot be mapped");
  std::vector<std::uint64_t> stamps(timing.times.size() * 2);
  std::memcpy(stamps.data(), memory, bytes);
  functions.buffer_unmap(timing.staging.buffer.get());
  device.staging.release(std::move(timing.staging));
  const double period = device.instance->provider->dialect->timestamp_period(device.queue.get());
  for (std::size_t i = 0; i < timing.times.size(); ++i) {
    // A device may round both to the same tick, or swap them by one.
    const std::uint64_t end = std::max(stamps[2 * i], stamps[2 * i + 1]);
    timing.times[i].duration =
        std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(end - stamps[2 * i]) * period));
  }
  timing.read = true;
}

namespace {

// Writes a few bytes through the provider's own staging; the tail of an odd size goes with zeros after it.
void write_small(DeviceState& device, const Buffer::State& target, std::uint64_t offset,
                 std::span<const std::byte> bytes) {
  const Functions& functions = device.functions();
  const std::uint64_t whole = bytes.size() / 4 * 4;
  bool catch_up = false;
  {
    const ProviderCall call(device);
    if (whole > 0) {
      functions.queue_write_buffer(device.queue.get(), target.buffer.get(), offset, bytes.data(), whole);
    }
    if (whole < bytes.size()) {
      std::array<std::byte, 4> tail{};
      std::ranges::copy(bytes.subspan(whole), tail.begin());
      functions.queue_write_buffer(device.queue.get(), target.buffer.get(), offset + whole, tail.data(), tail.size());
    }
    call.check(target.describe());
    device.small_writes += bytes.size();
    if (device.small_writes >= kSmallWritesInFlight) {
      device.small_writes = 0;
      catch_up = true;
      functions.queue_submit(device.queue.get(), 0, nullptr);
    }
  }
  if (catch_up) device.await_queue();
}

// The slot's memory, free for the CPU to write: waits until the device has copied what it held.
std::byte* slot_memory(DeviceState& device, UploadRing::Slot& slot) {
  const Functions& functions = device.functions();
  if (slot.busy) {
    device.await(slot.answer);
    slot.busy = false;
    if (slot.answer.status != WGPUMapAsyncStatus_Success) slot.buffer.reset();  // the next write makes a new one
    check_mapped(device, slot.answer, "Upload staging");
  } else if (!slot.buffer) {
    WGPUBufferDescriptor descriptor{};
    descriptor.label = view_of("alknet upload");
    descriptor.usage = WGPUBufferUsage_MapWrite | WGPUBufferUsage_CopySrc;
    descriptor.size = UploadRing::kChunkBytes;
    descriptor.mappedAtCreation = WGPU_TRUE;
    const ProviderCall call(device);
    slot.buffer = {functions.device_create_buffer(device.device.get(), &descriptor), functions.buffer_release};
    call.check("Upload staging");
  }
  void* memory = functions.buffer_get_mapped_range(slot.buffer.get(), 0, UploadRing::kChunkBytes);
  if (memory != nullptr) return static_cast<std::byte*>(memory);
  device.check_alive();
  throw Error(GpuError::kOutOfMemory, "Upload staging: no memory for a write in chunks");
}

// Writes many whole words through the upload ring.
void write_large(DeviceState& device, const Buffer::State& target, std::uint64_t offset,
                 std::span<const std::byte> bytes) {
  const Functions& functions = device.functions();
  UploadRing& ring = device.uploads;
  const std::lock_guard only_one(ring.mutex);
  for (std::uint64_t written = 0; written < bytes.size();) {
    const std::uint64_t length = std::min<std::uint64_t>(UploadRing::kChunkBytes, bytes.size() - written);
    UploadRing::Slot& slot = ring.slots[ring.next++ % ring.slots.size()];
    std::memcpy(slot_memory(device, slot), bytes.data() + written, length);
    const ProviderCall call(device);
    functions.buffer_unmap(slot.buffer.get());
    const Handle<WGPUCommandEncoder> encoder(functions.device_create_command_encoder(device.device.get(), nullptr),
                                             functions.command_encoder_release);
    functions.command_encoder_copy_buffer_to_buffer(encoder.get(), slot.buffer.get(), 0, target.buffer.get(),
                                                    offset + written, length);
    const Handle<WGPUCommandBuffer> commands(functions.command_encoder_finish(encoder.get(), nullptr),
                                             functions.command_buffer_release);
    const WGPUCommandBuffer submitted = commands.get();
    functions.queue_submit(device.queue.get(), 1, &submitted);
    map_async(functions, slot.buffer.get(), WGPUMapMode_Write, 0, UploadRing::kChunkBytes, slot.answer);
    slot.busy = true;
    call.check(target.describe());
    written += length;
  }
}

}  // namespace

void Device::write_buffer(const Buffer& buffer, std::uint64_t offset, std::span<const std::byte> bytes) const {
  state_->check_alive();
  Buffer::State& target = usable_state(buffer, *state_);
  check_range(target, "write", offset, bytes.size());
  if (bytes.empty()) return;
  if (has_usage(target.usage, BufferUsage::kHostVisible)) {
    with_mapping(*state_, target, WGPUMapMode_Write, offset, bytes.size(),
                 [&](std::byte* memory) { std::memcpy(memory, bytes.data(), bytes.size()); });
    return;
  }
  const std::uint64_t large = bytes.size() > kSmallWrite ? bytes.size() / 4 * 4 : 0;
  if (large > 0) write_large(*state_, target, offset, bytes.first(large));
  if (large < bytes.size()) write_small(*state_, target, offset + large, bytes.subspan(large));
}

}  // namespace alknet::gpu
