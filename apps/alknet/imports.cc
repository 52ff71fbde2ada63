#include "apps/alknet/imports.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <iterator>
#include <memory>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/base/files.h"
#include "alknet/net/credentials.h"
#include "alknet/net/http/client.h"
#include "alknet/net/import/fetch.h"
#include "alknet/net/mcp/importer.h"
#include "alknet/net/openapi_import.h"

namespace alknet::app {
namespace {

constexpr std::uint64_t kMaxDocumentBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kMaxSecretBytes = std::uint64_t{64} << 10;

/// "NAME=VALUE" in its two parts.
std::pair<std::string, std::string> named(const std::string& argument, std::string_view flag) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == argument.size()) {
    throw UsageError(fmt::format("{} {}: write NAME=VALUE", flag, argument));
  }
  return {argument.substr(0, equals), argument.substr(equals + 1)};
}

call::Capabilities read_secrets(const std::vector<std::string>& arguments) {
  call::Capabilities secrets;
  for (const std::string& argument : arguments) {
    const auto [name, file] = named(argument, "--secret");
    net::require_private_file(file, fmt::format("the secret {}", name));
    std::string text = read_file(file, kMaxSecretBytes);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    secrets.add(name, std::make_shared<const call::Secret>(text));
  }
  return secrets;
}

bool is_url(std::string_view place) { return place.starts_with("http://") || place.starts_with("https://"); }

}  // namespace

void add_import_options(CLI::App& command, ImportOptions& options) {
  command
      .add_option("--import-openapi", options.openapi,
                  "NAMESPACE=URL or NAMESPACE=FILE of an OpenAPI document whose operations to offer; may be repeated")
      ->allow_extra_args(false);
  command
      .add_option("--import-mcp", options.mcp,
                  "NAMESPACE=URL of an MCP server whose tools to offer likewise; may be repeated")
      ->allow_extra_args(false);
  command
      .add_option("--secret", options.secrets,
                  "NAME=FILE: what an OpenAPI security scheme of that name, or the MCP server of that namespace, asks "
                  "for; may be repeated")
      ->allow_extra_args(false);
}

std::vector<call::Registration> import_operations(Loop& loop, net::HttpClient& client, const ImportOptions& options,
                                                  const Logger& logger) {
  const call::Capabilities secrets = read_secrets(options.secrets);
  const net::HttpFetch fetch = net::fetch_with(client);
  std::vector<call::Registration> all;
  const auto add = [&](std::vector<call::Registration> some, std::string_view place, const std::string& scope) {
    // They may act with a secret of this node, so nobody gets them unasked.
    for (call::Registration& operation : some) operation.spec.access.required_scopes = {scope};
    logger.info("imported", {{"from", place}, {"operations", some.size()}});
    std::move(some.begin(), some.end(), std::back_inserter(all));
  };
  for (const std::string& argument : options.openapi) {
    const auto [name_space, place] = named(argument, "--import-openapi");
    net::OpenApiOptions importing;
    importing.name_space = name_space;
    importing.capabilities = secrets;
    importing.visibility = call::Visibility::kExternal;
    auto imported = is_url(place) ? wait_for(loop, net::fetch_openapi(fetch, place, std::move(importing)))
                                  : net::import_openapi_text(read_file(place, kMaxDocumentBytes), fetch, importing);
    for (const std::string& note : imported.notes) logger.warning("import", {{"from", place}, {"note", note}});
    for (const std::string& name : imported.capabilities) {
      if (secrets.find(name)) continue;
      logger.warning("a secret is missing: some operations will refuse to run",
                     {{"from", place}, {"remedy", fmt::format("--secret {}=FILE", name)}});
    }
    add(std::move(imported.registrations), place, name_space);
  }
  for (const std::string& argument : options.mcp) {
    const auto [name_space, place] = named(argument, "--import-mcp");
    net::mcp::McpImportOptions importing;
    importing.url = place;
    importing.name_space = name_space;
    importing.token = secrets.find(name_space);
    importing.visibility = call::Visibility::kExternal;
    importing.logger = logger;
    const auto session = std::make_shared<net::mcp::McpSession>(fetch, std::move(importing));
    wait_for(loop, session->connect());
    add(wait_for(loop, session->list_operations()), place, name_space);
  }
  return all;
}

}  // namespace alknet::app
