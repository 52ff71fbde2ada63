#include "alknet/tensor/blob_store.h"

#include <fmt/format.h>

#include "alknet/tensor/fault.h"
#include "alknet/tensor/file_state.h"
#include "alknet/tensor/limits.h"

namespace alknet::tensor {

BlobStore::BlobStore(const std::shared_ptr<const FileState>& file, const Entry& entry) : file_(file), owner_(&entry) {
  const Entry* store = file->header.find(std::string(kBlobPrefix) + std::string(entry.name));
  if (store == nullptr) return;
  store_.emplace(TensorView(file, store));
  data_ = store_->data();
}

void BlobStore::refuse(schema::BlobRange range, std::uint64_t alignment, std::optional<std::uint64_t> at) const {
  const Where where{file_->source.path(), owner_->name, at};
  if (range.bytes > data_.size() || range.offset > data_.size() - range.bytes) {
    throw file_error(
        TensorError::kBlobOutOfRange, where,
        fmt::format("a blob of {} bytes at {} leaves its store of {} bytes", range.bytes, range.offset, data_.size()),
        kDamagedRemedy);
  }
  throw file_error(
      TensorError::kBlobMisaligned, where,
      fmt::format("a blob at {}, which is no multiple of its item's alignment {}", range.offset, alignment),
      "write the file again");
}

}  // namespace alknet::tensor
