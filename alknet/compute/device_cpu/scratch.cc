#include "alknet/compute/device_cpu/scratch.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"

namespace alknet::compute {

namespace {
constexpr std::align_val_t kAlignment{64};
}

void Scratch::Lease::Free::operator()(std::byte* data) const { ::operator delete(data, kAlignment); }

Scratch::Lease::Lease(Lease&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)), data_(std::move(other.data_)), bytes_(other.bytes_) {}

Scratch::Lease::~Lease() {
  if (owner_) owner_->give_back(std::move(data_), bytes_);
}

Scratch::Lease::Block Scratch::allocate(std::size_t bytes) {
  auto* data = static_cast<std::byte*>(::operator new(std::max<std::size_t>(bytes, 64), kAlignment, std::nothrow));
  if (data != nullptr) return Lease::Block(data);
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
      Lease::Block block = std::move(free_.back());
      free_.pop_back();
      return Lease(*this, std::move(block), block_bytes_);
    }
    bytes = std::max(bytes, block_bytes_);
  }
  return Lease(*this, allocate(bytes), bytes);
}

void Scratch::give_back(Lease::Block block, std::size_t bytes) noexcept {
  const std::lock_guard lock(mutex_);
  if (bytes == block_bytes_ && free_.size() < free_.capacity()) free_.push_back(std::move(block));
}

}  // namespace alknet::compute
