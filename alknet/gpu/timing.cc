#include "alknet/gpu/timing.h"

#include <algorithm>

namespace alknet::gpu {
namespace {

constexpr std::uint32_t kQueriesPerSet = 256;
constexpr std::uint64_t kSetBytes = std::uint64_t{kQueriesPerSet} * 8;

}  // namespace

WGPUPassTimestampWrites TimingRecorder::next(const Functions& functions, WGPUDevice device) {
  const std::size_t query = 2 * count_++;
  if (query / kQueriesPerSet >= sets_.size()) {
    WGPUQuerySetDescriptor descriptor{};
    descriptor.type = WGPUQueryType_Timestamp;
    descriptor.count = kQueriesPerSet;
    sets_.emplace_back(functions.device_create_query_set(device, &descriptor), functions.query_set_release);
  }
  const auto index = static_cast<std::uint32_t>(query % kQueriesPerSet);
  WGPUPassTimestampWrites writes{};
  writes.querySet = sets_.back().get();
  writes.beginningOfPassWriteIndex = index;
  writes.endOfPassWriteIndex = index + 1;
  return writes;
}

StagingBuffer TimingRecorder::resolve(const Functions& functions, WGPUDevice device, WGPUCommandEncoder encoder,
                                      Staging& staging) {
  const std::uint64_t bytes = sets_.size() * kSetBytes;
  WGPUBufferDescriptor descriptor{};
  descriptor.label = view_of("alknet timestamps");
  descriptor.usage = WGPUBufferUsage_QueryResolve | WGPUBufferUsage_CopySrc;
  descriptor.size = bytes;
  resolved_ = {functions.device_create_buffer(device, &descriptor), functions.buffer_release};
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    const std::size_t left = 2 * count_ - i * kQueriesPerSet;
    const auto queries = static_cast<std::uint32_t>(std::min<std::size_t>(kQueriesPerSet, left));
    functions.command_encoder_resolve_query_set(encoder, sets_[i].get(), 0, queries, resolved_.get(), i * kSetBytes);
  }
  StagingBuffer target = staging.acquire(functions, device, bytes);
  functions.command_encoder_copy_buffer_to_buffer(encoder, resolved_.get(), 0, target.buffer.get(), 0, bytes);
  return target;
}

}  // namespace alknet::gpu
