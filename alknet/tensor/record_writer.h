#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/schema/access.h"
#include "alknet/schema/file_schema.h"
#include "alknet/schema/layout.h"
#include "alknet/tensor/blob_item.h"
#include "alknet/tensor/view.h"
#include "alknet/tensor/writer.h"

namespace alknet::tensor {

/// Appends the items of one growing struct or blob tensor, in row-major order: what RecordWriter and BlobWriter share.
/// The tensor's first dimension is counted; the others are the schema's. One thread at a time; the Writer must outlive
/// it and stay where it is.
class ItemWriter {
 public:
  /// Items appended so far.
  std::uint64_t count() const { return count_; }

  /// Appends one instance of the record or blob, as the schema has it. Throws what schema::encode_into throws, with
  /// `entry` and `index` in details; nothing is appended then.
  void append_json(const Json& instance);

 protected:
  /// Declares the entry and its store in `writer`, which has not been started. Throws `entry_missing` when its schema
  /// has no such entry, `wrong_kind` when that is of another form.
  ItemWriter(Writer& writer, std::string_view entry, schema::EntryForm form);

  void append_items(std::span<const std::byte> items);
  schema::BlobRange store(std::span<const std::byte> blob);
  [[noreturn]] void refuse(const Error& error) const;

  const schema::FileEntry& entry() const { return *entry_; }
  const schema::Layout& item_layout() const { return layout_; }

 private:
  Writer& writer_;
  const schema::FileEntry* entry_;
  schema::Layout layout_;
  Writer::Id id_ = 0;
  std::optional<Writer::Id> store_;
  std::vector<std::byte> item_;
  std::uint64_t count_ = 0;
};

/// Appends records: `std::ranges::copy(instances, std::back_inserter(records))`, too.
class RecordWriter : public ItemWriter {
 public:
  using value_type = Json;

  RecordWriter(Writer& writer, std::string_view entry);

  /// Offsets, kinds and sizes of the fields, for callers that make the bytes: schema::FieldAccess sets fields.
  const schema::Layout& layout() const { return item_layout(); }
  std::uint64_t stride() const;

  /// Appends the bytes of whole records, whose Blob fields `store` has made. Throws `size_mismatch`. The bytes are
  /// taken as they are; tensor::verify checks them.
  void append(std::span<const std::byte> records);
  void append(const Json& instance) { append_json(instance); }
  void push_back(const Json& instance) { append_json(instance); }

  /// Puts the content of a Blob field into the entry's store; the result is the field's value. Throws `wrong_kind` when
  /// the records have no Blobs.
  schema::BlobRange store_blob(std::span<const std::byte> bytes) { return store(bytes); }
  schema::BlobRange store_blob(std::string_view text) { return store(std::as_bytes(std::span(text))); }
};

/// Appends blobs: texts, bytes, JSON texts or arrays of numbers.
class BlobWriter : public ItemWriter {
 public:
  using value_type = std::string_view;

  BlobWriter(Writer& writer, std::string_view entry);

  /// Appends one blob, checked as its item: texts are UTF-8, Json is JSON, items are whole and valid. Throws
  /// `bad_utf8`, `json_invalid`, `bad_length` and others, with `entry` and `index` in details.
  void append(std::span<const std::byte> bytes);
  void append(std::string_view text) { append(std::as_bytes(std::span(text))); }
  void push_back(std::string_view text) { append(text); }

  /// Appends an array of plain numbers of the item's kind. Throws `dtype_mismatch`.
  template <typename T>
  void append_values(std::span<const T> values) {
    append_numbers(schema::native_kind<T>(), std::as_bytes(values));
  }

 private:
  void append_numbers(schema::Kind kind, std::span<const std::byte> bytes);
  void append_checked(std::span<const std::byte> bytes);

  BlobItem item_;
};

}  // namespace alknet::tensor
