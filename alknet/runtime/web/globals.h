#pragma once

#include <span>
#include <string_view>

namespace alknet::runtime::web {

/// A global of the web platform and the script that makes it.
struct Global {
  std::string_view name;
  std::string_view script;
  bool enumerable;  ///< functions and attributes of the global scope are, interfaces and `console` are not
};

/// All of them, sorted by script and name.
std::span<const Global> globals();

}  // namespace alknet::runtime::web
