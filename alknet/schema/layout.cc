#include "alknet/schema/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "alknet/schema/measure.h"
#include "alknet/schema/path.h"
#include "alknet/schema/places.h"

namespace alknet::schema {
namespace {

constexpr std::size_t kMaxRows = 100'000;

/// Lists the rows of a layout that was measured.
class Rows {
 public:
  Rows(const Measures& measures, std::vector<LayoutField>& rows) : measures_(measures), rows_(rows) {}

  void run(const Node& root) {
    if (root.kind == Kind::kStruct) {
      members(root, {}, 0);
    } else {
      row(root, {}, 0, false);
    }
  }

 private:
  using Offset = std::optional<std::uint64_t>;

  void row(const Node& node, const std::string& path, Offset offset, bool nullable) {
    if (rows_.size() >= kMaxRows) {
      throw node.places->error(SchemaError::kSchemaTooLarge, node.place, {},
                               fmt::format("its layout has more than {} rows", kMaxRows));
    }
    const auto& measures = measures_.at(&node);
    const bool placed = node.kind != Kind::kTensor && !node.holds_tensor;
    rows_.push_back({path, node.kind, placed ? offset : std::nullopt, measures.size, measures.align, nullable, &node});
    if (node.kind == Kind::kStruct) return members(node, path, offset);
    if (node.kind != Kind::kArray || !node.count || *node.count == 0) return;
    auto first = path;
    append_step(first, std::uint64_t{0});
    if (node.items->kind == Kind::kStruct) return members(*node.items, first, offset);
    if (node.items->kind == Kind::kArray || node.items->kind == Kind::kTensor) row(*node.items, first, offset, false);
  }

  void members(const Node& node, const std::string& path, Offset offset) {
    // Packed recursion goes through a nullable field; one round says it all.
    if (std::find(open_.begin(), open_.end(), &node) != open_.end()) return;
    open_.push_back(&node);
    const auto& measures = measures_.at(&node);
    for (std::size_t i = 0; i < node.properties.size(); ++i) {
      const auto& property = node.properties[i];
      auto name = path;
      append_step(name, property.name);
      Offset at;
      if (offset && i < measures.offsets.size() && measures.offsets[i]) at = *offset + *measures.offsets[i];
      row(*property.node, name, at, property.nullable());
    }
    open_.pop_back();
  }

  const Measures& measures_;
  std::vector<LayoutField>& rows_;
  std::vector<const Node*> open_;
};

}  // namespace

struct Layout::State {
  LayoutMode mode = LayoutMode::kAligned;
  const Node* node = nullptr;
  Measures measures;
  std::vector<LayoutField> fields;
  std::unordered_map<std::string_view, std::size_t> by_path;
};

Layout layout(const Node& node, LayoutMode mode) {
  auto state = std::make_shared<Layout::State>();
  state->mode = mode;
  state->node = &node;
  state->measures = measure(node, mode);
  Rows(state->measures, state->fields).run(node);
  for (std::size_t i = 0; i < state->fields.size(); ++i) state->by_path.emplace(state->fields[i].path, i);
  return Layout(std::move(state));
}

void require_value_bytes(const Layout& layout) {
  const Node& node = layout.node();
  if (node.kind != Kind::kTensor && !node.holds_tensor) return;
  throw node.places->error(
      SchemaError::kSchemaInvalid, node.place, {},
      fmt::format("a {} has no value in place: its tensors are entries of a file",
                  node.kind == Kind::kTensor ? "Tensor" : fmt::format("{} of Tensors", name(node.kind))));
}

LayoutMode Layout::mode() const { return state_->mode; }
const Node& Layout::node() const { return *state_->node; }
std::optional<std::uint64_t> Layout::size() const { return of(node()).size; }
std::uint32_t Layout::align() const { return of(node()).align; }
const std::vector<LayoutField>& Layout::fields() const { return state_->fields; }

const LayoutField* Layout::field(std::string_view path) const {
  const auto known = state_->by_path.find(path);
  return known == state_->by_path.end() ? nullptr : &state_->fields[known->second];
}

const NodeLayout& Layout::of(const Node& part) const {
  const auto known = state_->measures.find(&part);
  if (known == state_->measures.end()) {
    throw Error(BaseError::kInvalidArgument, fmt::format("layout: the node {} is no part of it", part.pointer()));
  }
  return known->second;
}

}  // namespace alknet::schema
