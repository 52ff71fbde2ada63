#include "alknet/schema/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "alknet/base/bytes.h"
#include "alknet/schema/encoder.h"
#include "alknet/schema/value_reader.h"

namespace alknet::schema {
namespace {

/// Bytes of the numbers in a node that holds nothing else; nothing when it does.
std::optional<std::uint64_t> number_bytes(const Node& node) {
  const KindInfo& kind = info(node.kind);
  switch (kind.form) {
    case KindForm::kInteger:
    case KindForm::kFloat: return kind.size;
    case KindForm::kArray: {
      const auto item = node.count ? number_bytes(*node.items) : std::nullopt;
      return item ? checked_mul(*item, *node.count) : std::nullopt;
    }
    case KindForm::kStruct: {
      std::uint64_t sum = 0;
      for (const Property& property : node.properties) {
        const auto bytes = property.nullable() ? std::nullopt : number_bytes(*property.node);
        const auto total = bytes ? checked_add(sum, *bytes) : std::nullopt;
        if (!total) return std::nullopt;
        sum = *total;
      }
      return sum;
    }
    default: return std::nullopt;
  }
}

}  // namespace

std::vector<std::byte> encode(const Layout& layout, const Json& value, const EncodeOptions& options) {
  require_value_bytes(layout);
  return Encoder(layout, options.blobs, std::min<std::uint64_t>(options.max_bytes, UINT32_MAX)).message(value);
}

void encode_into(const Layout& layout, const Json& value, std::span<std::byte> record, const BlobWriter& blobs) {
  require_value_bytes(layout);
  const auto size = layout.mode() == LayoutMode::kAligned ? layout.size() : std::nullopt;
  if (!size || *size != record.size() || layout.of(layout.node()).indirect) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("encode: {} bytes are no record of this layout, which is of {}", record.size(),
                            size ? fmt::format("{} bytes", *size) : "no fixed size"));
  }
  std::fill(record.begin(), record.end(), std::byte{0});
  try {
    Encoder(layout, blobs, UINT64_MAX).fixed_part(value, record);
  } catch (...) {
    std::fill(record.begin(), record.end(), std::byte{0});
    throw;
  }
}

Json decode(const Layout& layout, std::span<const std::byte> bytes, const BlobReader& blobs) {
  require_value_bytes(layout);
  Json out;
  ValueReader(layout, bytes, &blobs, false).read_whole(&out);
  return out;
}

void check_value(const Layout& layout, std::span<const std::byte> bytes) {
  require_value_bytes(layout);
  ValueReader(layout, bytes, nullptr, true).read_whole(nullptr);
}

bool takes_any_bytes(const Layout& layout) {
  const auto size = layout.size();
  return size && number_bytes(layout.node()) == size;
}

}  // namespace alknet::schema
