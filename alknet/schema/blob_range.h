#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace alknet::schema {

/// Where a Blob's bytes are in its store.
struct BlobRange {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  bool operator==(const BlobRange&) const = default;
};

/// Gives the bytes of a blob; throws when they are outside the store. The file layer supplies it.
using BlobReader = std::function<std::span<const std::byte>(BlobRange)>;

/// Puts the bytes of a blob into a store, at a multiple of `alignment`, and says where they are. Never called for empty
/// blobs, which are (0,0).
using BlobWriter = std::function<BlobRange(std::span<const std::byte> bytes, std::uint64_t alignment)>;

}  // namespace alknet::schema
