#include "alknet/tensor/column.h"

#include <fmt/format.h>

#include "alknet/tensor/fault.h"
#include "alknet/tensor/records.h"

namespace alknet::tensor {

using schema::Kind;

ColumnPlace::ColumnPlace(const RecordsView& records, std::string_view path)
    : bytes_(records.bytes_),
      path_(path),
      layout_(records.layout()),
      data_(records.data().data()),
      records_(records.count()),
      stride_(records.stride()),
      record_rank_(records.shape().size()),
      shape_(records.shape().begin(), records.shape().end()) {
  const schema::FieldAccess field = records.field(path);
  place_ = *field.place();  // records of files have every field at a fixed offset
  strides_.resize(shape_.size());
  std::uint64_t stride = stride_;
  for (std::size_t i = shape_.size(); i-- > 0; stride *= static_cast<std::uint64_t>(shape_[i])) {
    strides_[i] = static_cast<std::int64_t>(stride);
  }
  node_ = &field.node();
  while (node_->kind == Kind::kArray) {
    items_ *= *node_->count;
    shape_.push_back(static_cast<std::int64_t>(*node_->count));
    node_ = node_->items;
    strides_.push_back(static_cast<std::int64_t>(*layout_.of(*node_).size));
  }
  scalars_ = items_ == 1 ? records_ : 0;
  first_ = data_ + place_.offset;
}

const std::byte* ColumnPlace::other_element(std::uint64_t index) const {
  if (index >= count()) refuse_index(index);
  return first_ + (index / items_) * stride_ + item_offset(index % items_);
}

std::uint64_t ColumnPlace::item_offset(std::uint64_t item) const {
  std::uint64_t offset = 0;
  for (std::size_t i = shape_.size(); i-- > record_rank_;) {
    const auto size = static_cast<std::uint64_t>(shape_[i]);
    offset += item % size * static_cast<std::uint64_t>(strides_[i]);
    item /= size;
  }
  return offset;
}

std::uint64_t ColumnPlace::flat_index(std::span<const std::int64_t> indices) const {
  bool inside = indices.size() == shape_.size();
  std::uint64_t flat = 0;
  for (std::size_t i = 0; inside && i < indices.size(); ++i) {
    inside = indices[i] >= 0 && indices[i] < shape_[i];
    flat = flat * static_cast<std::uint64_t>(shape_[i]) + static_cast<std::uint64_t>(indices[i]);
  }
  if (inside) return flat;
  throw file_error(TensorError::kIndexOutOfRange, {bytes_.path(), bytes_.name()},
                   fmt::format("element {} of a column {} of shape {}", shape_text(indices), path_, shape_text(shape_)),
                   "give one index a dimension, counted from 0");
}

std::uint64_t ColumnPlace::null_count() const {
  if (!nullable()) return 0;
  std::uint64_t nulls = 0;
  for (std::uint64_t i = 0; i < records_; ++i) nulls += place_.is_present(data_ + i * stride_) ? 0 : items_;
  return nulls;
}

void ColumnPlace::refuse_index(std::uint64_t index) const {
  throw file_error(TensorError::kIndexOutOfRange, {bytes_.path(), bytes_.name()},
                   fmt::format("element {} of {} in column {}", index, count(), path_), "indices count from 0");
}

void ColumnPlace::refuse_value(schema::SchemaError code, std::uint64_t index, std::string_view what) const {
  const auto offset = static_cast<std::uint64_t>(data_ - bytes_.data().data()) + index / items_ * stride_;
  const Error placed =
      file_error(TensorError::kWrongKind, {bytes_.path(), bytes_.name(), bytes_.entry().begin + offset},
                 fmt::format("field {} of record {}: {}", path_, index / items_, what), kDamagedRemedy);
  throw Error(code, placed.message(), placed.details());
}

void ColumnPlace::refuse_type(std::string_view wanted) const {
  throw file_error(
      TensorError::kDtypeMismatch, {bytes_.path(), bytes_.name()},
      fmt::format("the field {} holds {}, it was asked for as {}", path_, schema::name(node_->kind), wanted),
      "ask for the type that the schema has, or read it with get");
}

TextColumn::TextColumn(const RecordsView& records, std::string_view path)
    : ColumnPlace(records, path), blob_(node().kind == Kind::kBlob), store_(records.store_) {
  const schema::Node* text = blob_ ? node().items : &node();  // null: Json
  const bool is_text = text == nullptr || schema::info(text->kind).form == schema::KindForm::kText;
  if (!is_text) refuse_type("text");
  utf8_ = text == nullptr || text->kind != Kind::kBytes;
  max_bytes_ = blob_ ? 0 : node().max_bytes.value_or(0);
}

}  // namespace alknet::tensor
