#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alknet/call/operation.h"
#include "alknet/net/import/http_endpoint.h"

namespace alknet::net {

/// Where the requests of an operation go.
struct EndpointTemplate {
  std::string method = "POST";

  /// "https://api.example.com/users/{id}?fields=all": a `{name}` in the path is the input's member of that name. The
  /// host is fixed.
  std::string url = {};

  /// Fields that every request has. No secrets: those belong into `credentials`.
  std::vector<std::pair<std::string, std::string>> headers = {};

  /// How the registration's capabilities are shown to the server; all are needed.
  std::vector<HttpCredential> credentials = {};
};

/// The registration for a spec with JSON Schemas and an endpoint. Members of the input that the path does not take
/// become the query of GET, HEAD and DELETE (arrays repeated, as style `form` exploded), else a JSON body. A
/// subscription reads an event stream, an output schema that is Bytes the raw body, all others JSON or text. Statuses
/// outside 2xx become the errors `HTTP_404`, ... that the spec declares.
///
/// Throws `operation_invalid` when the spec, the URL and the headers do not fit together.
call::Registration import_json_schema(call::OperationSpec spec, const EndpointTemplate& endpoint,
                                      const HttpFetch& fetch, call::Capabilities capabilities = {});

}  // namespace alknet::net
