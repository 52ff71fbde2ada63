#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace alknet::compute {

/// Frees what `allocate_block` made.
struct FreeBlock {
  std::align_val_t alignment{64};
  void operator()(std::byte* data) const { ::operator delete(data, alignment); }
};

/// Uninitialised memory, owned.
using MemoryBlock = std::unique_ptr<std::byte, FreeBlock>;

/// A block aligned to 64 bytes; null when there is no memory left. Large blocks are aligned to huge pages and ask the
/// system for them: it then finds addresses faster, and processors read ahead past 4 KiB.
MemoryBlock allocate_block(std::size_t bytes) noexcept;

}  // namespace alknet::compute
