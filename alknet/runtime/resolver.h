#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/runtime/bundle.h"
#include "alknet/runtime/import_map.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/module_files.h"
#include "alknet/runtime/source_map.h"

namespace alknet::runtime {

class Transformer;

/// Where the modules of an isolate come from.
struct ScriptResolverOptions {
  Bundles bundles;                                     ///< built in
  std::vector<std::string> native = {};                ///< names of the isolate's native modules
  std::map<std::string, std::string> registered = {};  ///< a consumer's own: names and JavaScript
  ImportMap import_map = {};
  ModuleFiles files = {};
  std::shared_ptr<Transformer> transformer = nullptr;  ///< null: TypeScript is refused
};

/// The resolver of alknet's isolates. A specifier is looked for in this order: the import map; as a path, among files;
/// a native module, a built-in bundle, a registered module. Bundles see neither the import map nor files.
///
/// Modules have these names: native, built-in and registered ones their own, files their absolute path without links.
/// Errors name the file that imports, and the line where its text shows it. One isolate's thread.
class ScriptResolver final : public ModuleResolver {
 public:
  explicit ScriptResolver(ScriptResolverOptions options);

  std::string resolve(std::string_view specifier, std::string_view referrer) override;
  ModuleSource load(const std::string& name) override;

  /// Registers a consumer's module, before it is imported. Throws `invalid_argument` when the name is taken.
  void register_module(const std::string& name, std::string source);

  /// The file that was started: its `import.meta.main` is true.
  void set_main(std::string name) { main_ = std::move(name); }

  /// What scripts may import by a name: native, built-in and registered modules.
  std::vector<std::string> module_names() const;

  /// JavaScript of `source`, which came from `path` (a name that no file needs to have); as `load` does for files. Its
  /// positions can be asked for afterwards.
  std::string transform(const std::string& path, std::string source);

  /// Where a position in the module `name` comes from: another place in the same file for TypeScript, a source file for
  /// a bundle. Nothing: from just there.
  std::optional<SourceMap::Original> original(const std::string& name, TextPosition position);

  /// One line of a module that was loaded from a file, as it was then; empty when it is unknown.
  std::string_view source_line(const std::string& name, std::uint32_t line) const;

 private:
  std::string resolve_path(const std::string& path, std::string_view specifier, std::string_view referrer) const;
  std::string resolve_name(std::string_view name, std::string_view specifier, std::string_view referrer) const;
  std::string place_of(std::string_view specifier, std::string_view referrer) const;
  bool is_native(std::string_view name) const;
  ModuleSource load_file(const std::string& path);
  const SourceMap* source_map(const std::string& name);

  ScriptResolverOptions options_;
  std::string main_;
  std::map<std::string, std::string> sources_;              // of files, by name, as they were read
  std::map<std::string, std::unique_ptr<SourceMap>> maps_;  // null: there is none
};

}  // namespace alknet::runtime
