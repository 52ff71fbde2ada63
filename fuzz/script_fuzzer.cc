// What is read of a script before it runs. The first byte says whether the rest is an import map, a source map or a
// source text whose imports are looked for. What comes out must be usable: paths that are absolute, places in the text.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "alknet/runtime/import_map.h"
#include "alknet/runtime/import_scan.h"
#include "alknet/runtime/source_map.h"
#include "fuzz/outcome.h"

namespace {

using namespace alknet;  // NOLINT(google-build-using-namespace)
using alknet::fuzz::attempt;
using alknet::fuzz::require;

constexpr std::string_view kFolder = "/project/scripts";

void resolve(const runtime::ImportMap& map, std::string_view specifier) {
  attempt([&] {
    const auto path = runtime::specifier_path(specifier, kFolder);
    if (path) require(path->starts_with('/') && path->find("/../") == std::string::npos);
    for (const std::string_view referrer : {"/project/scripts/main.ts", "/project/other/main.ts", "package"}) {
      (void)map.resolve(path ? std::string_view(*path) : specifier, referrer);
    }
  });
}

void read_import_map(std::string_view text) {
  attempt([&] {
    const Json document = parse_json(text);
    const runtime::ImportMap map(document, std::string(kFolder));
    for (const std::string_view specifier : {"lib", "lib/deep.js", "./x.ts", "../x.ts", "file:///x.ts"}) {
      resolve(map, specifier);
    }
    if (!document.is_object()) return;
    const Json* imports = document.get_object().if_contains("imports");
    if (imports == nullptr || !imports->is_object()) return;
    for (const auto& [key, address] : imports->get_object()) {
      resolve(map, key);
      resolve(map, std::string(key) + "deep");
    }
  });
}

void read_source_map(std::string_view text) {
  attempt([&] {
    const runtime::SourceMap map(text);
    for (std::uint32_t line = 1; line < 8; ++line) {
      for (const std::uint32_t column : {1U, 2U, 9U, 200U, 0xFFFF'FFFFU}) (void)map.original({line, column});
    }
    (void)map.original({0, 0});
    (void)map.original({0xFFFF'FFFF, 1});
  });
}

void scan(std::string_view source) {
  runtime::TextPosition last;
  for (const runtime::ImportSite& site : runtime::scan_imports(source)) {
    require(source.find(site.specifier) != std::string_view::npos);
    require(site.at.line > last.line || (site.at.line == last.line && site.at.column > last.column));
    last = site.at;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0: read_import_map(text); break;
    case 1: read_source_map(text); break;
    default: scan(text);
  }
  return 0;
}
