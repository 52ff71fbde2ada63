// alknet-jsc ARCHIVE NAME=FOLDER...: compiles the modules that esbuild left in each folder to bytecode and writes them
// to one archive, each under the name that imports it. The build runs it; see bundles.cmake.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/files.h"
#include "alknet/base/json.h"
#include "alknet/runtime/bundle.h"
#include "alknet/runtime/isolate.h"

namespace alknet::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxBytes = std::uint64_t{64} << 20U;

/// The source map with what errors need: sources are named by their package, wherever the build was.
std::string plain_source_map(const fs::path& file, const std::string& package) {
  if (!fs::exists(file)) return "";
  const Json document = parse_json(read_file(file, kMaxBytes));
  const JsonObject& map = document.as_object();
  const std::string own = package.substr(package.rfind('/') + 1) + "/src/";
  JsonArray sources;
  for (const Json& source : map.at("sources").as_array()) {
    const std::string path(source.as_string());
    const std::size_t at = path.rfind(own);
    const std::size_t cut = own.size() - std::string_view("src/").size();
    sources.emplace_back(at == std::string::npos ? path : fmt::format("{}/{}", package, path.substr(at + cut)));
  }
  return json_text(JsonObject{{"version", 3}, {"sources", std::move(sources)}, {"mappings", map.at("mappings")}});
}

void add_package(const std::string& package, const fs::path& folder, std::vector<BundleInput>& modules) {
  Isolate isolate;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".js") continue;
    BundleInput module;
    module.path = fmt::format("{}/{}", package, fs::relative(entry.path(), folder).string());
    const std::string name(bundle_name(module.path));
    try {
      module.bytecode = isolate.compile_module(read_file(entry.path(), kMaxBytes), name);
    } catch (const Error& error) {
      throw Error(error.code(),
                  fmt::format("{}: {} {}", entry.path().string(), error.message(), json_text(error.details())));
    }
    module.source_map = plain_source_map(entry.path().string() + ".map", package);
    modules.push_back(std::move(module));
  }
}

void compile_bundles(const fs::path& archive, const std::vector<std::string>& packages) {
  std::vector<BundleInput> modules;
  for (const std::string& package : packages) {
    const std::size_t equals = package.find('=');
    if (equals == std::string::npos) {
      throw Error(BaseError::kInvalidArgument, fmt::format("\"{}\" is not NAME=FOLDER", package));
    }
    add_package(package.substr(0, equals), package.substr(equals + 1), modules);
  }
  write_file(archive, make_archive(std::move(modules)));
}

}  // namespace
}  // namespace alknet::runtime

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: alknet-jsc ARCHIVE NAME=FOLDER...\n");
    return 2;
  }
  try {
    alknet::runtime::compile_bundles(argv[1], std::vector<std::string>(argv + 2, argv + argc));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "alknet-jsc: %s\n", error.what());
    return 1;
  }
}
