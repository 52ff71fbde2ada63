#include "alknet/net/import/fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/call/error.h"
#include "alknet/net/error.h"

namespace alknet::net {

namespace {

using call::CallError;

AsyncGenerator<SharedBytes> pieces_of(FetchBody body) {
  while (auto piece = co_await body.next()) co_yield std::move(*piece);
}

Task<FetchedAnswer> fetch_from(HttpClient& client, FetchRequest request) {
  FetchResponse response = co_await client.fetch(std::move(request));
  FetchedAnswer answer{response.status, std::move(response.headers), pieces_of(std::move(response.body))};
  co_return answer;
}

CallError call_code_of(const Error& error) {
  if (error.code() == NetError::kTimeout) return CallError::kTimeout;
  if (error.code() == NetError::kUnauthorized) return CallError::kUnauthorized;
  return CallError::kTransport;
}

}  // namespace

HttpFetch fetch_with(HttpClient& client) {
  return [&client](FetchRequest request) { return fetch_from(client, std::move(request)); };
}

Task<SharedBytes> read_body(AsyncGenerator<SharedBytes> body, std::size_t max_bytes) {
  std::vector<std::byte> all;
  while (auto piece = co_await body.next()) {
    if (all.size() + piece->size() > max_bytes) {
      throw Error(CallError::kTransport, fmt::format("[fetch] the answer is longer than {} bytes", max_bytes));
    }
    all.insert(all.end(), piece->span().begin(), piece->span().end());
  }
  co_return SharedBytes::take(std::move(all));
}

Error as_call_error(const Error& error) {
  if (error.code().category() != net_category()) return error;
  return {call_code_of(error), error.message(),
          JsonObject{{"reason", error.code_name()}, {"details", error.details()}}};
}

Task<FetchedAnswer> fetch_for_call(HttpFetch fetch, FetchRequest request) {
  try {
    co_return co_await fetch(std::move(request));
  } catch (const Error& error) {
    throw as_call_error(error);
  }
}

std::string media_type(std::string_view content_type) {
  std::string type(trim(content_type.substr(0, content_type.find(';'))));
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return type;
}

bool is_json_type(std::string_view media_type) {
  return media_type == "application/json" || media_type == "text/json" || media_type.ends_with("+json");
}

}  // namespace alknet::net
