#include "alknet/runtime/resolver.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "alknet/base/json.h"
#include "alknet/base/near_names.h"
#include "alknet/runtime/error_report.h"
#include "alknet/runtime/import_scan.h"
#include "alknet/runtime/transform.h"

namespace alknet::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNativeScheme = "alknet:";

/// Why a specifier with one of these schemes names nothing, and what to do.
struct SchemeAdvice {
  std::string_view scheme, advice;
};
constexpr SchemeAdvice kSchemes[] = {
    {"http:", "modules are not fetched: download it, and name the file or map it with --import-map"},
    {"https:", "modules are not fetched: download it, and name the file or map it with --import-map"},
    {"data:", "write the module to a file"},
    {"node:", "these modules are Node's: scripts here have the web's interfaces and alknet's modules"},
    {"npm:", "packages are not installed: bundle them into one file, and map its name with --import-map"},
    {"jsr:", "packages are not installed: bundle them into one file, and map its name with --import-map"},
};

/// `place`: the referrer, with the line where it is known.
Error not_found(std::string_view specifier, std::string_view referrer, std::string_view place,
                std::vector<std::string> tried, std::string_view advice) {
  const std::string from = place.empty() ? "" : fmt::format(" (imported by {})", place);
  const std::string looked = tried.empty() ? "" : fmt::format("; tried {}", fmt::join(tried, ", "));
  JsonArray list(tried.begin(), tried.end());
  return {RuntimeError::kModuleNotFound,
          fmt::format("cannot find module \"{}\"{}{}{}{}", specifier, from, looked, advice.empty() ? "" : ": ", advice),
          JsonObject{{"specifier", specifier}, {"referrer", referrer}, {"tried", std::move(list)}}};
}

bool is_path(std::string_view name) { return name.starts_with('/'); }

std::string folder_of(std::string_view path) { return fs::path(path).parent_path().string(); }

}  // namespace

ScriptResolver::ScriptResolver(ScriptResolverOptions options) : options_(std::move(options)) {}

bool ScriptResolver::is_native(std::string_view name) const {
  return std::find(options_.native.begin(), options_.native.end(), name) != options_.native.end();
}

std::string ScriptResolver::resolve(std::string_view specifier, std::string_view referrer) {
  if (const std::size_t from = options_.bundles.find(referrer); from != options_.bundles.size()) {
    const std::string folder = "/" + folder_of(options_.bundles[from].path);
    const auto path = specifier_path(specifier, folder);
    return resolve_name(path ? bundle_name(std::string_view(*path).substr(1)) : specifier, specifier, referrer);
  }
  const std::string folder = is_path(referrer) ? folder_of(referrer) : "";
  auto path = folder.empty() && specifier.starts_with('.') ? std::nullopt : specifier_path(specifier, folder);
  const std::string wanted = path.value_or(std::string(specifier));
  if (const auto mapped = options_.import_map.resolve(wanted, referrer)) {
    return is_path(*mapped) ? resolve_path(*mapped, specifier, referrer) : resolve_name(*mapped, specifier, referrer);
  }
  return path ? resolve_path(*path, specifier, referrer) : resolve_name(specifier, specifier, referrer);
}

std::string ScriptResolver::resolve_path(const std::string& path, std::string_view specifier,
                                         std::string_view referrer) const {
  std::vector<std::string> tried;
  try {
    if (auto found = options_.files.find(path, tried)) return *std::move(found);
  } catch (const Error& error) {
    const std::string place = place_of(specifier, referrer);
    if (place.empty()) throw;
    throw Error(error.code(), fmt::format("{} (imported by {})", error.message(), place), error.details());
  }
  throw not_found(specifier, referrer, place_of(specifier, referrer), std::move(tried), "");
}

std::string ScriptResolver::place_of(std::string_view specifier, std::string_view referrer) const {
  if (const auto source = sources_.find(std::string(referrer)); source != sources_.end()) {
    for (const ImportSite& site : scan_imports(source->second)) {
      if (site.specifier == specifier) return fmt::format("{}:{}", referrer, site.at.line);
    }
  }
  return std::string(referrer);
}

