#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace alknet::app {

/// One mistake that TypeScript found.
struct TypeError {
  std::string file;
  std::uint32_t line = 0, column = 0;
  std::string code;  ///< "TS2322"
  std::string message;
};

/// What TypeScript says of files.
struct TypeCheck {
  std::optional<std::string> skipped;  ///< why it was not asked
  std::vector<TypeError> errors;
};

/// Checks the types of files with tsc, where Node and TypeScript are: ALKNET_NODE_MODULES, node_modules of the current
/// folder or one above, or those of the checkout that this program was built in. Strict, for ES2023 with the web's
/// types.
TypeCheck check_types(const std::vector<std::string>& files);

}  // namespace alknet::app
