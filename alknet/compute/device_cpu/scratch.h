#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "alknet/compute/device_cpu/memory_block.h"

namespace alknet::compute {

/// Working memory of loop bodies: a block for each thread that is inside one, kept for the next. Thread-safe.
///
/// `reserve` says at bind time what a body will ask for, so that `lease` finds a block and allocates nothing (unless
/// more threads run loops than were reserved for).
class Scratch {
 public:
  /// `threads`: how many blocks to keep ready.
  explicit Scratch(std::size_t threads) : threads_(threads) {}

  /// A block of at least the size asked for, aligned to 64 bytes; given back when destroyed.
  class Lease {
   public:
    Lease(Lease&& other) noexcept;
    Lease(const Lease&) = delete;
    ~Lease();
    std::byte* data() const { return data_.get(); }

   private:
    friend class Scratch;
    Lease(Scratch& owner, MemoryBlock data, std::size_t bytes)
        : owner_(&owner), data_(std::move(data)), bytes_(bytes) {}
    Scratch* owner_;
    MemoryBlock data_;
    std::size_t bytes_;
  };

  /// Has blocks of `bytes` ready. Throws std::bad_alloc.
  void reserve(std::size_t bytes);

  /// Throws std::bad_alloc.
  Lease lease(std::size_t bytes);

 private:
  static MemoryBlock allocate(std::size_t bytes);
  void give_back(MemoryBlock block, std::size_t bytes) noexcept;

  const std::size_t threads_;
  std::mutex mutex_;
  std::size_t block_bytes_ = 0;
  std::vector<MemoryBlock> free_;  // all of block_bytes_; has room for every block, so giving back allocates nothing
};

/// Parts of a leased block, each aligned to 64 bytes.
class ScratchLayout {
 public:
  /// Adds a part and returns its offset.
  std::size_t add(std::size_t bytes) {
    const std::size_t offset = total_;
    total_ += (bytes + 63) / 64 * 64;
    return offset;
  }
  std::size_t total() const { return total_; }

 private:
  std::size_t total_ = 0;
};

}  // namespace alknet::compute
