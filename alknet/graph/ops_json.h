#pragma once

#include <span>
#include <string_view>

#include "alknet/base/json.h"

namespace alknet::graph {

/// One file of the folder ops/, compiled in.
struct OpFamily {
  std::string_view name;  ///< The file's: "unary".
  std::string_view text;  ///< An array of entries.
};
std::span<const OpFamily> op_families();

/// The entries of all families in one array.
JsonArray ops_json();

}  // namespace alknet::graph
