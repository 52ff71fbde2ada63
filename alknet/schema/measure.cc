#include "alknet/schema/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "alknet/base/bytes.h"
#include "alknet/schema/places.h"
#include "alknet/schema/structure.h"

namespace alknet::schema {
namespace {

constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 62;

[[noreturn]] void fail(const Node& node, std::string_view what) {
  throw node.places->error(SchemaError::kSchemaInvalid, node.place, {}, fmt::format("no layout: {}", what));
}

std::uint64_t add(const Node& node, std::uint64_t a, std::uint64_t b) {
  const auto sum = checked_add(a, b);
  if (!sum || *sum > kMaxSize) fail(node, "it is too large");
  return *sum;
}

std::uint64_t multiply(const Node& node, std::uint64_t a, std::uint64_t b) {
  const auto product = checked_mul(a, b);
  if (!product || *product > kMaxSize) fail(node, "it is too large");
  return *product;
}

std::uint64_t round_up(const Node& node, std::uint64_t size, std::uint64_t align) {
  return add(node, size, align - 1) & ~(align - 1);
}

/// A node inside another; `shifts`: the packed form may leave it out or repeat it, so that recursion through it ends.
struct Part {
  const Node* node;
  bool shifts;
};

std::vector<Part> parts_of(const Node& node, bool aligned) {
  std::vector<Part> parts;
  for (const auto& property : node.properties) parts.push_back({property.node, !aligned && property.nullable()});
  for (const auto& variant : node.variants) parts.push_back({variant.node, !aligned});
  if (node.items != nullptr) parts.push_back({node.items, !aligned && !node.count});
  if (node.tensor.element != nullptr) parts.push_back({node.tensor.element, false});
  return parts;
}

/// Throws when a node contains itself in place. Depth-first with an explicit stack: along all ways to see every node,
/// and along those that do not shift to find the cycles.
void refuse_recursion(const Node& root, bool aligned) {
  enum State : std::uint8_t { kOpen, kClosed };
  struct Frame {
    const Node* node;
    std::vector<Part> parts;
    std::size_t next = 0;
  };
  std::unordered_map<const Node*, State> states;
  std::vector<const Node*> starts{&root};
  while (!starts.empty()) {
    const Node* start = starts.back();
    starts.pop_back();
    if (!states.emplace(start, kOpen).second) continue;
    std::vector<Frame> stack;
    stack.push_back({start, parts_of(*start, aligned)});
    while (!stack.empty()) {
      auto& frame = stack.back();
      if (frame.next == frame.parts.size()) {
        states[frame.node] = kClosed;
        stack.pop_back();
        continue;
      }
      const auto part = frame.parts[frame.next++];
      if (part.shifts) {
        starts.push_back(part.node);
        continue;
      }
      const auto [known, fresh] = states.emplace(part.node, kOpen);
      if (!fresh && known->second == kOpen) fail(*part.node, "it contains itself");
      if (fresh) stack.push_back({part.node, parts_of(*part.node, aligned)});
    }
  }
}

class Measurer {
 public:
  Measurer(LayoutMode mode, Measures& measures) : aligned_(mode == LayoutMode::kAligned), measures_(measures) {}

  // Recursion is bounded by kMaxSchemaDepth.
  const NodeLayout& measure(const Node& node) {
    if (const auto known = measures_.find(&node); known != measures_.end()) return known->second;
    if (std::find(open_.begin(), open_.end(), &node) != open_.end()) return varying_;  // packed, through what shifts
    if (open_.size() >= kMaxSchemaDepth) {
      throw node.places->error(SchemaError::kSchemaTooDeep, node.place, {}, "no layout: nested deeper than 64");
    }
    open_.push_back(&node);
    NodeLayout result = node.holds_tensor ? container(node) : compute(node);
    open_.pop_back();
    result.align = aligned_ || node.kind == Kind::kTensor ? std::max(result.align, node.align) : 1;
    if (aligned_ && node.kind != Kind::kTensor && result.size) result.size = round_up(node, *result.size, result.align);
    return measures_.emplace(&node, std::move(result)).first->second;
  }

 private:
  NodeLayout compute(const Node& node) {
    const auto& row = info(node.kind);
    NodeLayout result;
    result.align = row.align;
    switch (row.form) {
      case KindForm::kNone: fail(node, "it has no TypeDef kind, so no binary form");
      case KindForm::kText: return text(node, result);
      case KindForm::kRecord:
        if (aligned_) fail(node, "a Record is not of fixed size; use the packed mode");
        result.blobs = measure(*node.items).blobs;
        return result;
      case KindForm::kArray: return array(node, result);
      case KindForm::kStruct: return aligned_ ? aligned_struct(node) : packed_struct(node);
      case KindForm::kUnion: return union_of(node, result);
      case KindForm::kTensor: return tensor(node);
      case KindForm::kBlob: return blob(node, result);
      default: result.size = row.size; return result;
    }
  }

  /// A Struct or counted Array above tensors has no bytes.
  NodeLayout container(const Node& node) {
    const bool holds = node.kind == Kind::kStruct || (node.kind == Kind::kArray && node.count);
    if (!holds) fail(node, fmt::format("a {} above a Tensor has none", name(node.kind)));
    for (const auto& [part, shifts] : parts_of(node, aligned_)) {
      if (part->kind != Kind::kTensor && !part->holds_tensor) {
        throw part->places->error(
            SchemaError::kNotAFileSchema, part->place, {},
            "no layout: beside Tensors there are only Tensors, and Structs and counted Arrays of them");
      }
      measure(*part);
    }
    return {};
  }

