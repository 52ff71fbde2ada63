#include "alknet/schema/node.h"

#include <algorithm>
#include <numeric>

#include "alknet/schema/places.h"

namespace alknet::schema {

std::vector<std::int64_t> TensorSpec::logical_shape() const {
  auto logical = shape;
  if (block && logical[block->axis] >= 0) logical[block->axis] *= block->values;
  return logical;
}

std::string Node::pointer() const { return places == nullptr ? std::string() : places->pointer(place); }

void Node::index_properties() {
  by_name.resize(properties.size());
  std::iota(by_name.begin(), by_name.end(), 0U);
  std::sort(by_name.begin(), by_name.end(),
            [this](std::uint32_t a, std::uint32_t b) { return properties[a].name < properties[b].name; });
}

const Property* Node::property(std::string_view name) const {
  const auto known = std::lower_bound(
      by_name.begin(), by_name.end(), name,
      [this](std::uint32_t index, std::string_view wanted) { return properties[index].name < wanted; });
  return known != by_name.end() && properties[*known].name == name ? &properties[*known] : nullptr;
}

}  // namespace alknet::schema
