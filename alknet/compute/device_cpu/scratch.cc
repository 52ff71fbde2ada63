#include "alknet/compute/device_cpu/scratch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/compute/error.h"

namespace alknet::compute {

Scratch::Lease::Lease(Lease&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)), data_(std::move(other.data_)), bytes_(other.bytes_) {}

Scratch::Lease::~Lease() {
  if (owner_) owner_->give_back(std::move(data_), bytes_);
}

MemoryBlock Scratch::allocate(std::size_t bytes) {
  MemoryBlock block = allocate_block(bytes);
  if (block) return block;
  throw Error(
      ComputeError::kOutOfMemory,
      fmt::format("cpu: cannot allocate {} bytes of scratch memory: free tensors or use smaller batches", bytes),
      JsonObject{{"device", "cpu"}, {"bytes", bytes}});
}

void Scratch::reserve(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (bytes > block_bytes_) {
    free_.clear();  // leased ones are freed when they come back
    block_bytes_ = bytes;
  }
  free_.reserve(2 * threads_);
  while (free_.size() < threads_) free_.push_back(allocate(block_bytes_));
}

Scratch::Lease Scratch::lease(std::size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (bytes <= block_bytes_ && !free_.empty()) {
      MemoryBlock block = std::move(free_.back());
      free_.pop_back();
      return Lease(*this, std::move(block), block_bytes_);
    }
    bytes = std::max(bytes, block_bytes_);
  }
  return Lease(*this, allocate(bytes), bytes);
}

void Scratch::give_back(MemoryBlock block, std::size_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  if (bytes == block_bytes_ && free_.size() < free_.capacity()) free_.push_back(std::move(block));
}

}  // namespace alknet::compute
