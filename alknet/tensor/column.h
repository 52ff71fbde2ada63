#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "alknet/base/bytes.h"
#include "alknet/base/utf8.h"
#include "alknet/schema/access.h"
#include "alknet/tensor/blob_store.h"
#include "alknet/tensor/index_iterator.h"
#include "alknet/tensor/view.h"

namespace alknet::tensor {

class RecordsView;

/// The kind of field that a column of T reads: numbers their own type, std::uint16_t also the bits of Float16 and
/// BFloat16, std::uint32_t also the index of an Enum, bool Boolean.
template <typename T>
consteval schema::Kind column_kind() {
  return std::is_same_v<T, bool> ? schema::Kind::kBoolean : schema::native_kind<T>();
}

/// Where the elements of one field of all records are: a strided array over the records' own bytes. What Column and
/// TextColumn share. Immutable, thread-safe; keeps the file alive.
class ColumnPlace {
 public:
  ColumnPlace(const RecordsView& records, std::string_view path);

  /// The shape of the records, then the counts of the Arrays that the field is.
  std::span<const std::int64_t> shape() const { return shape_; }

  /// Bytes from one element to the next, for each dimension.
  std::span<const std::int64_t> strides() const { return strides_; }

  /// Elements: the product of the shape.
  std::uint64_t count() const { return records_ * items_; }

  /// Whether some record may lack the field.
  bool nullable() const { return !place_.presence.empty(); }

  /// Whether the record of the index-th element has the field. Throws `index_out_of_range`.
  bool is_valid(std::uint64_t index) const {
    if (index >= count()) refuse_index(index);
    return place_.is_present(data_ + (items_ == 1 ? index : index / items_) * stride_);
  }

  /// Elements that are not valid; looks at every record.
  std::uint64_t null_count() const;

  /// What one element is.
  const schema::Node& node() const { return *node_; }

  /// The path as it was asked for.
  const std::string& path() const { return path_; }

 protected:
  /// The bytes of the index-th element in row-major order, checked.
  const std::byte* element(std::uint64_t index) const {
    // Few instructions, so that the memory accesses of several elements are under way at once.
    if (index < scalars_) return first_ + index * stride_;
    return other_element(index);
  }
  /// The same for one index a dimension. Throws `index_out_of_range`, also for another number of indices.
  std::uint64_t flat_index(std::span<const std::int64_t> indices) const;

  [[noreturn]] void refuse_index(std::uint64_t index) const;
  [[noreturn]] void refuse_value(schema::SchemaError code, std::uint64_t index, std::string_view what) const;
  [[noreturn]] void refuse_type(std::string_view wanted) const;

 private:
  const std::byte* other_element(std::uint64_t index) const;
  std::uint64_t item_offset(std::uint64_t item) const;

  TensorView bytes_;  // keeps the memory
  std::string path_;
  schema::Layout layout_;  // keeps nothing, but names the nodes' measures
  const schema::Node* node_ = nullptr;
  schema::FieldPlace place_;
  const std::byte* data_;
  std::uint64_t records_;
  std::uint64_t stride_;
  std::uint64_t items_ = 1;           // elements a record
  std::uint64_t scalars_ = 0;         // the count, when items_ is 1
  const std::byte* first_ = nullptr;  // the first element
  std::size_t record_rank_ = 0;
  std::vector<std::int64_t> shape_;
  std::vector<std::int64_t> strides_;
};

/// One numeric, Boolean or Enum field of all records, read where it lies: nothing is copied, no alignment is needed.
/// Fields inside Structs and counted Arrays are reached by path ("position.x", "pixels[3]"); a field that is itself a
/// counted Array adds its dimensions to the shape.
template <typename T>
class Column : public ColumnPlace {
 public:
  /// Throws `not_found` for an unknown path, `dtype_mismatch` when T does not read the field's kind (column_kind).
  Column(const RecordsView& records, std::string_view path) : ColumnPlace(records, path) {
    const auto kind = node().kind;
    const bool bits =
        std::is_same_v<T, std::uint16_t> && (kind == schema::Kind::kFloat16 || kind == schema::Kind::kBFloat16);
    const bool index = std::is_same_v<T, std::uint32_t> && kind == schema::Kind::kEnum;
    if (kind != column_kind<T>() && !bits && !index) refuse_type(schema::name(column_kind<T>()));
    if (index) limit_ = node().names.size();
  }

  /// The index-th element in row-major order, as stored: an absent field's bytes are zeros in a valid file. Throws
  /// `index_out_of_range`, `bad_boolean`, `bad_enum`.
  T operator[](std::uint64_t index) const { return load(index, element(index)); }

  /// The element at one index a dimension. Throws as operator[].
  template <typename... Indices>
  T at(Indices... indices) const {
    const std::int64_t all[] = {static_cast<std::int64_t>(indices)...};
    return (*this)[flat_index(all)];
  }

  /// The element, or nothing when it is absent.
  std::optional<T> get(std::uint64_t index) const {
    if (!is_valid(index)) return std::nullopt;
    return (*this)[index];
  }

  IndexIterator<Column> begin() const { return {*this, 0}; }
  IndexIterator<Column> end() const { return {*this, count()}; }

 private:
  T load(std::uint64_t index, const std::byte* from) const {
    if constexpr (std::is_same_v<T, bool>) {
      if (*from > std::byte{1}) refuse_value(schema::SchemaError::kBadBoolean, index, "the boolean is neither 0 nor 1");
      return *from == std::byte{1};
    } else {
      const T value = load_le<T>(from);
      if constexpr (std::is_same_v<T, std::uint32_t>) {
        if (value >= limit_) refuse_value(schema::SchemaError::kBadEnum, index, "the index is beyond the names");
      }
      return value;
    }
  }

  std::uint64_t limit_ = UINT64_MAX;  // Enum: the number of names
};

/// One text field of all records: String, Timestamp, Bytes in place, or a Blob of String, Bytes or Json. The texts are
/// read where they lie; nothing is allocated.
class TextColumn : public ColumnPlace {
 public:
  /// Throws as Column.
  TextColumn(const RecordsView& records, std::string_view path);

  /// The index-th text; empty when it is absent (see is_valid). Throws `index_out_of_range`, `bad_length`, `bad_utf8`,
  /// `blob_out_of_range`. Valid while this column or a copy of it lives.
  std::string_view operator[](std::uint64_t index) const {
    const std::byte* from = element(index);
    if (nullable() && !is_valid(index)) return {};
    std::string_view text;
    if (blob_) {
      const auto bytes = store_.bytes(load_le<schema::BlobRange>(from), 1);
      text = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    } else {
      const auto size = load_le<std::uint32_t>(from);
      if (size > max_bytes_) refuse_value(schema::SchemaError::kBadLength, index, "it is longer than its reservation");
      text = {reinterpret_cast<const char*>(from + 4), size};
    }
    if (utf8_ && !is_ascii(text) && find_invalid_utf8(text)) {
      refuse_value(schema::SchemaError::kBadUtf8, index, "it is not UTF-8");
    }
    return text;
  }

  /// The text, or nothing when it is absent.
  std::optional<std::string_view> get(std::uint64_t index) const {
    if (!is_valid(index)) return std::nullopt;
    return (*this)[index];
  }

  IndexIterator<TextColumn> begin() const { return {*this, 0}; }
  IndexIterator<TextColumn> end() const { return {*this, count()}; }

 private:
  bool blob_;
  bool utf8_;
  std::uint64_t max_bytes_;
  BlobStore store_;
};

}  // namespace alknet::tensor
