#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>

#include "alknet/base/base64.h"
#include "alknet/call/error.h"
#include "alknet/net/connect.h"
#include "alknet/net/http/url.h"
#include "alknet/net/import/http_body.h"
#include "alknet/net/import/parameter_text.h"

// What of an input and of secrets goes into which part of a request.

namespace alknet::net {

namespace {

using call::CallError;

/// Sets a header field whose text comes from an input.
void add_header(const HttpEndpoint& endpoint, HttpHeaders& headers, std::string_view name, std::string_view value) {
  try {
    headers.add(name, value);
  } catch (const Error&) {
    refuse_input(endpoint, fmt::format("the header {:.80} cannot hold line breaks or other control characters", name));
  }
}

/// What the template has between its parameters, with what a URL may not hold encoded.
std::string literal_path(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    constexpr std::string_view kPlain = "/?&=%:@!$'()*+,;";
    encoded += kPlain.find(c) != std::string_view::npos ? std::string(1, c) : percent_encode(std::string_view(&c, 1));
  }
  return encoded;
}

/// Whether servers may read the segment as "." or "..".
bool is_dots(std::string_view segment) {
  std::string plain;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    const auto escape = segment.substr(i, 3);
    if (escape == "%2E" || escape == "%2e") {
      plain += '.';
      i += 2;
    } else {
      plain += segment[i];
    }
  }
  return plain == "." || plain == "..";
}

const HttpParameter* find_path_parameter(const HttpEndpoint& endpoint, std::string_view name) {
  const auto found = std::find_if(endpoint.parameters.begin(), endpoint.parameters.end(), [&](const HttpParameter& p) {
    return p.place == ParameterPlace::kPath && p.name == name;
  });
  return found == endpoint.parameters.end() ? nullptr : &*found;
}

std::string filled_path(const HttpEndpoint& endpoint, const JsonObject& input) {
  std::string path;
  std::string_view rest = endpoint.path;
  while (!rest.empty()) {
    const auto open = rest.find('{');
    path += literal_path(rest.substr(0, open));
    if (open == std::string_view::npos) break;
    const auto close = rest.find('}', open);
    const std::string_view name = rest.substr(open + 1, close == std::string_view::npos ? close : close - open - 1);
    rest = close == std::string_view::npos ? std::string_view() : rest.substr(close + 1);
    const HttpParameter* parameter = find_path_parameter(endpoint, name);
    const Json* value = parameter == nullptr ? nullptr : input.if_contains(parameter->input);
    if (value == nullptr) refuse_input(endpoint, fmt::format("the path needs the parameter {:.80}", name));
    const std::string text = path_text(*parameter, *value);
    if (text.empty()) refuse_input(endpoint, fmt::format("the path parameter {:.80} may not be empty", name));
    path += text;
  }
  const std::string_view whole = path;
  const std::string_view segments = whole.substr(0, whole.find('?'));
  for (std::size_t begin = 0; begin <= segments.size();) {
    const std::size_t end = std::min(segments.find('/', begin), segments.size());
    if (is_dots(segments.substr(begin, end - begin))) {
      refuse_input(endpoint, "a path segment may not be \".\" or \"..\": it would lead to another operation");
    }
    begin = end + 1;
  }
  return path;
}

/// Everything of a request that parameters and secrets add to.
struct Draft {
  TextPairs query;
  TextPairs cookies;
  HttpHeaders headers;
};

void add_parameters(const HttpEndpoint& endpoint, const JsonObject& input, Draft& draft) {
  for (const HttpParameter& parameter : endpoint.parameters) {
    const auto* value = input.if_contains(parameter.input);
    if (value == nullptr) continue;
    const auto append = [&](TextPairs& to) {
      const TextPairs pairs = query_pairs(parameter, *value);
      to.insert(to.end(), pairs.begin(), pairs.end());
    };
    switch (parameter.place) {
      case ParameterPlace::kPath: break;
      case ParameterPlace::kQuery: append(draft.query); break;
      case ParameterPlace::kCookie: append(draft.cookies); break;
      case ParameterPlace::kHeader:
        add_header(endpoint, draft.headers, parameter.name, header_text(parameter, *value));
        break;
    }
  }
}

