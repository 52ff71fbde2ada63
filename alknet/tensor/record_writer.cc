#include "alknet/tensor/record_writer.h"

#include <fmt/format.h>

#include <array>

#include "alknet/base/bytes.h"
#include "alknet/schema/codec.h"
#include "alknet/schema/file_schema.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/file_facts.h"
#include "alknet/tensor/limits.h"

namespace alknet::tensor {
namespace {

const schema::FileEntry& entry_of(const Writer& writer, std::string_view name, schema::EntryForm form) {
  const auto* entry = writer.schema_entry(name);
  if (entry == nullptr) {
    throw file_error(TensorError::kEntryMissing, {writer.path(), name}, "the writer's schema has no such entry",
                     "give the Writer a schema with it");
  }
  if (entry->form != form) {
    throw file_error(
        TensorError::kWrongKind, {writer.path(), name},
        fmt::format("the schema says it is a {} tensor, not a {} one", tensor::name(entry->form), tensor::name(form)),
        "use the writer of its form");
  }
  return *entry;
}

}  // namespace

ItemWriter::ItemWriter(Writer& writer, std::string_view entry, schema::EntryForm form)
    : writer_(writer),
      entry_(&entry_of(writer, entry, form)),
      layout_(schema::layout(*entry_->node->tensor.element, schema::LayoutMode::kAligned)),
      item_(entry_->stride) {
  // A single item, of shape [], grows by bytes: its one stored dimension is the stride.
  std::vector<std::int64_t> row(entry_->shape.begin() + 1, entry_->shape.end());
  if (entry_->has_store) store_ = writer.declare_store(entry_->name, entry_->store_align);
  id_ = writer.declare_growing({.name = entry_->name, .dtype = entry_->dtype, .shape = std::move(row)});
}

void ItemWriter::refuse(const Error& error) const {
  JsonObject details = error.details().is_object() ? error.details().get_object() : JsonObject();
  details["entry"] = entry_->name;
  details["index"] = count_;
  throw Error(error.code(),
              fmt::format("{}, entry {}, item {}: {}", writer_.path(), quoted(entry_->name), count_, error.message()),
              std::move(details));
}

void ItemWriter::append_json(const Json& instance) {
  try {
    schema::encode_into(layout_, instance, item_,
                        [this](std::span<const std::byte> blob, std::uint64_t) { return store(blob); });
  } catch (const Error& error) {
    refuse(error);
  }
  append_items(item_);
}

void ItemWriter::append_items(std::span<const std::byte> items) {
  writer_.append(id_, items);
  count_ += items.size() / entry_->stride;
}

schema::BlobRange ItemWriter::store(std::span<const std::byte> blob) {
  if (store_) return writer_.store_blob(*store_, blob);
  throw file_error(TensorError::kWrongKind, {writer_.path(), entry_->name}, "its records have no Blob fields",
                   "store blobs for an entry that has some");
}

RecordWriter::RecordWriter(Writer& writer, std::string_view entry)
    : ItemWriter(writer, entry, schema::EntryForm::kStruct) {}

std::uint64_t RecordWriter::stride() const { return entry().stride; }

void RecordWriter::append(std::span<const std::byte> records) {
  if (records.size() % stride() != 0) {
    refuse(Error(TensorError::kSizeMismatch,
                 fmt::format("{} bytes are no whole number of records of {}", records.size(), stride())));
  }
  append_items(records);
}

BlobWriter::BlobWriter(Writer& writer, std::string_view entry)
    : ItemWriter(writer, entry, schema::EntryForm::kBlob), item_(item_layout().node()) {}

void BlobWriter::append(std::span<const std::byte> bytes) {
  try {
    item_.check(bytes);
  } catch (const Error& error) {
    refuse(error);
  }
  append_checked(bytes);
}

void BlobWriter::append_checked(std::span<const std::byte> bytes) {
  const auto range = store(bytes);
  std::array<std::byte, kBlobReferenceBytes> reference;
  store_le(reference.data(), range);
  append_items(reference);
}

void BlobWriter::append_numbers(schema::Kind kind, std::span<const std::byte> bytes) {
  if (kind != item_.kind() || kind == schema::Kind::kNone) {
    refuse(Error(TensorError::kDtypeMismatch,
                 fmt::format("it holds {}, {} were given", schema::name(item_.kind()), schema::name(kind))));
  }
  append_checked(bytes);
}

}  // namespace alknet::tensor
