#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "alknet/schema/access.h"
#include "alknet/tensor/view.h"

namespace alknet::tensor {

/// The store entry `__blob__.<entry>` that the Blob values of an entry point into. Immutable, thread-safe.
class BlobStore {
 public:
  /// The store of `entry`; one without bytes when the file has none.
  BlobStore(const std::shared_ptr<const FileState>& file, const Entry& entry);

  /// The bytes of one reference. `alignment` is its item's; `at` is where the reference stands in the file, for
  /// messages. Throws `blob_out_of_range`, `blob_misaligned`.
  std::span<const std::byte> bytes(schema::BlobRange range, std::uint64_t alignment,
                                   std::optional<std::uint64_t> at = std::nullopt) const {
    if (range.bytes > data_.size() || range.offset > data_.size() - range.bytes ||
        (range.offset & (alignment - 1)) != 0)
      refuse(range, alignment, at);
    return data_.subspan(range.offset, range.bytes);
  }

  /// Where the bytes of a reference begin, without a check of anything else: null when that is outside the store.
  const std::byte* begin(schema::BlobRange range) const {
    return range.offset < data_.size() ? data_.data() + range.offset : nullptr;
  }

 private:
  [[noreturn]] void refuse(schema::BlobRange range, std::uint64_t alignment, std::optional<std::uint64_t> at) const;

  std::shared_ptr<const FileState> file_;
  const Entry* owner_;
  std::optional<TensorView> store_;
  std::span<const std::byte> data_;
};

}  // namespace alknet::tensor
