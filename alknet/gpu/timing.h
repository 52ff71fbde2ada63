#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "alknet/gpu/encoder.h"
#include "alknet/gpu/handle.h"
#include "alknet/gpu/provider.h"
#include "alknet/gpu/staging.h"

namespace alknet::gpu {

/// Timestamp queries of one encoder: two a dispatch, in query sets made as needed. Used by one thread at a time.
class TimingRecorder {
 public:
  /// Where the next dispatch's pass writes its begin and end. The device's mutex is held.
  WGPUPassTimestampWrites next(const Functions& functions, WGPUDevice device);

  std::size_t count() const { return count_; }

  /// Records the copy of all timestamps, as u64 nanoseconds, into a staging buffer. The device's mutex is held.
  StagingBuffer resolve(const Functions& functions, WGPUDevice device, WGPUCommandEncoder encoder, Staging& staging);

 private:
  std::vector<Handle<WGPUQuerySet>> sets_;
  Handle<WGPUBuffer> resolved_;
  std::size_t count_ = 0;
};

}  // namespace alknet::gpu
