#include "alknet/tensor/records.h"

#include <fmt/format.h>

#include "alknet/schema/codec.h"
#include "alknet/tensor/fault.h"
#include "alknet/tensor/file_state.h"
#include "alknet/tensor/rows.h"

namespace alknet::tensor {
namespace {

// What the schema says of a struct tensor, once entries and schema are known to agree.
const schema::FileEntry& struct_facts(const FileState& file, const Entry& entry) {
  file.check_schema();
  const auto* facts = file.schema_text() ? file.file_schema().find(entry.name) : nullptr;
  if (facts == nullptr || facts->form != schema::EntryForm::kStruct) {
    throw file_error(TensorError::kWrongKind, {file.source.path(), entry.name, entry.begin},
                     "the entry is not a struct tensor", "read it as a tensor or as blobs");
  }
  return *facts;
}

}  // namespace

RecordsView::RecordsView(const std::shared_ptr<const FileState>& file, const Entry& entry)
    : bytes_(file, &entry),
      facts_(&struct_facts(*file, entry)),
      layout_(schema::layout(*facts_->node->tensor.element, schema::LayoutMode::kAligned)),
      shape_(entry.shape.begin(), entry.shape.end() - 1),
      data_(bytes_.data()),
      stride_(facts_->stride),
      count_(entry.bytes() / stride_),
      store_(file, entry) {}

void RecordsView::refuse_index(std::uint64_t index) const {
  throw file_error(TensorError::kIndexOutOfRange, {bytes_.path(), name()},
                   fmt::format("record {} of {}", index, count_), "indices count from 0");
}

RecordsView RecordsView::slice(std::uint64_t begin, std::uint64_t end) const {
  const RowRange rows = slice_rows(shape_, begin, end, {bytes_.path(), name()});
  RecordsView part = *this;
  part.shape_.front() = static_cast<std::int64_t>(end - begin);
  part.data_ = data_.subspan(rows.first * stride_, rows.count * stride_);
  part.count_ = rows.count;
  return part;
}

std::vector<std::int64_t> RecordsView::logical_shape() const {
  return tensor::logical_shape(*facts_, shape_, bytes_.path());
}

std::span<const std::byte> RecordsView::blob(schema::BlobRange range, std::uint64_t alignment) const {
  return store_.bytes(range, alignment);
}

Json RecordsView::json(std::uint64_t index) const {
  return schema::decode(layout_, record(index), [this](schema::BlobRange range) { return blob(range); });
}

std::optional<Json> RecordsView::json(std::uint64_t index, const schema::FieldAccess& field) const {
  return field.get_json(record(index), [this](schema::BlobRange range) { return blob(range); });
}

}  // namespace alknet::tensor
