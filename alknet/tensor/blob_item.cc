#include "alknet/tensor/blob_item.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/base64.h"
#include "alknet/base/error.h"
#include "alknet/base/utf8.h"
#include "alknet/schema/codec.h"
#include "alknet/schema/error.h"
#include "alknet/tensor/error.h"

namespace alknet::tensor {

using schema::Kind;

BlobItem::BlobItem(const schema::Node& blob)
    : kind_(blob.items == nullptr ? Kind::kJson : blob.items->kind),
      alignment_(std::max(1U, blob.items == nullptr ? 1U : blob.items->align)) {
  if (is_text() || kind_ == Kind::kBytes) return;
  layout_ = schema::layout(*blob.items, schema::LayoutMode::kAligned);
  alignment_ = layout_->align();
}

std::string_view BlobItem::text(std::span<const std::byte> blob) const {
  if (!is_text()) {
    throw Error(TensorError::kWrongKind, fmt::format("the blob holds {}, not text", schema::name(kind_)));
  }
  const std::string_view text(reinterpret_cast<const char*>(blob.data()), blob.size());
  if (const auto fault = find_invalid_utf8(text)) {
    throw Error(schema::SchemaError::kBadUtf8, fmt::format("the blob is not UTF-8 at its byte {}", *fault));
  }
  return text;
}

std::uint64_t BlobItem::count(std::span<const std::byte> blob) const {
  const std::uint64_t size = *layout_->size();
  if (blob.size() % size != 0) {
    throw Error(schema::SchemaError::kBadLength,
                fmt::format("the blob has {} bytes, its items {} each", blob.size(), size));
  }
  return blob.size() / size;
}

Json BlobItem::json(std::span<const std::byte> blob) const {
  if (kind_ == Kind::kJson) return blob.empty() ? Json(nullptr) : parse_json(text(blob));
  if (is_text()) return Json(text(blob));
  if (kind_ == Kind::kBytes) return Json(base64_text(blob));
  const std::uint64_t items = count(blob);
  JsonArray array;
  array.reserve(items);
  for (std::uint64_t i = 0; i < items; ++i) {
    const std::uint64_t size = *layout_->size();
    array.push_back(schema::decode(*layout_, blob.subspan(i * size, size)));
  }
  return array;
}

void BlobItem::check(std::span<const std::byte> blob) const {
  if (kind_ == Kind::kBytes || blob.empty()) return;
  if (is_text()) {
    kind_ == Kind::kJson ? void(json(blob)) : void(text(blob));
    return;
  }
  const std::uint64_t items = count(blob);
  for (std::uint64_t i = 0; i < items; ++i) {
    const std::uint64_t size = *layout_->size();
    schema::check_value(*layout_, blob.subspan(i * size, size));
  }
}

}  // namespace alknet::tensor
