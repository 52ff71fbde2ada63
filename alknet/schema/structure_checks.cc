#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "alknet/schema/error.h"
#include "alknet/schema/structure.h"

namespace alknet::schema {
namespace {

/// A name that JavaScript moves to the front of an object: a canonical array index.
bool is_integer_like(std::string_view name) {
  if (name.empty() || name.size() > 10 || (name.size() > 1 && name[0] == '0')) return false;
  std::uint64_t index = 0;
  for (const char c : name) {
    if (c < '0' || c > '9') return false;
    index = index * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return index < UINT32_MAX;
}

template <typename Visit>
void for_parts(const Node& node, const Visit& visit) {
  for (const auto& property : node.properties) visit(property.node);
  for (const auto& variant : node.variants) visit(variant.node);
  if (node.items != nullptr) visit(node.items);
}

/// A record holds no tensor.
void check_tensors(const Places& places, const std::deque<Node>& nodes) {
  std::unordered_set<const Node*> seen;
  std::vector<const Node*> todo;
  const auto add = [&](const Node* node) {
    if (seen.insert(node).second) todo.push_back(node);
  };
  for (const auto& node : nodes) {
    if (node.tensor.element != nullptr) add(node.tensor.element);
  }
  while (!todo.empty()) {
    const Node* node = todo.back();
    todo.pop_back();
    if (node->kind == Kind::kTensor) throw places.invalid(node->place, {}, "a Tensor cannot be inside a record");
    for_parts(*node, add);
  }
}

/// Names that JavaScript reorders need an `order`, except where the names have no bytes: above tensors.
void check_names(const Places& places, std::deque<Node>& nodes) {
  std::vector<std::pair<const Node*, Node*>> holders;  // part, holder
  std::vector<const Node*> todo;
  for (auto& node : nodes) {
    for_parts(node, [&](const Node* part) { holders.emplace_back(part, &node); });
    if (node.kind == Kind::kTensor) todo.push_back(&node);
    for (const auto& property : node.properties) {
      if (property.node->kind == Kind::kTensor && property.default_value != nullptr) {
        throw places.invalid(node.place, "properties",
                             fmt::format("the Tensor \"{}\" takes no default", property.name));
      }
    }
  }
  std::sort(holders.begin(), holders.end());
  while (!todo.empty()) {
    const Node* node = todo.back();
    todo.pop_back();
    const auto first = std::lower_bound(holders.begin(), holders.end(), node, [](const auto& holder, const Node* part) {
      return std::less<const Node*>()(holder.first, part);
    });
    for (auto at = first; at != holders.end() && at->first == node; ++at) {
      if (std::exchange(at->second->holds_tensor, true)) continue;
      todo.push_back(at->second);
    }
  }
  for (const auto& node : nodes) {
    if (node.has_order || node.holds_tensor) continue;
    const auto refuse = [&](std::string_view name) {
      if (!is_integer_like(name)) return;
      throw places.error(
          SchemaError::kBadOrder, node.place, {},
          fmt::format("the name \"{}\" looks like an integer, which JavaScript moves: write `order`", name));
    };
    for (const auto& property : node.properties) refuse(property.name);
    for (const auto& variant : node.variants) refuse(variant.tag);
  }
}

}  // namespace

void check_nodes(const Places& places, std::deque<Node>& nodes) {
  check_tensors(places, nodes);
  check_names(places, nodes);
}

}  // namespace alknet::schema
