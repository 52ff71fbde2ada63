#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "alknet/gpu/buffer.h"

namespace alknet::gpu {

class Device;

/// Parameter blocks of many dispatches in one uniform buffer, uploaded with one write a submission.
///
/// Bind `buffer()` as kDynamicUniform with the block's size, push each dispatch's block with Encoder::push_uniform and
/// pass the offset to the dispatch. The space is reused after each submission; the queue's order makes that safe. One
/// encoder at a time: a second one that pushes before the first is submitted or dropped gets `validation_failed`.
/// Used by one thread at a time. Outlives the encoders that use it.
class UniformRing {
 public:
  /// `bytes` is rounded up to the device's uniform offset alignment (usually 256, one block's stride).
  explicit UniformRing(const Device& device, std::uint64_t bytes = std::uint64_t{256} << 10);

  const Buffer& buffer() const { return buffer_; }

 private:
  friend class Encoder;
  friend struct UniformRingAccess;

  Buffer buffer_;
  std::vector<std::byte> shadow_;  // what the next submission uploads
  std::uint64_t used_ = 0;
  std::uint64_t alignment_ = 256;
  const void* user_ = nullptr;  // the encoder whose blocks are in `shadow_`
};

}  // namespace alknet::gpu
