// Reads a document in JSON or YAML, imports it as OpenAPI and compiles every operation. What is read as YAML has a JSON
// text that reads back the same; calls stay on the server that was given.
#include <cstdint>
#include <string>
#include <string_view>

#include "alknet/call/registry.h"
#include "alknet/net/import/yaml.h"
#include "alknet/net/openapi_import.h"
#include "fuzz/outcome.h"

namespace {

using namespace alknet;       // NOLINT(google-build-using-namespace)
using namespace alknet::net;  // NOLINT(google-build-using-namespace)
using alknet::fuzz::attempt;
using alknet::fuzz::require;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  YamlLimits limits;
  limits.max_expanded = std::size_t{1} << 20;
  attempt([&] {
    const Json document = parse_json_or_yaml(text, limits);
    // What was read as YAML is JSON: its text reads back as the same value.
    require(parse_json(json_text(document)) == document);
    const HttpFetch none = [](FetchRequest) -> Task<FetchedAnswer> {
      throw Error(BaseError::kUnsupported, "no network");
    };
    OpenApiOptions options;
    options.name_space = "api";
    options.server_url = "https://api.example.com/v1";
    const auto imported = import_openapi(document, none, options);
    require(imported.origins.empty() || imported.origins == std::vector<std::string>{"https://api.example.com"});
    std::size_t compiled = 0;
    for (const auto& registration : imported.registrations) {
      require(registration.spec.name.starts_with("api/"));
      if (++compiled > 20) break;
      attempt([&] { (void)call::Operation(registration); });
    }
  });
  return 0;
}
