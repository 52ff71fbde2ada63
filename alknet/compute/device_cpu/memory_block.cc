#include "alknet/compute/device_cpu/memory_block.h"

#include <sys/mman.h>

#include <algorithm>

namespace alknet::compute {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

MemoryBlock allocate_block(std::size_t bytes) noexcept {
  const bool large = bytes >= 2 * kHugePage;
  const std::align_val_t alignment{large ? kHugePage : 64};
  auto* const data = static_cast<std::byte*>(::operator new(std::max<std::size_t>(bytes, 1), alignment, std::nothrow));
  // Only advice: the block serves as well when the system refuses.
  if (large && data) static_cast<void>(madvise(data, bytes / kHugePage * kHugePage, MADV_HUGEPAGE));
  return MemoryBlock(data, FreeBlock{alignment});
}

}  // namespace alknet::compute