std::string ScriptResolver::resolve_name(std::string_view name, std::string_view specifier,
                                         std::string_view referrer) const {
  if (is_native(name) || options_.bundles.find(name) != options_.bundles.size() ||
      options_.registered.contains(std::string(name))) {
    return std::string(name);
  }
  const std::string place = place_of(specifier, referrer);
  for (const auto& [scheme, advice] : kSchemes) {
    if (name.starts_with(scheme)) throw not_found(specifier, referrer, place, {}, advice);
  }
  if (specifier.starts_with('.')) {
    throw not_found(specifier, referrer, place, {}, "a relative path needs a file to start from");
  }
  const std::vector<std::string> known = module_names();
  const std::string near = did_you_mean(name, std::vector<std::string_view>(known.begin(), known.end()));
  const std::string_view advice = name.starts_with(kNativeScheme)
                                      ? "this host does not offer that module"
                                      : "a file begins with \"./\"; other names need an import map (--import-map)";
  throw not_found(specifier, referrer, place, {"the built-in modules"}, std::string(advice) + near);
}

std::vector<std::string> ScriptResolver::module_names() const {
  std::vector<std::string> names = options_.native;
  for (const std::string_view name : options_.bundles.names()) names.emplace_back(name);
  for (const auto& [name, source] : options_.registered) names.push_back(name);
  return names;
}

void ScriptResolver::register_module(const std::string& name, std::string source) {
  if (name.empty() || is_path(name) || name.starts_with('.') || is_native(name) ||
      options_.bundles.find(name) != options_.bundles.size() || options_.registered.contains(name)) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("a module cannot be registered as \"{}\": the name is taken or is a path", name));
  }
  options_.registered.emplace(name, std::move(source));
}

ModuleSource ScriptResolver::load(const std::string& name) {
  if (is_path(name)) return load_file(name);
  ModuleSource module;
  if (is_native(name)) {
    module.kind = ModuleSource::Kind::kNative;
  } else if (const std::size_t at = options_.bundles.find(name); at != options_.bundles.size()) {
    module.kind = ModuleSource::Kind::kBytecode;
    module.content = Bundles::content(options_.bundles[at]);
  } else if (const auto found = options_.registered.find(name); found != options_.registered.end()) {
    module.content = SharedBytes::copy(found->second);
  } else {
    throw not_found(name, "", "", {}, "");
  }
  return module;
}

ModuleSource ScriptResolver::load_file(const std::string& path) {
  ModuleSource module;
  module.url = file_url(path);
  module.path = path;
  module.main = path == main_;
  std::string text = options_.files.read(path);
  if (path.ends_with(".json")) {
    module.kind = ModuleSource::Kind::kJson;
    module.content = SharedBytes::copy(text);
  } else {
    module.content = SharedBytes::copy(transform(path, std::move(text)));
  }
  return module;
}

std::string ScriptResolver::transform(const std::string& path, std::string source) {
  const std::string& kept = sources_[path] = std::move(source);
  maps_.erase(path);
  if (!needs_transform(path)) return kept;
  if (options_.transformer == nullptr) {
    throw Error(RuntimeError::kModuleInvalid,
                fmt::format("{}: TypeScript is not transformed here: give JavaScript", path),
                JsonObject{{"file", path}});
  }
  return options_.transformer->transform(path, kept);
}

const SourceMap* ScriptResolver::source_map(const std::string& name) {
  if (const auto known = maps_.find(name); known != maps_.end()) return known->second.get();
  std::unique_ptr<SourceMap> map;
  if (const auto file = sources_.find(name); file != sources_.end()) {
    if (needs_transform(name) && options_.transformer != nullptr) {
      map = std::make_unique<SourceMap>(options_.transformer->source_map(name, file->second));
    }
  } else if (const std::size_t at = options_.bundles.find(name); at != options_.bundles.size()) {
    const std::string_view text = options_.bundles[at].source_map;
    if (!text.empty()) map = std::make_unique<SourceMap>(text);
  }
  return (maps_[name] = std::move(map)).get();
}

std::optional<SourceMap::Original> ScriptResolver::original(const std::string& name, TextPosition position) {
  const SourceMap* map = source_map(name);
  if (map == nullptr) return std::nullopt;
  auto found = map->original(position);
  if (found && is_path(name)) found->source = name;
  return found;
}

std::string_view ScriptResolver::source_line(const std::string& name, std::uint32_t line) const {
  const auto found = sources_.find(name);
  if (found == sources_.end() || line == 0) return {};
  return line_of(found->second, line);
}

}  // namespace alknet::runtime
