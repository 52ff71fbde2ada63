#include "alknet/tensor/record_blobs.h"

#include "alknet/base/bytes.h"

namespace alknet::tensor {

using schema::Kind;
using schema::Node;

RecordBlobs::RecordBlobs(const schema::Layout& layout) : layout_(layout) { collect(layout.node()); }

bool RecordBlobs::collect(const Node& node) {
  const auto [known, fresh] = holds_blobs_.emplace(&node, false);
  if (!fresh) return known->second;
  bool holds = node.kind == Kind::kBlob;
  if (holds) items_.emplace(&node, BlobItem(node));
  if (node.kind == Kind::kArray) holds = collect(*node.items);
  if (node.kind == Kind::kStruct) {
    for (const auto& property : node.properties) holds = collect(*property.node) || holds;
  }
  return holds_blobs_[&node] = holds;
}

void RecordBlobs::for_each(std::span<const std::byte> record, Visit visit) const {
  if (!empty()) walk(layout_.node(), record, visit);
}

void RecordBlobs::walk(const Node& node, std::span<const std::byte> bytes, Visit visit) const {
  if (!holds_blobs_.at(&node)) return;
  if (node.kind == Kind::kBlob) {
    visit({load_le<std::uint64_t>(bytes.data()), load_le<std::uint64_t>(bytes.data() + 8)}, items_.at(&node));
  } else if (node.kind == Kind::kArray) {
    const std::uint64_t stride = *layout_.of(*node.items).size;
    for (std::uint64_t i = 0; i < *node.count; ++i) walk(*node.items, bytes.subspan(i * stride, stride), visit);
  } else {
    const auto& offsets = layout_.of(node).offsets;
    for (std::size_t i = 0; i < node.properties.size(); ++i) {
      const Node& field = *node.properties[i].node;
      walk(field, bytes.subspan(*offsets[i], *layout_.of(field).size), visit);
    }
  }
}

}  // namespace alknet::tensor
