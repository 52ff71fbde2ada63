// How FieldAccess finds its place: once when it is made, and again in each record where something shifts.
#include <fmt/format.h>

#include "alknet/schema/access.h"
#include "alknet/schema/value_reader.h"

namespace alknet::schema {
namespace {

Error not_found(std::string_view path, std::string_view what) {
  return {BaseError::kNotFound, fmt::format("access {}: {}", path, what), JsonObject{{"path", path}}};
}

std::string names_of(const Node& node) {
  constexpr std::size_t kShown = 20;
  std::string out;
  for (std::size_t i = 0; i < node.properties.size() && i < kShown; ++i) {
    out += (i == 0 ? "" : ", ") + node.properties[i].name;
  }
  return node.properties.size() > kShown ? out + ", ..." : out;
}

}  // namespace

FieldAccess::FieldAccess(const Layout& layout, std::string_view path)
    : layout_(layout), text_(path), node_(&layout.node()) {
  require_value_bytes(layout_);
  const auto steps = parse_path(path);
  if (steps.size() > kMaxSchemaDepth) throw not_found(path, "the path is longer than 64 steps");
  for (const auto& step : steps) {
    if (const auto* name = std::get_if<std::string>(&step)) {
      enter_member(*name);
    } else {
      enter_item(std::get<std::uint64_t>(step));
    }
  }
  fixed_ = fixed_ && layout_.mode() == LayoutMode::kAligned && layout_.size().has_value();
  resolve_place();
}

void FieldAccess::enter_member(const std::string& wanted) {
  Step step{node_, 0, {}};
  if (node_->kind == Kind::kStruct) {
    const auto* property = node_->property(wanted);
    if (property == nullptr)
      throw not_found(text_, fmt::format("no member \"{}\"; there are {}", wanted, names_of(*node_)));
    step.index = static_cast<std::size_t>(property - node_->properties.data());
    nullable_ = nullable_ || property->nullable();
    node_ = property->node;
  } else if (node_->kind == Kind::kRecord) {
    step.key = wanted;
    nullable_ = true;
    fixed_ = false;
    node_ = node_->items;
  } else if (node_->kind == Kind::kUnion) {
    const Node* found = nullptr;
    for (std::size_t i = 0; i < step.node->variants.size(); ++i) {
      const auto* property = step.node->variants[i].node->property(wanted);
      if (property == nullptr) continue;
      if (found != nullptr) {
        throw Error(BaseError::kInvalidArgument,
                    fmt::format("access {}: several variants have \"{}\"; read the Union as JSON", text_, wanted));
      }
      found = property->node;
      step.index = i;
    }
    if (found == nullptr) throw not_found(text_, fmt::format("no variant has \"{}\"", wanted));
    step.key = wanted;
    nullable_ = true;
    fixed_ = false;
    node_ = found;
  } else {
    throw not_found(text_, fmt::format("a {} has no member \"{}\"", name(node_->kind), wanted));
  }
  steps_.push_back(std::move(step));
}

void FieldAccess::enter_item(std::uint64_t index) {
  if (node_->kind != Kind::kArray) throw not_found(text_, fmt::format("a {} has no items", name(node_->kind)));
  if (node_->count && index >= *node_->count) {
    throw not_found(text_, fmt::format("the index {} is beyond {} items", index, *node_->count));
  }
  fixed_ = fixed_ && node_->count;
  steps_.push_back({node_, index, {}});
  node_ = node_->items;
}

FieldAccess::Found FieldAccess::find(std::span<const std::byte> record) const {
  ValueReader reader(layout_, record, nullptr, false);
  if (fixed_) {
    reader.need(layout_.node(), 0, place_.record_bytes);
    return place_.is_present(record.data()) ? Found{place_.offset, true} : Found{0, false};
  }
  if (layout_.mode() == LayoutMode::kAligned) reader.need(layout_.node(), 0, layout_.size().value_or(0));
  Found found;
  for (const auto& step : steps_) {
    const bool here = layout_.mode() == LayoutMode::kAligned ? step_aligned(reader, step, found.offset)
                                                             : step_packed(reader, step, found.offset);
    if (!here) return {0, false};
  }
  return found;
}

bool FieldAccess::step_aligned(ValueReader& reader, const Step& step, std::uint64_t& at) const {
  const Node& node = *step.node;
  if (node.kind == Kind::kStruct) {
    if (!reader.is_present(node, step.index, at)) return false;
    at += *layout_.of(node).offsets[step.index];
    return true;
  }
  const std::uint64_t stride = *layout_.of(*node.items).size;
  if (!node.count) {
    const auto range = reader.indirect(node, at);
    if (step.index >= range.bytes / stride)
      throw not_found(text_, fmt::format("there are only {} items", range.bytes / stride));
    at = range.offset;
  }
  at += step.index * stride;
  return true;
}

bool FieldAccess::step_packed(ValueReader& reader, const Step& step, std::uint64_t& at) const {
  const Node& node = *step.node;
  if (node.kind == Kind::kStruct) return walk_struct(reader, node, step.index, at);
  if (node.kind == Kind::kUnion) {
    if (reader.variant_index(node, at) != step.index) return false;
    ++at;
    const Node& variant = *node.variants[step.index].node;
    const auto* property = variant.property(step.key);
    return walk_struct(reader, variant, static_cast<std::size_t>(property - variant.properties.data()), at);
  }
  if (node.kind == Kind::kRecord) return walk_record(reader, node, step.key, at);
  const std::uint64_t count = node.count ? *node.count : reader.packed_count(node, at);
  if (step.index >= count) throw not_found(text_, fmt::format("there are only {} items", count));
  if (const auto size = layout_.of(*node.items).size) {
    const auto skipped = *size * step.index;
    reader.need(node, at, skipped);
    at += skipped;
  } else {
    for (std::uint64_t i = 0; i < step.index; ++i) at = reader.read(*node.items, at, nullptr);
  }
  return true;
}

bool FieldAccess::walk_struct(ValueReader& reader, const Node& node, std::size_t index, std::uint64_t& at) {
  for (std::size_t i = 0;; ++i) {
    const auto& property = node.properties[i];
    const bool present = !property.nullable() || reader.packed_presence(*property.node, at);
    if (i == index) return present;
    if (present) at = reader.read(*property.node, at, nullptr);
  }
}

bool FieldAccess::walk_record(ValueReader& reader, const Node& node, std::string_view key, std::uint64_t& at) {
  const auto count = reader.packed_count(node, at);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto size = reader.packed_count(node, at);
    reader.need(node, at, size);
    const bool found = reader.bytes_at(at, size) == key;
    at += size;
    if (found) return true;
    at = reader.read(*node.items, at, nullptr);
  }
  return false;
}

void FieldAccess::resolve_place() {
  if (!fixed_) return;
  place_.record_bytes = *layout_.size();
  for (const auto& step : steps_) {
    const auto& node = *step.node;
    if (node.kind != Kind::kStruct) {
      place_.offset += step.index * *layout_.of(*node.items).size;
      continue;
    }
    const auto& measures = layout_.of(node);
    if (const auto bit = measures.presence_bits[step.index]; bit >= 0) {
      const auto index = static_cast<std::uint32_t>(bit);
      place_.presence.push_back({place_.offset + index / 8, static_cast<std::byte>(1U << index % 8)});
    }
    place_.offset += *measures.offsets[step.index];
  }
  direct_ = node_->kind;
}

const FieldPlace& FieldAccess::fixed_place(std::span<const std::byte> record) const {
  if (!fixed_) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("access {}: only fields at a fixed offset are written", text_));
  }
  ValueReader(layout_, record, nullptr, false).need(layout_.node(), 0, place_.record_bytes);
  return place_;
}

std::uint64_t FieldAccess::mark_present(std::span<std::byte> record) const {
  const auto& place = fixed_place(record);
  for (const auto& bit : place.presence) record[bit.byte] |= bit.mask;
  return place.offset;
}

}  // namespace alknet::schema
