#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"

namespace alknet::runtime {

/// What specifiers stand for: an import map of the web (HTML, "import maps": `imports` and `scopes`).
///
/// An address is a path ("./x.js", from the folder of the map), a file: URL, or the name of a module that is built in.
/// A key that ends in "/" stands for all that begins with it; `null` forbids a specifier. Immutable: any thread.
class ImportMap {
 public:
  ImportMap() = default;

  /// `folder` is where its relative paths start (absolute). Throws `module_invalid` naming the member that is wrong.
  ImportMap(const Json& document, const std::string& folder);

  /// What the map says `specifier` is inside the module `referrer`; nothing: it says nothing. A specifier that is a
  /// path or a file: URL must come as an absolute path. Throws `module_not_found` for one that the map forbids.
  std::optional<std::string> resolve(std::string_view specifier, std::string_view referrer) const;

 private:
  // The longest key first; no address: forbidden.
  using Table = std::map<std::string, std::optional<std::string>, std::greater<>>;

  static Table read_table(const Json& document, const std::string& where, const std::string& folder);
  static std::optional<std::string> find(const Table& table, std::string_view specifier, std::string_view referrer);

  Table imports_;
  std::map<std::string, Table, std::greater<>> scopes_;
};

/// "./x", "../x", "/x" or "file:///x" as an absolute path without "." and ".."; nothing for other specifiers. Relative
/// ones start at `folder`. Throws `module_not_found` for a file: URL that is no path of this machine.
std::optional<std::string> specifier_path(std::string_view specifier, std::string_view folder);

/// The file: URL of an absolute path.
std::string file_url(std::string_view path);

}  // namespace alknet::runtime
