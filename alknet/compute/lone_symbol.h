#pragma once

#include <optional>
#include <string>

#include "alknet/graph/dim.h"

namespace alknet::compute {

/// The name, when the dimension is nothing but one: what a shape binds.
inline std::optional<std::string> lone_symbol(const graph::Dim& dim) {
  const auto names = dim.names();
  if (names.size() == 1 && dim == graph::Dim::symbol(names.front())) return names.front();
  return std::nullopt;
}

}  // namespace alknet::compute
