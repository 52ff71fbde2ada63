#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alknet::runtime {

/// Source files that scripts may import: those under given folders, also when the way there leads through symbolic
/// links or "..". Immutable: any thread.
class ModuleFiles {
 public:
  /// No files.
  ModuleFiles() = default;

  /// Files under `roots`, which must be absolute; "/" means every file. Throws `io_error` for a root that is no folder.
  explicit ModuleFiles(const std::vector<std::string>& roots);

  /// Files that exist only here: their texts by absolute path, and why others do not exist. The machine has no part in
  /// it.
  ModuleFiles(std::map<std::string, std::string> texts, std::map<std::string, std::string> left_out);

  /// The file that `path` (absolute) stands for, with links resolved: itself; with an extension added (.ts .tsx .js
  /// .mjs .json); the TypeScript file in place of a .js or .mjs one; a folder's index file. Nothing when there is none;
  /// `tried` receives what was looked for. Throws `permission_denied` for a file outside the roots or left out.
  std::optional<std::string> find(const std::string& path, std::vector<std::string>& tried) const;

  /// The text of a file that `find` gave. Throws `permission_denied` as find does, `module_invalid` for what is no
  /// UTF-8 text of at most 64 MiB, `module_not_found` when it is gone.
  std::string read(const std::string& path) const;

 private:
  void require_inside(const std::string& real_path) const;

  struct Texts {
    std::map<std::string, std::string> here, left_out;
  };
  std::vector<std::string> roots_;
  std::shared_ptr<const Texts> texts_;  // null: files of the machine
};

/// The extensions of files that may be imported.
inline constexpr std::string_view kModuleExtensions[] = {".ts", ".tsx", ".js", ".mjs", ".json"};

}  // namespace alknet::runtime
