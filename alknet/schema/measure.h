#pragma once

#include <unordered_map>

#include "alknet/schema/layout.h"

namespace alknet::schema {

using Measures = std::unordered_map<const Node*, NodeLayout>;

/// Sizes and offsets of `node` and of all its parts, each node once. Throws as layout() does.
Measures measure(const Node& node, LayoutMode mode);

}  // namespace alknet::schema