const std::vector<HttpCredential>* choose_security(const HttpEndpoint& endpoint,
                                                   const call::Capabilities& capabilities) {
  if (endpoint.security.empty()) return nullptr;
  for (const auto& alternative : endpoint.security) {
    const bool all = std::all_of(alternative.begin(), alternative.end(), [&](const HttpCredential& credential) {
      return capabilities.find(credential.capability) != nullptr;
    });
    if (all) return &alternative;
  }
  std::string names;
  for (const auto& alternative : endpoint.security) {
    if (!names.empty()) names += ", or ";
    for (std::size_t i = 0; i < alternative.size(); ++i) {
      names += fmt::format("{}`{}`", i == 0 ? "" : " and ", alternative[i].capability);
    }
  }
  throw Error(CallError::kUnauthorized, fmt::format("{} needs a secret that this node was not given: the capability {}",
                                                    endpoint.operation, names));
}

void add_secret(const HttpEndpoint& endpoint, const HttpCredential& credential, std::string_view secret, Draft& draft) {
  const auto set = [&](std::string_view name, const std::string& value) {
    try {
      draft.headers.set(name, value);
    } catch (const Error&) {
      throw Error(CallError::kUnauthorized,
                  fmt::format("{}: the capability `{}` has characters that a header cannot hold", endpoint.operation,
                              credential.capability));
    }
  };
  switch (credential.kind) {
    case HttpCredential::Kind::kBearer: set("Authorization", "Bearer " + std::string(secret)); break;
    case HttpCredential::Kind::kBasic:
      set("Authorization", "Basic " + base64_text(std::as_bytes(std::span(secret.data(), secret.size()))));
      break;
    case HttpCredential::Kind::kHeader: set(credential.name, std::string(secret)); break;
    case HttpCredential::Kind::kQuery:
      draft.query.emplace_back(percent_encode(credential.name), percent_encode(secret));
      break;
    case HttpCredential::Kind::kCookie:
      draft.cookies.emplace_back(percent_encode(credential.name), percent_encode(secret));
      break;
  }
}

}  // namespace

FetchRequest make_request(const HttpEndpoint& endpoint, const Message& input, const call::Capabilities& capabilities) {
  if (!input.value.is_object()) refuse_input(endpoint, "the input must be an object");
  const JsonObject& members = input.value.get_object();
  Draft draft;
  draft.headers = endpoint.headers;
  FetchRequest request;
  request.method = endpoint.method;
  std::string path = filled_path(endpoint, members);
  add_parameters(endpoint, members, draft);
  const auto* secrets = choose_security(endpoint, capabilities);
  const bool secret = secrets != nullptr && !secrets->empty();
  if (secret) {
    for (const HttpCredential& credential : *secrets) {
      add_secret(endpoint, credential, capabilities.find(credential.capability)->value(), draft);
    }
    // Another origin must not get a secret: only Authorization and Cookie are held back when a redirect is followed.
    request.redirects = Redirects::kReturn;
  }
  if (!draft.query.empty()) path += (path.find('?') == std::string::npos ? "?" : "&") + join_pairs(draft.query);
  if (!draft.cookies.empty()) add_header(endpoint, draft.headers, "Cookie", join_pairs(draft.cookies, "; "));
  request.url = endpoint.base + path;
  if (secret) {
    const Url url = Url::parse(request.url);
    if (!url.secure() && !is_loopback_host(url.host)) {
      throw Error(CallError::kUnauthorized, fmt::format("{}: its secrets would travel in plain text to {}: use https",
                                                        endpoint.operation, url.origin()));
    }
  }
  request.headers = std::move(draft.headers);
  if (!endpoint.accept.empty() && !request.headers.has("Accept")) request.headers.add("Accept", endpoint.accept);
  write_body(endpoint, input, request);
  return request;
}

}  // namespace alknet::net
