#include "alknet/runtime/module_tree.h"

#include <fmt/format.h>

#include <deque>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/base/files.h"
#include "alknet/base/json.h"
#include "alknet/base/utf8.h"
#include "alknet/runtime/error.h"
#include "alknet/runtime/import_map.h"
#include "alknet/runtime/import_scan.h"
#include "alknet/runtime/module_files.h"

namespace alknet::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOutside = "it lies outside the folder of the script that was started";

/// Follows imports from file to file, each once.
class Collector {
 public:
  Collector(ModuleTree& tree, const fs::path& folder, const ModuleTreeLimits& limits)
      : tree_(tree), root_(folder == "/" ? "" : folder.string()), files_({folder.string()}), limits_(limits) {}

  void run() {
    follow(tree_.name, tree_.source);
    while (!waiting_.empty()) {
      const std::string name = std::move(waiting_.front());
      waiting_.pop_front();
      follow(name, tree_.modules.at(name));
    }
  }

 private:
  void follow(const std::string& name, std::string_view source) {
    if (name.ends_with(".json")) return;
    const std::string folder = fs::path(name).parent_path().string();
    for (const ImportSite& site : scan_imports(source)) {
      const auto path = path_of(site.specifier, folder);
      if (!path || !asked_.insert(*path).second) continue;
      if (asked_.size() > limits_.imports) {
        throw Error(RuntimeError::kLimit,
                    fmt::format("{} and what it imports name more than {} files: bundle them into fewer", tree_.name,
                                limits_.imports),
                    JsonObject{{"limit", "imports"}});
      }
      take(*path);
    }
  }

  static std::optional<std::string> path_of(std::string_view specifier, const std::string& folder) {
    try {
      return specifier_path(specifier, folder);
    } catch (const Error&) {
      return std::nullopt;  // a file: URL of another machine: the session says so itself, if it is an import at all
    }
  }

  void take(const std::string& path) {
    if (!path.starts_with(std::string(kScriptFolder) + "/")) {
      tree_.left_out.emplace(path, kOutside);
      return;
    }
    std::vector<std::string> tried;
    std::optional<std::string> file;
    try {
      file = files_.find(root_ + path.substr(kScriptFolder.size()), tried);
    } catch (const Error&) {
      tree_.left_out.emplace(path, kOutside);
    }
    const std::size_t in_vain = tried.size() - (file ? 1 : 0);
    for (std::size_t i = 0; i < in_vain; ++i) tree_.absent.emplace_back(tried[i]);
    if (!file) return;  // the session says why
    const std::string name = std::string(kScriptFolder) + tried.back().substr(root_.size());
    if (name != tree_.name && !tree_.modules.contains(name)) read(name, *file);
  }

  void read(const std::string& name, const std::string& file) {
    std::string text;
    try {
      text = files_.read(file);
    } catch (const Error&) {
      tree_.left_out.emplace(name, "it cannot be read as UTF-8 text");
      return;
    }
    if (tree_.modules.size() >= limits_.modules || text.size() > limits_.module_bytes - bytes_) {
      tree_.left_out.emplace(name, fmt::format("the files that a script imports are {} with {} MiB in all at most",
                                               limits_.modules, limits_.module_bytes >> 20U));
      return;
    }
    bytes_ += text.size();
    tree_.modules.emplace(name, std::move(text));
    tree_.files.emplace_back(file);
    waiting_.push_back(name);
  }

  ModuleTree& tree_;
  const std::string root_;
  const ModuleFiles files_;
  const ModuleTreeLimits limits_;
  std::uint64_t bytes_ = 0;
  std::set<std::string> asked_;
  std::deque<std::string> waiting_;
};

}  // namespace

std::string module_path(std::string_view name) {
  const fs::path folder(kScriptFolder);
  return (folder / fs::path(name)).lexically_normal().string();
}

ModuleTree read_module_tree(const std::string& path, const ModuleTreeLimits& limits) {
  ModuleTree tree;
  tree.source = read_file(path, limits.script_bytes);
  require_utf8(tree.source, path);
  std::error_code gone;
  const fs::path real = fs::canonical(path, gone);
  if (gone) throw io_error("cannot read", path, gone.value());
  tree.name = module_path(real.filename().string());
  tree.files.push_back(real);
  Collector(tree, real.parent_path(), limits).run();
  return tree;
}

}  // namespace alknet::runtime
