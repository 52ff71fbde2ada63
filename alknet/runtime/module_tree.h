#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace alknet::runtime {

/// The folder in which the script of a sandbox finds itself. The files of its session are named from there on, whatever
/// the machine calls them.
inline constexpr std::string_view kScriptFolder = "/script";

/// The name of a session's file: "./lib/x.ts" and "lib/x.ts" are /script/lib/x.ts. Without "." and "..".
std::string module_path(std::string_view name);

/// A script with the files that it imports, for a session that sees no file system. Files have their names in the
/// session.
struct ModuleTree {
  std::string name;  ///< of the script
  std::string source;
  std::map<std::string, std::string> modules;   ///< their texts
  std::map<std::string, std::string> left_out;  ///< what is named and not here, and why; for its importer
  std::vector<std::filesystem::path> files;     ///< what was read, the script first
  std::vector<std::filesystem::path> absent;    ///< what was looked for before, or in vain
};

struct ModuleTreeLimits {
  std::uint64_t script_bytes = std::uint64_t{16} << 20;
  std::uint64_t module_bytes = std::uint64_t{8} << 20;  ///< of all modules
  std::size_t modules = 1'000;
  std::size_t imports = 10'000;  ///< different ones that are looked for
};

/// Reads the script at `path` and, from its folder and those below, every file that it, or one of these, names in an
/// import (scan_imports). A link that leads out of the folder leads nowhere. Nothing of them runs. Throws as read_file
/// does for the script itself, `invalid_argument` when it is no UTF-8, and `limit` when more than `limits.imports`
/// are named; what is wrong with another file is for whoever imports it.
ModuleTree read_module_tree(const std::string& path, const ModuleTreeLimits& limits = {});

}  // namespace alknet::runtime
