#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/call/operation.h"
#include "alknet/net/import/fetch.h"

namespace alknet::net {

/// How the operations of an HTTP API are imported.
struct OpenApiOptions {
  /// The namespace, so that `getPet` becomes "petstore/getPet". May have slashes.
  std::string name_space;

  /// Where the document was found; relative server URLs start from it. Empty: they are refused.
  std::string document_url = {};

  /// Used instead of every server of the document.
  std::string server_url = {};

  /// Values of server variables, instead of their defaults.
  std::map<std::string, std::string, std::less<>> server_variables = {};

  /// Secrets by the names of the document's security schemes: the token of `bearer`, `oauth2` and `openIdConnect`, the
  /// key of `apiKey`, "user:password" of `basic`. Each operation gets those that it names, and no other.
  call::Capabilities capabilities = {};

  /// Give secrets also to operations of servers that are not of the origin of `server_url` or `document_url`.
  bool trust_other_origins = false;

  call::Visibility visibility = call::Visibility::kInternal;
  std::optional<std::chrono::milliseconds> timeout = {};
};

/// What an import made, for the program to register and the user to see.
struct ImportedOperations {
  std::vector<call::Registration> registrations;

  /// "https://api.example.com": every server that calls go to, sorted.
  std::vector<std::string> origins;

  /// Those of them that are not where the document came from; their operations got no secrets unless trusted.
  std::vector<std::string> other_origins;

  /// The capabilities that operations need, sorted: what the user has to provide. Those that are optional are not
  /// named.
  std::vector<std::string> capabilities;

  /// What of the document was left out or is weaker than it says, each once.
  std::vector<std::string> notes;
};

/// One registration for each path and method of an OpenAPI 3.0 or 3.1 document. GET is a query, an operation whose
/// answer is an event stream a subscription, every other a mutation. Parameters are members of the input by their
/// names (`query_id` where two places have the same name), the request body is the member `body`. Pure: nothing is
/// fetched before a call.
///
/// Throws `schema_parse` (details `pointer`) for documents that are malformed, too large, or refer to other documents,
/// `discovery_failed` when there is no server to call.
ImportedOperations import_openapi(const Json& document, const HttpFetch& fetch, const OpenApiOptions& options);

/// The same for a document in JSON or YAML text.
ImportedOperations import_openapi_text(std::string_view text, const HttpFetch& fetch, const OpenApiOptions& options);

/// The same for a document that is fetched from `url`, which becomes `document_url`. Throws also `transport`,
/// `timeout`, `unauthorized` (401, 403), and `discovery_failed` for other statuses.
Task<ImportedOperations> fetch_openapi(HttpFetch fetch, std::string url, OpenApiOptions options);

}  // namespace alknet::net
