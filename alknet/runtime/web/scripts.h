#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace alknet::runtime::web {

/// One of the scripts of this folder, as our build compiled it: bytecode of a function (web, module, exports) in the
/// way of CommonJS.
struct Script {
  std::string_view name;  ///< "url", "streams"
  std::span<const std::byte> bytecode;
};

/// All of them, in the order of scripts.cmake.
std::span<const Script> scripts();

}  // namespace alknet::runtime::web
