#pragma once

#include <string>
#include <vector>

#include "alknet/base/log.h"
#include "alknet/base/loop.h"
#include "alknet/call/operation.h"
#include "apps/alknet/command.h"

namespace alknet::net {
class HttpClient;
}

namespace alknet::app {

/// Whose operations a node imports, and with which secrets.
struct ImportOptions {
  std::vector<std::string> openapi;  ///< NAMESPACE=URL or NAMESPACE=FILE of an OpenAPI document
  std::vector<std::string> mcp;      ///< NAMESPACE=URL of an MCP server
  std::vector<std::string>
      secrets;  ///< NAME=FILE: a secret of an OpenAPI security scheme; NAMESPACE=FILE: a token of MCP
};

void add_import_options(CLI::App& command, ImportOptions& options);

/// The operations of everything that the options name, external, for callers that have the namespace as a scope. Blocks
/// while documents are fetched on `loop`, whose thread this must not be; `client` must outlive the registrations.
/// Throws UsageError for malformed options and what the importers throw.
std::vector<call::Registration> import_operations(Loop& loop, net::HttpClient& client, const ImportOptions& options,
                                                  const Logger& logger);

}  // namespace alknet::app
