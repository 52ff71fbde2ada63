#include "alknet/tensor/blobs.h"

#include <fmt/format.h>

#include <array>

#include "alknet/tensor/fault.h"
#include "alknet/tensor/file_state.h"
#include "alknet/tensor/rows.h"

namespace alknet::tensor {
namespace {

using schema::Kind;

const schema::Node& blob_node(const FileState& file, const Entry& entry) {
  file.check_schema();
  const auto* facts = file.schema_text() ? file.file_schema().find(entry.name) : nullptr;
  if (facts == nullptr || facts->form != schema::EntryForm::kBlob) {
    throw file_error(TensorError::kWrongKind, {file.source.path(), entry.name, entry.begin},
                     "the entry is not a blob tensor", "read it as a tensor or as records");
  }
  return *facts->node->tensor.element;
}

// The kind of the items that a C++ type reads.
Kind native_kind(NativeType type) {
  static constexpr std::array kKinds = {Kind::kNone,   Kind::kInt8,    Kind::kUint8,   Kind::kInt16,
                                        Kind::kUint16, Kind::kInt32,   Kind::kUint32,  Kind::kInt64,
                                        Kind::kUint64, Kind::kFloat32, Kind::kFloat64, Kind::kNone};
  return kKinds[static_cast<std::size_t>(type)];
}

}  // namespace

BlobView::BlobView(const std::shared_ptr<const FileState>& file, const Entry& entry)
    : item_(blob_node(*file, entry)),
      references_(file, &entry),
      store_(file, entry),
      shape_(entry.shape.begin(), entry.shape.end() - 1),
      data_(references_.data()) {}

void BlobView::refuse_index(std::uint64_t index) const {
  throw file_error(TensorError::kIndexOutOfRange, {references_.path(), name()},
                   fmt::format("blob {} of {}", index, count()), "indices count from 0");
}

BlobView BlobView::slice(std::uint64_t begin, std::uint64_t end) const {
  const RowRange rows = slice_rows(shape_, begin, end, {references_.path(), name()});
  BlobView part = *this;
  part.shape_.front() = static_cast<std::int64_t>(end - begin);
  part.first_ = first_ + rows.first;
  part.data_ = data_.subspan(rows.first * kBlobReferenceBytes, rows.count * kBlobReferenceBytes);
  return part;
}

// Runs `read` and adds to its errors which blob of which file they are about.
template <typename Read>
auto BlobView::located(std::uint64_t index, Read read) const {
  const auto found = bytes(index);
  try {
    return read(found);
  } catch (const Error& error) {
    const Error placed = file_error(TensorError::kWrongKind, {references_.path(), name(), reference_offset(index)},
                                    fmt::format("blob {}: {}", index, error.message()), "");
    throw Error(error.code(), placed.message(), placed.details());
  }
}

std::string_view BlobView::checked_text(std::uint64_t index) const {
  return located(index, [&](std::span<const std::byte> blob) { return item_.text(blob); });
}

Json BlobView::json(std::uint64_t index) const {
  return located(index, [&](std::span<const std::byte> blob) { return item_.json(blob); });
}

void BlobView::check(std::uint64_t index) const {
  located(index, [&](std::span<const std::byte> blob) { item_.check(blob); });
}

std::span<const std::byte> BlobView::typed(std::uint64_t index, NativeType type, std::size_t alignment) const {
  return located(index, [&](std::span<const std::byte> blob) {
    if (type != NativeType::kByte) {
      if (native_kind(type) != item_.kind()) {
        throw Error(TensorError::kDtypeMismatch,
                    fmt::format("it holds {}, it was asked for as {}", schema::name(item_.kind()),
                                schema::name(native_kind(type))));
      }
      item_.count(blob);
    }
    if (reinterpret_cast<std::uintptr_t>(blob.data()) % alignment != 0) {
      throw Error(TensorError::kMisaligned,
                  fmt::format("it is not at a multiple of {} bytes: convert the file", alignment));
    }
    return blob;
  });
}

}  // namespace alknet::tensor
