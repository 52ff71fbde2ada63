#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "alknet/schema/blob_range.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/file.h"

namespace alknet::tensor {

/// Reads the blobs of one store in bounded memory: a window of the store slides along, so blobs in the order of the
/// store cost one read for many. One thread at a time; memory beyond the window only for a blob that is larger.
class BlobWindow {
 public:
  /// `store` is null for an entry that has none. The file must outlive it.
  BlobWindow(const File& file, const Entry* store, std::string_view owner)
      : file_(file), store_(store), owner_(owner) {}

  /// The bytes of one blob; valid until the next call. Throws `blob_out_of_range`.
  std::span<const std::byte> read(schema::BlobRange range) {
    const std::uint64_t size = store_ == nullptr ? 0 : store_->bytes();
    if (range.bytes > size || range.offset > size - range.bytes) {
      throw file_error(TensorError::kBlobOutOfRange, {file_.path(), owner_}, "a blob leaves its store", kDamagedRemedy);
    }
    if (range.bytes == 0) return {};
    if (range.offset < begin_ || range.offset + range.bytes > begin_ + window_.size()) {
      begin_ = range.offset;
      window_.resize(std::min(std::max(range.bytes, kWindow), size - range.offset));
      file_.read(store_->begin + begin_, window_);
    }
    return std::span(window_).subspan(range.offset - begin_, range.bytes);
  }

 private:
  static constexpr std::uint64_t kWindow = std::uint64_t{1} << 20;
  const File& file_;
  const Entry* store_;
  std::string_view owner_;
  std::uint64_t begin_ = 0;
  std::vector<std::byte> window_;
};

}  // namespace alknet::tensor
