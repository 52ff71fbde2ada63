#include "alknet/schema/value_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/base64.h"
#include "alknet/base/utf8.h"
#include "alknet/schema/scalar.h"

namespace alknet::schema {
namespace {

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Error ValueReader::error(SchemaError code, const Node& node, std::uint64_t at, std::string_view what) const {
  const auto pointer = node.pointer();
  return {code, fmt::format("value at {}, byte {}: {}", pointer.empty() ? "root" : pointer, at, what),
          JsonObject{{"pointer", pointer}, {"offset", at}}};
}

void ValueReader::need(const Node& node, std::uint64_t at, std::uint64_t size) const {
  if (at <= bytes_.size() && size <= bytes_.size() - at) return;
  throw error(SchemaError::kMessageTruncated, node, at,
              fmt::format("{} more bytes are needed, but only {} are there", size,
                          bytes_.size() - std::min<std::uint64_t>(at, bytes_.size())));
}

void ValueReader::require_zero(const Node& node, std::uint64_t begin, std::uint64_t end) const {
  if (!strict_) return;
  for (std::uint64_t at = begin; at < end; ++at) {
    if (*data(at) != std::byte{0}) throw error(SchemaError::kNonzeroPadding, node, at, "unused bytes must be zero");
  }
}

void ValueReader::read_whole(Json* out) {
  heap_end_ = aligned() ? layout_.size().value_or(0) : 0;
  need(layout_.node(), 0, *heap_end_);
  const auto end = read(layout_.node(), 0, out);
  const auto last = aligned() ? *heap_end_ : end;
  if (last == bytes_.size()) return;
  throw error(SchemaError::kBadLength, layout_.node(), last, "there are bytes behind the value");
}

std::uint64_t ValueReader::read(const Node& node, std::uint64_t at, Json* out) {
  // Packed values may recurse as deep as their bytes say.
  if (depth_ >= kMaxSchemaDepth)
    throw error(SchemaError::kSchemaTooDeep, node, at, "the value is nested deeper than 64");
  ++depth_;
  std::uint64_t end = at;
  switch (info(node.kind).form) {
    case KindForm::kText: end = read_text(node, at, out); break;
    case KindForm::kArray: end = read_array(node, at, out); break;
    case KindForm::kRecord: end = read_record(node, at, out); break;
    case KindForm::kUnion: end = read_union(node, at, out); break;
    case KindForm::kBlob: end = read_blob(node, at, out); break;
    case KindForm::kStruct: {
      if (out != nullptr) *out = JsonObject();
      JsonObject* object = out == nullptr ? nullptr : &out->get_object();
      end = aligned() ? read_aligned_struct(node, at, object) : read_struct(node, at, object);
      break;
    }
    default: end = read_scalar(node, at, out); break;
  }
  --depth_;
  if (!aligned()) return end;
  const std::uint64_t size = layout_.of(node).size.value_or(0);
  require_zero(node, end, at + size);
  return at + size;
}

std::uint64_t ValueReader::read_scalar(const Node& node, std::uint64_t at, Json* out) {
  const auto& row = info(node.kind);
  if (row.size == 0)
    throw error(SchemaError::kSchemaInvalid, node, at, fmt::format("a {} has no value in place", row.name));
  need(node, at, row.size);
  const std::byte* from = data(at);
  if (row.form == KindForm::kBoolean) {
    if (*from > std::byte{1}) {
      throw error(SchemaError::kBadBoolean, node, at,
                  fmt::format("a boolean is 0 or 1, not {}", static_cast<int>(*from)));
    }
    if (out != nullptr) *out = *from == std::byte{1};
  } else if (row.form == KindForm::kEnum) {
    const auto index = load_u32(from, node.endian);
    if (index >= node.names.size()) {
      throw error(SchemaError::kBadEnum, node, at,
                  fmt::format("the index {} is none of {} names", index, node.names.size()));
    }
    if (out != nullptr) *out = node.names[index];
  } else if (out != nullptr) {
    *out = scalar_json(node.kind, from, node.endian);
  }
  return at + row.size;
}

std::string_view ValueReader::checked_text(const Node& node, std::uint64_t at, std::uint64_t size) const {
  if (node.max_bytes && size > *node.max_bytes) {
    throw error(SchemaError::kBadLength, node, at,
                fmt::format("{} bytes, but `maxBytes` is {}", size, *node.max_bytes));
  }
  need(node, at, size);
  const auto text = bytes_at(at, size);
  if (node.kind == Kind::kBytes) return text;
  if (const auto bad = find_invalid_utf8(text)) {
    throw error(SchemaError::kBadUtf8, node, at + *bad, "the text is not UTF-8");
  }
  return text;
}

BlobRange ValueReader::indirect(const Node& node, std::uint64_t at) {
  need(node, at, 8);
  const BlobRange range{load_u32(data(at), node.endian), load_u32(data(at) + 4, node.endian)};
  if (range.bytes == 0) {
    if (range.offset != 0) throw error(SchemaError::kBadLength, node, at, "an empty value is (0,0)");
    return range;
  }
  if (range.offset < layout_.size().value_or(0)) {
    throw error(SchemaError::kBadLength, node, at, "the offset is inside the fixed part of the message");
  }
  need(node, range.offset, range.bytes);
  if (heap_end_) {
    if (range.offset < *heap_end_) {
      throw error(SchemaError::kBadLength, node, at, "the heap is not in field order, or two values share bytes");
    }
    require_zero(node, *heap_end_, range.offset);
    heap_end_ = range.offset + range.bytes;
  }
  if (node.kind != Kind::kArray) return range;
  const auto& items = layout_.of(*node.items);
  if (range.bytes % *items.size != 0) {
    throw error(SchemaError::kBadLength, node, at,
                fmt::format("{} bytes are no whole number of items of {} bytes", range.bytes, *items.size));
  }
  if (range.offset % items.align != 0) {
    throw error(SchemaError::kBadLength, node, at, fmt::format("the items are not aligned to {} bytes", items.align));
  }
  return range;
}

std::string_view ValueReader::text(const Node& node, std::uint64_t at) {
  if (aligned() && node.encoding == Encoding::kOffsetIndirect) {
    const auto range = indirect(node, at);
    return checked_text(node, range.offset, range.bytes);
  }
  need(node, at, 4);
  return checked_text(node, at + 4, load_u32(data(at), node.endian));
}

std::uint64_t ValueReader::read_text(const Node& node, std::uint64_t at, Json* out) {
  const auto found = text(node, at);
  if (out != nullptr) {
    *out = node.kind == Kind::kBytes ? Json(base64_text(std::as_bytes(std::span(found)))) : Json(found);
  }
  const bool in_heap = aligned() && node.encoding == Encoding::kOffsetIndirect;
  return in_heap ? at + 8 : at + 4 + found.size();
}

std::uint64_t ValueReader::read_array(const Node& node, std::uint64_t at, Json* out) {
  if (out != nullptr) *out = JsonArray();
  if (node.count) return read_items(node, *node.count, at, out);
  if (!aligned()) {
    const auto count = packed_count(node, at);
    return read_items(node, count, at, out);
  }
  const auto range = indirect(node, at);
  read_items(node, range.bytes / *layout_.of(*node.items).size, range.offset, out);
  return at + 8;
}

std::uint64_t ValueReader::read_items(const Node& node, std::uint64_t count, std::uint64_t at, Json* out) {
  for (std::uint64_t i = 0; i < count; ++i) {
    Json item;
    at = read(*node.items, at, out == nullptr ? nullptr : &item);
    if (out != nullptr) out->get_array().push_back(std::move(item));
  }
  return at;
}

std::uint64_t ValueReader::read_record(const Node& node, std::uint64_t at, Json* out) {
  if (out != nullptr) *out = JsonObject();
  const auto count = packed_count(node, at);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto size = packed_count(node, at);
    need(node, at, size);
    const auto key = bytes_at(at, size);
    if (const auto bad = find_invalid_utf8(key))
      throw error(SchemaError::kBadUtf8, node, at + *bad, "the key is not UTF-8");
    if (out != nullptr && out->get_object().contains(key)) {
      throw error(SchemaError::kBadLength, node, at, fmt::format("the key \"{}\" is there twice", key));
    }
    Json value;
    at = read(*node.items, at + size, out == nullptr ? nullptr : &value);
    if (out != nullptr) out->get_object().emplace(key, std::move(value));
  }
  return at;
}

std::uint64_t ValueReader::read_struct(const Node& node, std::uint64_t at, JsonObject* out) {
  for (const auto& property : node.properties) {
    if (property.nullable() && !packed_presence(*property.node, at)) continue;
    Json value;
    at = read(*property.node, at, out == nullptr ? nullptr : &value);
    if (out != nullptr) out->emplace(property.name, std::move(value));
  }
  return at;
}

std::uint64_t ValueReader::read_aligned_struct(const Node& node, std::uint64_t at, JsonObject* out) {
  const auto& measures = layout_.of(node);
  need(node, at, *measures.size);
  if (measures.bitmap_bytes != 0) {
    const auto nullable = static_cast<std::uint32_t>(
        std::count_if(node.properties.begin(), node.properties.end(), [](const Property& p) { return p.nullable(); }));
    const auto used = nullable % 8 == 0 ? 0xFFU : (1U << nullable % 8) - 1;
    const auto last = at + measures.bitmap_bytes - 1;
    if ((static_cast<std::uint32_t>(*data(last)) & ~used) != 0) {
      throw error(SchemaError::kBadPresence, node, last, "an unused presence bit is set");
    }
  }
  std::uint64_t end = at + measures.bitmap_bytes;
  for (std::size_t i = 0; i < node.properties.size(); ++i) {
    const auto& property = node.properties[i];
    const std::uint64_t begin = at + *measures.offsets[i];
    require_zero(node, end, begin);
    end = begin + *layout_.of(*property.node).size;
    if (!is_present(node, i, at)) {
      require_zero(*property.node, begin, end);
      continue;
    }
    Json value;
    read(*property.node, begin, out == nullptr ? nullptr : &value);
    if (out != nullptr) out->emplace(property.name, std::move(value));
  }
  return end;
}

std::size_t ValueReader::variant_index(const Node& node, std::uint64_t at) const {
  need(node, at, 1);
  const auto index = static_cast<std::size_t>(*data(at));
  if (index < node.variants.size()) return index;
  throw error(SchemaError::kBadEnum, node, at,
              fmt::format("the index {} is none of {} variants", index, node.variants.size()));
}

std::uint64_t ValueReader::read_union(const Node& node, std::uint64_t at, Json* out) {
  const auto& variant = node.variants[variant_index(node, at)];
  JsonObject object{{node.discriminator, variant.tag}};
  at = read_struct(*variant.node, at + 1, out == nullptr ? nullptr : &object);
  if (out != nullptr) *out = std::move(object);
  return at;
}

std::uint64_t ValueReader::read_blob(const Node& node, std::uint64_t at, Json* out) {
  need(node, at, 16);
  if (out == nullptr) return at + 16;
  if (blobs_ == nullptr || !*blobs_) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("value at {}: a Blob's bytes are in a store, which is not given", node.pointer()));
  }
  *out = blob_json(node, (*blobs_)({load_u64(data(at), node.endian), load_u64(data(at) + 8, node.endian)}));
  return at + 16;
}

