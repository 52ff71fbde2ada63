#pragma once

#include <cstdint>
#include <string>

#include "alknet/compute/device_cpu/cpu_kernel.h"

namespace alknet::compute {

/// Reads and checks elements of an index tensor (i32 or i64).
class IndexReader {
 public:
  /// Valid are 0 .. size - 1. `op` names the operation in errors.
  IndexReader(const Operand& indices, std::int64_t size, std::string op);

  /// The indices of one run; `offset` is without the operand's own.
  const std::byte* begin(Slots slots) const {
    return address(slots, indices_.slot, indices_.layout.offset, wide_ ? 8 : 4);
  }

  /// The index at `offset` from `begin`. Throws Error `index_out_of_range`.
  std::int64_t at(const std::byte* begin, std::int64_t offset) const {
    const std::int64_t index = wide_ ? reinterpret_cast<const std::int64_t*>(begin)[offset]
                                     : std::int64_t{reinterpret_cast<const std::int32_t*>(begin)[offset]};
    if (static_cast<std::uint64_t>(index) >= static_cast<std::uint64_t>(size_)) fail(index);
    return index;
  }

 private:
  [[noreturn]] void fail(std::int64_t index) const;

  Operand indices_;
  std::int64_t size_;
  std::string op_;
  bool wide_;
};

}  // namespace alknet::compute
