#pragma once

#include <cstdint>
#include <map>
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

/// Files that names of modules stand for, beside packages; `lib/*` for all that begins so, with a `*` in the path.
using ModuleFileNames = std::map<std::string, std::string>;

/// Checks the types of files, wherever they lie, with tsc: strict, for ES2023 with the web's types. TypeScript is that
/// of ALKNET_NODE_MODULES, of node_modules in the current folder, in those of the files or one above, of the checkout
/// that this program lies in, or of the `tsc` in PATH. The types of `@alknet/*` and of the packages of others that are
/// part of the program come from that checkout; without it, Node or TypeScript `skipped` says so.
TypeCheck check_types(const std::vector<std::string>& files, const ModuleFileNames& mapped = {});

}  // namespace alknet::app