Json ValueReader::blob_json(const Node& node, std::span<const std::byte> bytes) {
  const auto text = as_text(bytes);
  if (node.items != nullptr && node.items->kind == Kind::kBytes) return Json(base64_text(bytes));
  if (node.items == nullptr || node.items->kind == Kind::kString) {
    if (const auto bad = find_invalid_utf8(text))
      throw error(SchemaError::kBadUtf8, node, *bad, "the blob is not UTF-8");
    if (node.items != nullptr) return Json(text);
    return text.empty() ? Json(nullptr) : parse_json(text);
  }
  // Laid out as in a file, whatever the mode of the message.
  const auto layout = aligned() ? layout_ : schema::layout(*node.items, LayoutMode::kAligned);
  const std::uint64_t size = *layout.of(*node.items).size;
  if (bytes.size() % size != 0) {
    throw error(SchemaError::kBadLength, node, 0,
                fmt::format("a blob of {} bytes is no whole number of items of {}", bytes.size(), size));
  }
  ValueReader items(layout, bytes, nullptr, strict_);
  Json out = JsonArray();
  items.read_items(node, bytes.size() / size, 0, &out);
  return out;
}

bool ValueReader::is_present(const Node& node, std::size_t property, std::uint64_t at) const {
  const auto bit = layout_.of(node).presence_bits[property];
  if (bit < 0) return true;
  const auto index = static_cast<std::uint32_t>(bit);
  need(node, at + index / 8, 1);
  return (static_cast<std::uint32_t>(*data(at + index / 8)) >> (index % 8) & 1U) != 0;
}

bool ValueReader::packed_presence(const Node& node, std::uint64_t& at) const {
  need(node, at, 1);
  const std::byte flag = *data(at);
  if (flag > std::byte{1}) {
    throw error(SchemaError::kBadPresence, node, at,
                fmt::format("a presence byte is 0 or 1, not {}", static_cast<int>(flag)));
  }
  ++at;
  return flag == std::byte{1};
}

std::uint32_t ValueReader::packed_count(const Node& node, std::uint64_t& at) const {
  need(node, at, 4);
  const auto count = load_u32(data(at), node.endian);
  at += 4;
  return count;
}

}  // namespace alknet::schema
