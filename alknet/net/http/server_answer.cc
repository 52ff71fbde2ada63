#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alknet/net/http/coding.h"
#include "alknet/net/http/server_state.h"
#include "alknet/net/http/url.h"

namespace alknet::net {

namespace {

struct StatusPhrase {
  int status;
  std::string_view phrase;
};
constexpr std::array kPhrases{
    StatusPhrase{200, "OK"},
    StatusPhrase{201, "Created"},
    StatusPhrase{202, "Accepted"},
    StatusPhrase{204, "No Content"},
    StatusPhrase{304, "Not Modified"},
    StatusPhrase{400, "Bad Request"},
    StatusPhrase{401, "Unauthorized"},
    StatusPhrase{403, "Forbidden"},
    StatusPhrase{404, "Not Found"},
    StatusPhrase{405, "Method Not Allowed"},
    StatusPhrase{406, "Not Acceptable"},
    StatusPhrase{408, "Request Timeout"},
    StatusPhrase{409, "Conflict"},
    StatusPhrase{413, "Content Too Large"},
    StatusPhrase{415, "Unsupported Media Type"},
    StatusPhrase{421, "Misdirected Request"},
    StatusPhrase{426, "Upgrade Required"},
    StatusPhrase{429, "Too Many Requests"},
    StatusPhrase{431, "Request Header Fields Too Large"},
    StatusPhrase{500, "Internal Server Error"},
    StatusPhrase{503, "Service Unavailable"},
    StatusPhrase{504, "Gateway Timeout"},
};

std::string join(const std::vector<std::string>& parts) {
  std::string all;
  for (const auto& part : parts) all += (all.empty() ? "" : ", ") + part;
  return all;
}

bool compressible(std::string_view type) {
  const std::string_view name = trim(type.substr(0, type.find(';')));
  return name.starts_with("text/") || name.ends_with("json") || name.ends_with("xml") || name.ends_with("javascript");
}

}  // namespace

std::string_view status_phrase(int status) {
  const auto found =
      std::find_if(kPhrases.begin(), kPhrases.end(), [&](const StatusPhrase& p) { return p.status == status; });
  return found == kPhrases.end() ? "Status" : found->phrase;
}

std::optional<std::string> HttpRequest::query_value(std::string_view name) const {
  for (auto& [key, value] : parse_query(query)) {
    if (key == name) return std::move(value);
  }
  return std::nullopt;
}

std::optional<std::string> HttpRequest::bearer_token() const {
  const auto value = headers.get("Authorization");
  constexpr std::string_view kScheme = "Bearer ";
  if (!value || value->size() < kScheme.size() || !equal_ignoring_case(value->substr(0, kScheme.size()), kScheme)) {
    return std::nullopt;
  }
  return std::string(trim(value->substr(kScheme.size())));
}

HttpResponse HttpResponse::text(int status, std::string_view body, std::string_view type) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", type);
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.body = SharedBytes::copy(body);
  return response;
}

HttpResponse HttpResponse::json(int status, const Json& body) {
  return text(status, json_text(body), "application/json");
}

HttpResponse HttpResponse::error(int status, std::string_view code, std::string_view message) {
  return json(status, JsonObject{{"error", JsonObject{{"code", code}, {"message", message}}}});
}

std::string allowed_methods(const HttpServer::State::Methods& methods) {
  std::string all = "OPTIONS";
  for (const auto& [method, handler] : methods) {
    all += ", " + method;
    if (method == "GET" && !methods.contains("HEAD")) all += ", HEAD";
  }
  return all;
}

void add_cors(const CorsOptions& cors, const HttpRequest& request, HttpHeaders& headers) {
  if (cors.origins.empty()) return;
  headers.add("Vary", "Origin");
  const auto origin = request.headers.get("Origin");
  if (!origin) return;
  const bool all = std::find(cors.origins.begin(), cors.origins.end(), "*") != cors.origins.end();
  if (!all && std::find(cors.origins.begin(), cors.origins.end(), *origin) == cors.origins.end()) return;
  headers.set("Access-Control-Allow-Origin", all ? "*" : *origin);
  if (!cors.exposed_headers.empty()) headers.set("Access-Control-Expose-Headers", join(cors.exposed_headers));
}

HttpResponse answer_options(const CorsOptions& cors, const HttpRequest& request,
                            const HttpServer::State::Methods& methods) {
  HttpResponse response;
  response.status = 204;
  response.headers.add("Allow", allowed_methods(methods));
  if (!cors.origins.empty() && request.headers.has("Origin") && request.headers.has("Access-Control-Request-Method")) {
    response.headers.add("Access-Control-Allow-Methods", allowed_methods(methods));
    response.headers.add("Access-Control-Allow-Headers", join(cors.request_headers));
    response.headers.add("Access-Control-Max-Age", std::to_string(cors.max_age.count()));
  }
  return response;
}

void compress_answer(const HttpRequest& request, std::size_t above, HttpResponse& response) {
  if (response.body.size() < above || response.headers.has("Content-Encoding") ||
      !compressible(response.headers.get("Content-Type").value_or(""))) {
    return;
  }
  response.headers.add("Vary", "Accept-Encoding");
  const Coding coding = choose_coding(request.headers.joined("Accept-Encoding"));
  if (coding == Coding::kIdentity) return;
  std::vector<std::byte> encoded = encode_body(coding, response.body.span());
  if (encoded.size() >= response.body.size()) return;
  response.body = SharedBytes::take(std::move(encoded));
  response.headers.set("Content-Encoding", coding_name(coding));
}

}  // namespace alknet::net
