#pragma once

#include <cstdint>

namespace alknet::gpu {

/// `bytes` rounded up to a multiple of `alignment`, for sizes already known to be far below 2^64.
constexpr std::uint64_t padded(std::uint64_t bytes, std::uint64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

}  // namespace alknet::gpu
