#include "alknet/tensor/values.h"

#include <fmt/format.h>

#include <string>

#include "alknet/schema/error.h"
#include "alknet/tensor/blobs.h"
#include "alknet/tensor/elements.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/limits.h"
#include "alknet/tensor/records.h"

namespace alknet::tensor {
namespace {

constexpr std::size_t kPiece = std::size_t{64} << 10;

// Where there are items, they bound the arrays around them. Without items, a shape alone could ask for any number.
void check_empty_arrays(const File& file, const Selection& selection) {
  std::uint64_t arrays = 1;
  for (const std::int64_t dimension : selection.shape) {
    if (dimension == 0 && arrays > kMaxEmptyArrays) {
      throw file_error(
          TensorError::kSizeOverflow, {file.path(), selection.entry->name},
          fmt::format("shape {} holds nothing and would print as {} empty arrays", shape_text(selection.shape), arrays),
          "choose a part of it: name[i]");
    }
    arrays *= static_cast<std::uint64_t>(dimension);  // of which opening the file checked that it does not overflow
  }
}

/// Prints items as arrays nested by `shape`; `item` appends one item's text. Hands text on in pieces.
template <typename Item>
class NestedPrinter {
 public:
  NestedPrinter(TextSink sink, const Selection& selection, Item item)
      : sink_(sink), shape_(selection.shape), next_(selection.first), item_(item) {}

  void print() {
    print_level(0);
    sink_(text_);
  }

 private:
  void print_level(std::size_t level) {
    if (level == shape_.size()) {
      item_(text_, next_++);
      if (text_.size() >= kPiece) {
        sink_(text_);
        text_.clear();
      }
      return;
    }
    text_ += '[';
    for (std::int64_t i = 0; i < shape_[level]; ++i) {
      if (i != 0) text_ += ',';
      print_level(level + 1);
    }
    text_ += ']';
  }

  TextSink sink_;
  std::span<const std::int64_t> shape_;
  std::uint64_t next_;
  Item item_;
  std::string text_;
};

schema::FieldAccess find_field(const File& file, const RecordsView& records, const Selection& selection) {
  try {
    return records.field(selection.field);
  } catch (const Error& error) {
    throw file_error(TensorError::kBadPath, {file.path(), records.name()}, error.message(),
                     "name a field of the record");
  }
}

void write_records(const File& file, const Selection& selection, TextSink sink) {
  const RecordsView records = file.records(selection.entry->name);
  if (!selection.field.empty()) {
    const auto value = records.json(selection.first, find_field(file, records, selection));
    sink(value ? json_text(*value) : "null");
    return;
  }
  NestedPrinter(sink, selection, [&](std::string& text, std::uint64_t index) {
    text += json_text(records.json(index));
  }).print();
}

void write_blobs(const File& file, const Selection& selection, TextSink sink) {
  const BlobView blobs = file.blobs(selection.entry->name);
  NestedPrinter(sink, selection, [&](std::string& text, std::uint64_t index) {
    text += json_text(blobs.json(index));
  }).print();
}

void write_elements(const File& file, const Selection& selection, TextSink sink) {
  const TensorView view = file.tensor(*selection.entry);
  const auto bytes = view.data();
  NestedPrinter(sink, selection, [&](std::string& text, std::uint64_t index) {
    try {
      append_element(text, view.dtype(), bytes, index);
    } catch (const Error& error) {
      const Error located = file_error(TensorError::kBadPath, {file.path(), view.name(), view.entry().begin + index},
                                       error.message(), kDamagedRemedy);
      throw Error(error.code(), located.message(), located.details());
    }
  }).print();
}

SharedBytes element_bytes(const File& file, const Selection& selection) {
  const TensorView view = file.tensor(*selection.entry);
  const std::uint64_t bits = schema::info(view.dtype()).bits;
  if (selection.first * bits % 8 != 0 || selection.count * bits % 8 != 0) {
    throw file_error(TensorError::kPartialByte, {file.path(), view.name()},
                     fmt::format("{} elements of {} from {} are not whole bytes", selection.count,
                                 schema::name(view.dtype()), selection.first),
                     "choose a range that starts and ends at a byte");
  }
  return view.bytes().slice(selection.first * bits / 8, selection.count * bits / 8);
}

SharedBytes field_bytes(const File& file, const Selection& selection) {
  const RecordsView records = file.records(selection.entry->name);
  const schema::FieldAccess field = find_field(file, records, selection);
  const auto record = records.record(selection.first);
  const schema::Kind kind = field.node().kind;
  if (kind == schema::Kind::kBlob) {
    const auto range = field.get<schema::BlobRange>(record);
    return SharedBytes::copy(range ? records.blob(*range, BlobItem(field.node()).alignment())
                                   : std::span<const std::byte>());
  }
  if (schema::info(kind).form == schema::KindForm::kText) {
    return SharedBytes::copy(field.get<std::string>(record).value_or(""));
  }
  const schema::LayoutField* row = records.layout().field(selection.field);
  if (row == nullptr || !row->offset || !row->bytes) {
    throw file_error(TensorError::kBadPath, {file.path(), records.name()},
                     fmt::format("field {} has no raw bytes of its own", quoted(selection.field)),
                     "choose a field of the record, or print it as JSON");
  }
  return SharedBytes::copy(record.subspan(*row->offset, *row->bytes));
}

}  // namespace

void write_json(const File& file, const Selection& selection, TextSink sink) {
  check_empty_arrays(file, selection);
  switch (selection.form) {
    case schema::EntryForm::kFlat: return write_elements(file, selection, sink);
    case schema::EntryForm::kStruct: return write_records(file, selection, sink);
    case schema::EntryForm::kBlob: return write_blobs(file, selection, sink);
  }
}

Json value_json(const File& file, const Selection& selection) {
  std::string text;
  write_json(file, selection, [&](std::string_view piece) { text += piece; });
  return parse_json(text, {.max_depth = 128});
}

SharedBytes raw_bytes(const File& file, const Selection& selection) {
  if (selection.form == schema::EntryForm::kFlat) return element_bytes(file, selection);
  if (selection.form == schema::EntryForm::kStruct) {
    if (!selection.field.empty()) return field_bytes(file, selection);
    const std::uint64_t stride = file.records(selection.entry->name).stride();
    return file.tensor(*selection.entry).bytes().slice(selection.first * stride, selection.count * stride);
  }
  if (!selection.shape.empty()) {
    throw file_error(TensorError::kBadPath, {file.path(), selection.entry->name}, "several blobs have no raw bytes",
                     "choose one: name[i]");
  }
  return SharedBytes::copy(file.blobs(selection.entry->name).bytes(selection.first));
}

}  // namespace alknet::tensor
