#include "alknet/schema/node.h"

#include <algorithm>

#include "alknet/schema/places.h"

namespace alknet::schema {

std::vector<std::int64_t> TensorSpec::logical_shape() const {
  auto logical = shape;
  if (block && logical[block->axis] >= 0) logical[block->axis] *= block->values;
  return logical;
}

std::string Node::pointer() const { return places == nullptr ? std::string() : places->pointer(place); }

const Property* Node::property(std::string_view name) const {
  if (kind != Kind::kStruct) return nullptr;
  if (const auto known = property_index.find(name); known != property_index.end()) return &properties[known->second];
  return nullptr;
}

}  // namespace alknet::schema
