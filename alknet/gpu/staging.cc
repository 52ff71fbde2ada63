#include "alknet/gpu/staging.h"

#include <algorithm>
#include <bit>

#include "alknet/gpu/padding.h"

namespace alknet::gpu {
namespace {

constexpr std::uint64_t kSmallest = std::uint64_t{64} << 10;

}  // namespace

StagingBuffer Staging::acquire(const Functions& functions, WGPUDevice device, std::uint64_t bytes) {
  const std::uint64_t capacity = bytes > kChunkBytes ? padded(bytes, 4) : std::bit_ceil(std::max(bytes, kSmallest));
  const auto kept = std::ranges::find(free_, capacity, &StagingBuffer::capacity);
  if (kept != free_.end()) {
    StagingBuffer buffer = std::move(*kept);
    free_.erase(kept);
    return buffer;
  }
  WGPUBufferDescriptor descriptor{};
  descriptor.label = view_of("alknet staging");
  descriptor.usage = WGPUBufferUsage_MapRead | WGPUBufferUsage_CopyDst;
  descriptor.size = capacity;
  return {{functions.device_create_buffer(device, &descriptor), functions.buffer_release}, capacity};
}

void Staging::release(StagingBuffer buffer) {
  const auto kept = std::ranges::count(free_, buffer.capacity, &StagingBuffer::capacity);
  if (buffer.capacity > kChunkBytes || static_cast<std::size_t>(kept) >= kChunksInFlight) return;
  free_.push_back(std::move(buffer));
}

void map_async(const Functions& functions, WGPUBuffer buffer, WGPUMapMode mode, std::uint64_t offset,
               std::uint64_t bytes, MapAnswer& answer) {
  answer.done = false;
  answer.status = WGPUMapAsyncStatus_Force32;
  answer.message.clear();
  WGPUBufferMapCallbackInfo info{};
  info.mode = WGPUCallbackMode_WaitAnyOnly;
  info.userdata1 = &answer;
  info.callback = [](WGPUMapAsyncStatus status, WGPUStringView message, void* user, void*) {
    auto* to = static_cast<MapAnswer*>(user);
    to->status = status;
    to->message = text_of(message);
    to->done = true;
  };
  answer.future = functions.buffer_map_async(buffer, mode, offset, bytes, info);
}

}  // namespace alknet::gpu
