#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "alknet/base/error.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/base/task.h"
#include "alknet/net/http/client.h"
#include "alknet/net/http/headers.h"

namespace alknet::net {

/// What an importer sees of an HTTP answer. The body's pieces are read once.
struct FetchedAnswer {
  int status = 0;
  HttpHeaders headers;
  AsyncGenerator<SharedBytes> body;
};

/// How importers send requests: the HTTP client, or a test's own server in memory.
using HttpFetch = std::function<Task<FetchedAnswer>(FetchRequest)>;

/// Fetches with that client, which must outlive the function and the answers.
HttpFetch fetch_with(HttpClient& client);

/// The whole body. Throws call error `transport` when it is longer than `max_bytes`.
Task<SharedBytes> read_body(AsyncGenerator<SharedBytes> body, std::size_t max_bytes);

/// `fetch` whose failures are call errors: `timeout`, `unauthorized` or `transport`, with the reason in their details.
Task<FetchedAnswer> fetch_for_call(HttpFetch fetch, FetchRequest request);

/// The error that callers see for `error`: errors of the net layer become `timeout`, `unauthorized` or `transport`,
/// others stay.
Error as_call_error(const Error& error);

/// The media type of a Content-Type field in small letters, without parameters: "application/json".
std::string media_type(std::string_view content_type);

/// Whether that media type is JSON: application/json, text/json, anything with "+json".
bool is_json_type(std::string_view media_type);

}  // namespace alknet::net
