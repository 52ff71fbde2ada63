#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/schema/access.h"
#include "alknet/schema/layout.h"
#include "alknet/tensor/blob_store.h"
#include "alknet/tensor/view.h"

namespace alknet::schema {
struct FileEntry;
}

namespace alknet::tensor {

/// A struct tensor: records of one fixed layout. An index counts records in row-major order. Immutable, thread-safe,
/// cheap to copy; keeps the file alive. In kRead mode the records are read when the view is made.
class RecordsView {
 public:
  std::string_view name() const { return bytes_.name(); }

  /// The shape in records: [n] for an array, blocks along the block axis for block-quantised weights.
  std::span<const std::int64_t> shape() const { return shape_; }

  /// The shape in values: the block axis multiplied by the block's values; equal to `shape` without `block`. Throws
  /// `size_overflow`.
  std::vector<std::int64_t> logical_shape() const;

  std::uint64_t count() const { return count_; }
  std::uint64_t stride() const { return stride_; }  ///< Bytes from one record to the next.

  /// Offsets, kinds and sizes of the fields.
  const schema::Layout& layout() const { return layout_; }

  /// The bytes of all records, and of one. Throws `index_out_of_range`. Valid while this view or a copy of it lives.
  std::span<const std::byte> data() const { return data_; }
  std::span<const std::byte> record(std::uint64_t index) const {
    if (index >= count_) refuse_index(index);
    return data_.subspan(index * stride_, stride_);
  }

  /// A field, found once by its path, for `get` in many records. Throws what schema::FieldAccess throws. Valid while
  /// the file's last view lives.
  schema::FieldAccess field(std::string_view path) const { return {layout_, path}; }

  /// The field's value in one record, nothing when it is absent there. Types and errors: schema::FieldAccess::get.
  template <typename T>
  std::optional<T> get(std::uint64_t index, const schema::FieldAccess& field) const {
    return field.get<T>(record(index));
  }

  /// One record, or one of its fields, as JSON; blobs included. Throws the schema layer's errors, `blob_out_of_range`.
  Json json(std::uint64_t index) const;
  std::optional<Json> json(std::uint64_t index, const schema::FieldAccess& field) const;

  /// The bytes that a Blob field refers to. Throws `blob_out_of_range`, `blob_misaligned`.
  std::span<const std::byte> blob(schema::BlobRange range, std::uint64_t alignment = 1) const;

 private:
  friend class File;
  RecordsView(const std::shared_ptr<const FileState>& file, const Entry& entry);
  [[noreturn]] void refuse_index(std::uint64_t index) const;

  TensorView bytes_;
  const schema::FileEntry* facts_;
  schema::Layout layout_;
  std::span<const std::int64_t> shape_;
  std::span<const std::byte> data_;
  std::uint64_t stride_;
  std::uint64_t count_;
  BlobStore store_;
};

}  // namespace alknet::tensor