  NodeLayout text(const Node& node, NodeLayout result) const {
    if (!aligned_) return result;
    if (node.encoding == Encoding::kOffsetIndirect) {
      result.size = 8;
      result.indirect = true;
    } else if (node.max_bytes) {
      result.size = add(node, 4, *node.max_bytes);
    } else {
      fail(node, fmt::format("a {} in place needs `maxBytes`, or the encoding offset-indirect, or to be a Blob",
                             name(node.kind)));
    }
    return result;
  }

  NodeLayout array(const Node& node, NodeLayout result) {
    const bool indirect = node.encoding == Encoding::kOffsetIndirect;
    if (aligned_ && !node.count && !indirect) {
      fail(node, "an Array in place needs a count (minItems equal to maxItems), or the encoding offset-indirect");
    }
    const auto& items = measure(*node.items);
    if (node.count) {
      if (*node.count == 0) fail(node, "an Array of no items has no bytes");
      result.align = items.align;
      result.indirect = items.indirect;
      result.blobs = items.blobs;
      if (items.size) result.size = multiply(node, *items.size, *node.count);
      return result;
    }
    result.align = 4;
    result.blobs = items.blobs;
    if (!aligned_) return result;
    if (items.indirect || items.blobs || !items.size || *items.size == 0) {
      fail(node, "the items of an offset-indirect Array are of fixed size");
    }
    result.indirect = true;
    result.size = 8;
    return result;
  }

  NodeLayout aligned_struct(const Node& node) {
    NodeLayout result;
    std::int32_t nullable = 0;
    for (const auto& property : node.properties) {
      result.presence_bits.push_back(property.nullable() ? nullable++ : -1);
    }
    result.bitmap_bytes = static_cast<std::uint32_t>(nullable + 7) / 8;
    std::uint64_t at = result.bitmap_bytes;
    for (const auto& property : node.properties) {
      const auto& field = measure(*property.node);
      if (!field.size) fail(*property.node, "it is not of fixed size");
      at = round_up(node, at, field.align);
      result.offsets.emplace_back(at);
      result.align = std::max(result.align, field.align);
      result.indirect = result.indirect || field.indirect;
      result.blobs = result.blobs || field.blobs;
      at = add(node, at, *field.size);
    }
    if (at == 0) fail(node, "the Struct has no bytes");
    result.size = at;
    return result;
  }

  NodeLayout packed_struct(const Node& node) {
    NodeLayout result;
    std::optional<std::uint64_t> at = 0;
    for (const auto& property : node.properties) {
      const auto& field = measure(*property.node);
      if (at && property.nullable()) at = add(node, *at, 1);
      result.offsets.push_back(at);
      result.presence_bits.push_back(property.nullable() ? 0 : -1);
      result.blobs = result.blobs || field.blobs;
      at = at && field.size && !property.nullable() ? std::optional(add(node, *at, *field.size)) : std::nullopt;
    }
    result.size = at;
    return result;
  }

  NodeLayout union_of(const Node& node, NodeLayout result) {
    if (aligned_) fail(node, "a Union is not of fixed size; use the packed mode");
    const auto first = measure(*node.variants.front().node).size;
    bool same = first.has_value();
    for (const auto& variant : node.variants) {
      const auto& measures = measure(*variant.node);
      same = same && measures.size && *measures.size == *first;
      result.blobs = result.blobs || measures.blobs;
    }
    if (same) result.size = add(node, *first, 1);
    return result;
  }

  /// A Blob's items are laid out as in a file, whatever the mode.
  NodeLayout blob(const Node& node, NodeLayout result) {
    result.size = info(node.kind).size;
    result.blobs = true;
    if (node.items == nullptr || info(node.items->kind).form == KindForm::kText) return result;
    if (node.endian == Endian::kBig) fail(node, "the items of a Blob are little-endian");
    const auto& items = element(*node.items);
    if (!items.size || *items.size == 0 || items.indirect || items.blobs) {
      fail(node, "the item of a Blob is of fixed size and holds no Blob");
    }
    return result;
  }

  /// A tensor's items are laid out as in a file, whatever the mode.
  NodeLayout tensor(const Node& node) {
    if (is_any_tensor(node.tensor)) fail(node, "a Tensor without dtype and shape is a handle in an operation");
    NodeLayout result;
    std::optional<std::uint64_t> count = 1;
    for (const auto dim : node.tensor.shape) {
      if (dim < 0) count.reset();
      if (count) count = multiply(node, *count, static_cast<std::uint64_t>(dim));
    }
    if (node.tensor.dtype) {
      result.align = info(*node.tensor.dtype).align();
      if (!count) return result;
      result.size = byte_size(*node.tensor.dtype, *count);
      if (!result.size || *result.size > kMaxSize) fail(node, "its elements do not fill whole bytes, or are too many");
      return result;
    }
    const auto& items = element(*node.tensor.element);
    if (items.indirect) fail(node, "records in a file have no offset-indirect fields");
    result.align = items.align;
    if (count) result.size = multiply(node, *count, items.size.value_or(0));
    return result;
  }

  const NodeLayout& element(const Node& node) {
    if (aligned_) return measure(node);
    if (elements_ == nullptr) elements_ = std::make_unique<Measurer>(LayoutMode::kAligned, element_measures_);
    return elements_->measure(node);
  }

  bool aligned_;
  Measures& measures_;
  std::vector<const Node*> open_;
  const NodeLayout varying_{};
  Measures element_measures_;
  std::unique_ptr<Measurer> elements_;
};

}  // namespace

Measures measure(const Node& node, LayoutMode mode) {
  const bool aligned = mode == LayoutMode::kAligned;
  if (aligned && node.endian == Endian::kBig) fail(node, "big-endian is for the packed mode");
  refuse_recursion(node, aligned);
  Measures measures;
  Measurer(mode, measures).measure(node);
  return measures;
}

}  // namespace alknet::schema
