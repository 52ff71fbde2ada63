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
#include "alknet/tensor/column.h"
#include "alknet/tensor/index_iterator.h"
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

  /// One field of all records, without copying (column.h): `records.column<float>("position.x")`. Throws `not_found`,
  /// `dtype_mismatch`.
  template <typename T>
  Column<T> column(std::string_view path) const {
    return {*this, path};
  }
  TextColumn text_column(std::string_view path) const { return {*this, path}; }

  /// One record of a range-for over the view; refers to the view.
  class Item {
   public:
    std::uint64_t index() const { return index_; }
    std::span<const std::byte> bytes() const { return view_->record(index_); }
    template <typename T>
    std::optional<T> get(const schema::FieldAccess& field) const {
      return view_->get<T>(index_, field);
    }
    Json json() const { return view_->json(index_); }

   private:
    friend class RecordsView;
    Item(const RecordsView& view, std::uint64_t index) : view_(&view), index_(index) {}
    const RecordsView* view_;
    std::uint64_t index_;
  };

  Item operator[](std::uint64_t index) const { return {*this, index}; }
  IndexIterator<RecordsView> begin() const { return {*this, 0}; }
  IndexIterator<RecordsView> end() const { return {*this, count_}; }

  /// Rows [begin, end) of the first dimension, sharing the memory; index 0 is then the first record of row `begin`.
  /// Throws `index_out_of_range`.
  RecordsView slice(std::uint64_t begin, std::uint64_t end) const;

  /// One record, or one of its fields, as JSON; blobs included. Throws the schema layer's errors, `blob_out_of_range`.
  Json json(std::uint64_t index) const;
  std::optional<Json> json(std::uint64_t index, const schema::FieldAccess& field) const;

  /// The bytes that a Blob field refers to. Throws `blob_out_of_range`, `blob_misaligned`.
  std::span<const std::byte> blob(schema::BlobRange range, std::uint64_t alignment = 1) const;

 private:
  friend class File;
  friend class ColumnPlace;
  friend class TextColumn;
  RecordsView(const std::shared_ptr<const FileState>& file, const Entry& entry);
  [[noreturn]] void refuse_index(std::uint64_t index) const;

  TensorView bytes_;
  const schema::FileEntry* facts_;
  schema::Layout layout_;
  std::vector<std::int64_t> shape_;
  std::span<const std::byte> data_;
  std::uint64_t stride_;
  std::uint64_t count_;
  BlobStore store_;
};

}  // namespace alknet::tensor
