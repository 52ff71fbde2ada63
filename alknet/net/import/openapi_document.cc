#include "alknet/net/import/openapi_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "alknet/call/error.h"
#include "alknet/net/http/url.h"

namespace alknet::net {

namespace {

using call::CallError;

constexpr std::array<std::string_view, 13> kReservedHeaders{
    "Accept",  "Connection", "Content-Length", "Content-Type",      "Cookie", "Expect",        "Host",
    "Trailer", "TE",         "Upgrade",        "Transfer-Encoding", "Via",    "Authorization",
};

/// The server URL with its variables filled in.
std::string filled_server(const OpenApiDocument& document, const DocumentPlace& server, const OpenApiOptions& options) {
  const std::string url = document.text(server, "url");
  std::string filled;
  std::string_view rest = url;
  while (!rest.empty()) {
    const auto open = rest.find('{');
    filled += rest.substr(0, open);
    if (open == std::string_view::npos) break;
    const auto close = rest.find('}', open);
    if (close == std::string_view::npos) OpenApiDocument::fail(server.pointer, "has a `url` whose brace never closes");
    const std::string_view name = rest.substr(open + 1, close - open - 1);
    rest = rest.substr(close + 1);
    const auto variables = document.member(server, "variables");
    const auto variable = variables ? document.member(variables, name) : DocumentPlace();
    const auto given = options.server_variables.find(name);
    if (given == options.server_variables.end()) {
      if (!variable) OpenApiDocument::fail(server.pointer, fmt::format("lacks the server variable {:.80}", name));
      filled += document.text(variable, "default");
      continue;
    }
    const auto allowed = variable ? document.member(variable, "enum") : DocumentPlace();
    if (allowed && allowed.value->is_array()) {
      const JsonArray& values = allowed.value->get_array();
      if (std::find(values.begin(), values.end(), Json(given->second)) == values.end()) {
        throw Error(CallError::kDiscoveryFailed, fmt::format("[openapi] the server variable {} may be {}, not {:.80}",
                                                             name, json_text(*allowed.value), given->second));
      }
    }
    filled += given->second;
  }
  return filled;
}

HttpCredential credential_of(const OpenApiDocument& document, std::string name, const DocumentPlace& scheme,
                             ImportWork& work) {
  HttpCredential credential;
  credential.capability = std::move(name);
  const std::string type = document.text(scheme, "type");
  if (type == "apiKey") {
    const std::string in = document.text(scheme, "in");
    credential.name = document.text(scheme, "name");
    credential.kind = in == "query"    ? HttpCredential::Kind::kQuery
                      : in == "cookie" ? HttpCredential::Kind::kCookie
                                       : HttpCredential::Kind::kHeader;
    const bool header = credential.kind == HttpCredential::Kind::kHeader;
    const bool allowed = is_token(credential.name) && (!is_reserved_header(credential.name) ||
                                                       equal_ignoring_case(credential.name, "Authorization"));
    if (credential.name.empty() || (header && !allowed)) {
      OpenApiDocument::fail(scheme.pointer, "has a `name` that is no header field for a key");
    }
    return credential;
  }
  if (type == "http" && equal_ignoring_case(document.text(scheme, "scheme"), "basic")) {
    credential.kind = HttpCredential::Kind::kBasic;
    return credential;
  }
  const bool bearer = type == "oauth2" || type == "openIdConnect" ||
                      (type == "http" && equal_ignoring_case(document.text(scheme, "scheme"), "bearer"));
  if (!bearer) work.note(fmt::format("{}: this security scheme is not known; a bearer token is sent", scheme.pointer));
  return credential;
}

}  // namespace

bool is_reserved_header(std::string_view name) {
  return std::any_of(kReservedHeaders.begin(), kReservedHeaders.end(),
                     [&](std::string_view reserved) { return equal_ignoring_case(name, reserved); }) ||
         equal_ignoring_case(name.substr(0, 6), "Proxy-");
}

OpenApiDocument::OpenApiDocument(const Json& root) : root_(root) {
  if (!root.is_object()) fail("", "must be an object: an OpenAPI document");
  if (root.get_object().contains("swagger")) {
    fail("/swagger", "says Swagger 2.0, which is not read: convert the document to OpenAPI 3");
  }
  const std::string version = text(root_place(), "openapi");
  is_3_0_ = version == "3.0" || version.starts_with("3.0.");
  if (!is_3_0_ && version != "3.1" && !version.starts_with("3.1.")) {
    fail("/openapi", fmt::format("must be 3.0.x or 3.1.x, not \"{:.40}\"", version));
  }
}

void OpenApiDocument::fail(const std::string& pointer, std::string_view what) {
  throw Error(CallError::kSchemaParse, fmt::format("[openapi] \"{:.300}\" {}", pointer, what),
              JsonObject{{"pointer", pointer}});
}

DocumentPlace OpenApiDocument::follow(DocumentPlace place) const {
  constexpr int kMaxSteps = 32;
  const std::string from = place.pointer;
  for (int steps = 0; place && place.value->is_object(); ++steps) {
    const auto* target = place.value->get_object().if_contains("$ref");
    if (target == nullptr) break;
    if (steps == kMaxSteps) fail(from, "refers to itself, or through more than 32 references");
    if (!target->is_string()) fail(place.pointer, "has a `$ref` that is no string");
    const std::string_view text(target->get_string());
    if (!text.starts_with('#')) {
      fail(place.pointer, fmt::format("refers to {:.200}, which is not in this document: nothing is fetched; put what "
                                      "it refers to into the document",
                                      text));
    }
    const Json* found = find_place(root_, text);
    if (found == nullptr) fail(place.pointer, fmt::format("refers to {:.200}, which does not exist", text));
    place = {found, std::string(text.substr(1))};
  }
  return place;
}

DocumentPlace OpenApiDocument::written(const DocumentPlace& place, std::string_view name) const {
  if (!place.value->is_object()) fail(place.pointer, "must be an object");
  const auto* found = place.value->get_object().if_contains(name);
  if (found == nullptr) return {};
  return {found, pointer_step(place.pointer, name)};
}

DocumentPlace OpenApiDocument::member(const DocumentPlace& place, std::string_view name) const {
  return follow(written(place, name));
}

std::vector<std::pair<std::string, DocumentPlace>> OpenApiDocument::members(const DocumentPlace& place) const {
  std::vector<std::pair<std::string, DocumentPlace>> all;
  if (!place) return all;
  if (!place.value->is_object()) fail(place.pointer, "must be an object");
  for (const auto& [name, value] : place.value->get_object()) {
    all.emplace_back(name, DocumentPlace{&value, pointer_step(place.pointer, name)});
  }
  return all;
}

std::vector<DocumentPlace> OpenApiDocument::items(const DocumentPlace& place) const {
  std::vector<DocumentPlace> all;
  if (!place) return all;
  if (!place.value->is_array()) fail(place.pointer, "must be an array");
  for (std::size_t i = 0; i < place.value->get_array().size(); ++i) {
    all.push_back(follow({&place.value->get_array()[i], pointer_step(place.pointer, std::to_string(i))}));
  }
  return all;
}

std::string OpenApiDocument::text(const DocumentPlace& place, std::string_view name) const {
  const auto found = written(place, name);
  if (!found || found.value->is_null()) return {};
  if (!found.value->is_string()) fail(found.pointer, "must be a string");
  return std::string(found.value->get_string());
}

bool OpenApiDocument::flag(const DocumentPlace& place, std::string_view name) const {
  const auto* found = place.value->is_object() ? place.value->get_object().if_contains(name) : nullptr;
  return found != nullptr && *found == Json(true);
}

std::string server_base(const OpenApiDocument& document, const DocumentPlace& servers, const OpenApiOptions& options) {
  std::string text = options.server_url;
  if (text.empty()) {
    const auto all = document.items(servers);
    text = all.empty() ? "/" : filled_server(document, all[0], options);
  }
  try {
    const bool absolute = text.starts_with("http://") || text.starts_with("https://");
    if (!absolute && options.document_url.empty()) {
      throw Error(
          CallError::kDiscoveryFailed,
          fmt::format("[openapi] the document names no server but \"{:.200}\": say which `server_url` to call", text));
    }
    Url url = absolute ? Url::parse(text) : Url::parse(options.document_url).resolve(text);
    url.target = url.target.substr(0, url.target.find('?'));
    while (url.target.ends_with('/')) url.target.pop_back();
    return url.text();
  } catch (const Error& error) {
    if (error.code() == CallError::kDiscoveryFailed) throw;
    throw Error(CallError::kDiscoveryFailed,
                fmt::format("[openapi] the server \"{:.200}\" cannot be called: {}", text, error.message()));
  }
}

std::vector<std::vector<HttpCredential>> security_of(const OpenApiDocument& document, const DocumentPlace& security,
                                                     ImportWork& work) {
  std::vector<std::vector<HttpCredential>> alternatives;
  const auto components = document.member(document.root_place(), "components");
  const auto schemes = components ? document.member(components, "securitySchemes") : DocumentPlace();
  for (const DocumentPlace& requirement : document.items(security)) {
    std::vector<HttpCredential> together;
    for (const auto& [name, scopes] : document.members(requirement)) {
      const auto scheme = schemes ? document.member(schemes, name) : DocumentPlace();
      if (!scheme) {
        OpenApiDocument::fail(requirement.pointer, fmt::format("names {:.80}, which is no security scheme", name));
      }
      if (document.text(scheme, "type") == "mutualTLS") {
        work.note(fmt::format("{}: mutual TLS is the HTTP client's business; nothing is added", scheme.pointer));
        continue;
      }
      together.push_back(credential_of(document, name, scheme, work));
    }
    alternatives.push_back(std::move(together));
  }
  return alternatives;
}

}  // namespace alknet::net
