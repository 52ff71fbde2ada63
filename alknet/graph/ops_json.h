#pragma once

#include <string_view>

namespace alknet::graph {

/// The text of ops.json, compiled in.
std::string_view ops_json();

}  // namespace alknet::graph
