#include "alknet/schema/encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "alknet/base/base64.h"
#include "alknet/base/bytes.h"
#include "alknet/base/near_names.h"
#include "alknet/base/utf8.h"
#include "alknet/schema/fail.h"
#include "alknet/schema/scalar.h"
#include "alknet/schema/timestamp.h"

namespace alknet::schema {
namespace {

constexpr std::uint64_t kReferenceBytes = 16;  // of a Blob

}  // namespace

std::vector<std::byte> Encoder::message(const Json& value) {
  const auto& measures = layout_.of(layout_.node());
  const InstancePath root;
  if (!aligned()) {
    write(layout_.node(), value, root, nullptr);
    write_contents(packed_);
    return std::move(packed_);
  }
  const std::uint64_t size = measures.size.value_or(0);
  check_size(layout_.node(), root, size);
  std::vector<std::byte> bytes(size);
  fixed_part(value, bytes);
  bytes.insert(bytes.end(), heap_.begin(), heap_.end());
  return bytes;
}

void Encoder::fixed_part(const Json& value, std::span<std::byte> record) {
  fixed_ = record;
  write(layout_.node(), value, {}, record.data());
  write_contents(record);
}

Error Encoder::error(SchemaError code, const Node& node, const InstancePath& path, std::string_view what) const {
  const auto text = path.text();
  return {code, fmt::format("encode at \"{}\": {}", text, what),
          JsonObject{{"instance_path", text}, {"pointer", node.pointer()}}};
}

Error Encoder::wrong(const Node& node, const InstancePath& path, const Json& value) const {
  return error(SchemaError::kInstanceInvalid, node, path,
               fmt::format("{} is no {}: expected {}", shown(value), name(node.kind), info(node.kind).expects));
}

void Encoder::check_size(const Node& node, const InstancePath& path, std::uint64_t size) const {
  if (size <= max_bytes_) return;
  throw error(SchemaError::kBadLength, node, path, fmt::format("the message is longer than {} bytes", max_bytes_));
}

std::uint64_t Encoder::size_of(const Node& node, const InstancePath& path, std::uint64_t count,
                               std::uint64_t stride) const {
  const auto size = checked_mul(count, stride);
  check_size(node, path, size.value_or(UINT64_MAX));
  return *size;
}

std::byte* Encoder::place(const Node& node, const InstancePath& path, std::byte* to, std::uint64_t size) {
  if (to != nullptr) return to;
  const std::size_t at = packed_.size();
  check_size(node, path, at + size);
  packed_.resize(at + size);
  return packed_.data() + at;
}

void Encoder::append_count(const Node& node, const InstancePath& path, std::uint64_t count) {
  check_size(node, path, count);  // each counted thing has a byte
  store_u32(place(node, path, nullptr, 4), static_cast<std::uint32_t>(count), node.endian);
}

std::byte* Encoder::place_in_heap(const Node& node, const InstancePath& path, std::byte* to, std::uint64_t size,
                                  std::uint64_t align) {
  if (size == 0) return nullptr;
  const std::uint64_t offset = *align_up<std::uint64_t>(fixed_.size() + heap_.size(), align);
  check_size(node, path, offset + size);
  heap_.resize(offset + size - fixed_.size());
  store_u32(to, static_cast<std::uint32_t>(offset), node.endian);
  store_u32(to + 4, static_cast<std::uint32_t>(size), node.endian);
  return heap_.data() + (offset - fixed_.size());
}

void Encoder::write(const Node& node, const Json& value, const InstancePath& path, std::byte* to) {
  if (depth_ >= kMaxSchemaDepth) {
    throw error(SchemaError::kSchemaTooDeep, node, path, "the value is nested deeper than 64");
  }
  ++depth_;
  write_form(node, value, path, to);
  --depth_;
}

void Encoder::write_form(const Node& node, const Json& value, const InstancePath& path, std::byte* to) {
  switch (info(node.kind).form) {
    case KindForm::kInteger:
    case KindForm::kFloat: return write_number(node, value, path, to);
    case KindForm::kBoolean: return write_boolean(node, value, path, to);
    case KindForm::kEnum: return write_enum(node, value, path, to);
    case KindForm::kText: return write_text(node, value, path, to);
    case KindForm::kArray: return write_array(node, value, path, to);
    case KindForm::kRecord: return write_record(node, value, path);
    case KindForm::kUnion: return write_union(node, value, path);
    case KindForm::kBlob: return write_blob(node, value, path, to);
    case KindForm::kStruct:
      if (!value.is_object()) throw wrong(node, path, value);
      return write_members(node, value.get_object(), path, to, {});
    case KindForm::kNone:
    case KindForm::kTensor:
      throw error(SchemaError::kSchemaInvalid, node, path, fmt::format("a {} has no value in place", name(node.kind)));
  }
}

void Encoder::write_number(const Node& node, const Json& value, const InstancePath& path, std::byte* to) {
  std::byte stored[8];
  if (!store_scalar_json(node.kind, stored, value, node.endian)) throw wrong(node, path, value);
  const std::size_t size = info(node.kind).size;
  std::memcpy(place(node, path, to, size), stored, size);
}

void Encoder::write_boolean(const Node& node, const Json& value, const InstancePath& path, std::byte* to) {
  if (!value.is_bool()) throw wrong(node, path, value);
  *place(node, path, to, 1) = value.get_bool() ? std::byte{1} : std::byte{0};
}

void Encoder::write_enum(const Node& node, const Json& value, const InstancePath& path, std::byte* to) {
  const auto* text = value.if_string();
  if (text == nullptr) throw wrong(node, path, value);
  const auto known = std::find(node.names.begin(), node.names.end(), std::string_view(*text));
  if (known == node.names.end()) {
    const std::vector<std::string_view> names(node.names.begin(), node.names.end());
    throw error(SchemaError::kBadEnum, node, path,
                fmt::format("{} is none of {}{}", shown(value), counted(names.size(), "name", "names"),
                            did_you_mean(*text, names)));
  }
  store_u32(place(node, path, to, 4), static_cast<std::uint32_t>(known - node.names.begin()), node.endian);
}

void Encoder::check_utf8(const Node& node, std::string_view text, const InstancePath& path) const {
  if (const auto bad = find_invalid_utf8(text)) {
    throw error(SchemaError::kBadUtf8, node, path, fmt::format("the text is not UTF-8 at its byte {}", *bad));
  }
}

std::span<const std::byte> Encoder::text_bytes(const Node& node, const Json& value, const InstancePath& path,
                                               std::vector<std::byte>& made) const {
  if (!value.is_string()) throw wrong(node, path, value);
  const std::string_view text = value.get_string();
  if (node.kind == Kind::kBytes) {
    auto parsed = parse_base64(text);
    if (!parsed) throw wrong(node, path, value);
    made = std::move(*parsed);
    return made;
  }
  check_utf8(node, text, path);
  if (node.kind == Kind::kTimestamp && !is_timestamp(text)) throw wrong(node, path, value);
  return std::as_bytes(std::span(text));
}

void Encoder::write_text(const Node& node, const Json& value, const InstancePath& path, std::byte* to) {
  std::vector<std::byte> made;
  const auto bytes = text_bytes(node, value, path, made);
  if (node.max_bytes && bytes.size() > *node.max_bytes) {
    throw error(SchemaError::kReservationOverflow, node, path,
                fmt::format("{} bytes, but `maxBytes` is {}", bytes.size(), *node.max_bytes));
  }
  std::byte* content = nullptr;
  if (aligned() && node.encoding == Encoding::kOffsetIndirect) {
    content = place_in_heap(node, path, to, bytes.size(), 1);
  } else {
    std::byte* const begin = place(node, path, to, 4 + bytes.size());
    store_u32(begin, static_cast<std::uint32_t>(bytes.size()), node.endian);
    content = begin + 4;
  }
  if (!bytes.empty()) std::memcpy(content, bytes.data(), bytes.size());
}

void Encoder::write_array(const Node& node, const Json& value, const InstancePath& path, std::byte* to) {
  const auto* items = value.if_array();
  if (items == nullptr) throw wrong(node, path, value);
  if (node.count && items->size() != *node.count) {
    throw error(SchemaError::kBadLength, node, path,
                fmt::format("{}, but the count is {}", counted(items->size(), "item", "items"), *node.count));
  }
  std::uint64_t stride = 0;
  if (aligned()) {
    const auto& measures = layout_.of(*node.items);
    stride = *measures.size;
    if (!node.count) to = place_in_heap(node, path, to, size_of(node, path, items->size(), stride), measures.align);
  } else if (!node.count) {
    append_count(node, path, items->size());
  }
  for (std::size_t i = 0; i < items->size(); ++i) {
    write(*node.items, (*items)[i], {&path, {}, i}, to == nullptr ? nullptr : to + i * stride);
  }
}

void Encoder::write_record(const Node& node, const Json& value, const InstancePath& path) {
  const auto* object = value.if_object();
  if (object == nullptr) throw wrong(node, path, value);
  append_count(node, path, object->size());
  for (const auto& [key, member] : *object) {
    const InstancePath here{&path, key};
    check_utf8(node, key, here);
    append_count(node, here, key.size());
    std::memcpy(place(node, here, nullptr, key.size()), key.data(), key.size());
    write(*node.items, member, here, nullptr);
  }
}

void Encoder::write_union(const Node& node, const Json& value, const InstancePath& path) {
  const auto* object = value.if_object();
  if (object == nullptr) throw wrong(node, path, value);
  const auto* tag = object->if_contains(node.discriminator);
  if (tag == nullptr) {
    throw error(SchemaError::kInstanceInvalid, node, path,
                fmt::format("the member \"{}\", which tells the variant, is missing", node.discriminator));
  }
  const InstancePath here{&path, node.discriminator};
  if (!tag->is_string()) {
    throw error(SchemaError::kInstanceInvalid, node, here, fmt::format("{} is no string", shown(*tag)));
  }
  const std::string_view text = tag->get_string();
  const auto known = std::find_if(node.variants.begin(), node.variants.end(),
                                  [&](const Variant& variant) { return variant.tag == text; });
  if (known == node.variants.end()) {
    std::vector<std::string_view> tags;
    for (const auto& variant : node.variants) tags.emplace_back(variant.tag);
    throw error(SchemaError::kBadEnum, node, here,
                fmt::format("{} is none of {}{}", shown(*tag), counted(tags.size(), "variant", "variants"),
                            did_you_mean(text, tags)));
  }
  *place(node, path, nullptr, 1) = static_cast<std::byte>(known - node.variants.begin());
  write_members(*known->node, *object, path, nullptr, node.discriminator);
}

void Encoder::write_members(const Node& node, const JsonObject& object, const InstancePath& path, std::byte* to,
                            std::string_view tag) {
  const auto& measures = layout_.of(node);
  std::size_t declared = tag.empty() ? 0 : 1;
  for (std::size_t i = 0; i < node.properties.size(); ++i) {
    const auto& property = node.properties[i];
    const Json* member = object.if_contains(property.name);
    if (member != nullptr) ++declared;
    if (member == nullptr && property.required) {
      throw error(SchemaError::kInstanceInvalid, node, path,
                  fmt::format("the required member \"{}\" is missing", property.name));
    }
    if (member == nullptr) member = property.default_value;
    if (!aligned() && property.nullable()) {
      *place(node, path, nullptr, 1) = member == nullptr ? std::byte{0} : std::byte{1};
    }
    if (member == nullptr) continue;
    const InstancePath here{&path, property.name};
    if (!aligned()) {
      write(*property.node, *member, here, nullptr);
      continue;
    }
    if (const auto bit = measures.presence_bits[i]; bit >= 0) {
      const auto index = static_cast<std::uint32_t>(bit);
      to[index / 8] |= static_cast<std::byte>(1U << index % 8);
    }
    write(*property.node, *member, here, to + *measures.offsets[i]);
  }
  if (declared != object.size()) refuse_members(node, object, path, tag);
}

void Encoder::refuse_members(const Node& node, const JsonObject& object, const InstancePath& path,
                             std::string_view tag) const {
  std::vector<std::string_view> names;
  for (const auto& property : node.properties) names.emplace_back(property.name);
  const auto unknown = std::find_if(object.begin(), object.end(), [&](const auto& member) {
    return member.key() != tag && node.property(member.key()) == nullptr;
  });
  throw error(SchemaError::kInstanceInvalid, node, {&path, unknown->key()},
              fmt::format("the member is not declared{}", did_you_mean(unknown->key(), names)));
}

void Encoder::write_blob(const Node& node, const Json& value, const InstancePath& path, std::byte* to) {
  if (!blobs_) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("encode at \"{}\": a Blob's bytes go to a store, which is not given", path.text()),
                JsonObject{{"instance_path", path.text()}, {"pointer", node.pointer()}});
  }
  Content content{&node, 0, 1, {}, {}};
  if (node.items == nullptr) {
    const auto text = json_text(value);
    check_utf8(node, text, path);
    const auto bytes = std::as_bytes(std::span(text));
    content.bytes.assign(bytes.begin(), bytes.end());
  } else if (info(node.items->kind).form != KindForm::kText) {
    write_ragged(content, value, path);
  } else {
    content.align = std::max(1U, node.items->align);
    text_bytes(*node.items, value, path, content.bytes);
    if (node.items->kind != Kind::kBytes) content.text = value.get_string();
  }
  std::byte* const begin = place(node, path, to, kReferenceBytes);
  content.at = static_cast<std::uint64_t>(begin - (aligned() ? fixed_.data() : packed_.data()));
  contents_.push_back(std::move(content));
}

// The items of a Blob are laid out as in a file, whatever the mode of the message.
void Encoder::write_ragged(Content& content, const Json& value, const InstancePath& path) {
  const Node& node = *content.node;
  const auto* items = value.if_array();
  if (items == nullptr) throw wrong(node, path, value);
  const auto layout = aligned() ? layout_ : schema::layout(*node.items, LayoutMode::kAligned);
  const auto& measures = layout.of(*node.items);
  content.align = measures.align;
  content.bytes.resize(size_of(node, path, items->size(), *measures.size));
  Encoder encoder(layout, blobs_, max_bytes_);
  encoder.depth_ = depth_;
  for (std::size_t i = 0; i < items->size(); ++i) {
    encoder.write(*node.items, (*items)[i], {&path, {}, i}, content.bytes.data() + i * *measures.size);
  }
}

void Encoder::write_contents(std::span<std::byte> message) {
  for (const auto& content : contents_) {
    const auto bytes = content.text.empty() ? std::span(content.bytes) : std::as_bytes(std::span(content.text));
    BlobRange range;
    if (!bytes.empty()) {
      range = blobs_(bytes, content.align);
    }
    store_u64(message.data() + content.at, range.offset, content.node->endian);
    store_u64(message.data() + content.at + 8, range.bytes, content.node->endian);
  }
}

}  // namespace alknet::schema
