#include "alknet/net/import/http_endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/base/base64.h"
#include "alknet/base/random_hex.h"
#include "alknet/base/utf8.h"
#include "alknet/call/context.h"
#include "alknet/net/connect.h"
#include "alknet/net/http/event_stream.h"
#include "alknet/net/http/url.h"
#include "alknet/net/import/parameter_text.h"

namespace alknet::net {

namespace {

using call::CallError;

constexpr std::size_t kMaxErrorBody = std::size_t{1} << 20;

[[noreturn]] void invalid(const HttpEndpoint& endpoint, std::string_view what) {
  throw Error(CallError::kInvalidInput, fmt::format("{}: {}", endpoint.operation, what));
}

/// Sets a header field whose text comes from an input.
void add_header(const HttpEndpoint& endpoint, HttpHeaders& headers, std::string_view name, std::string_view value) {
  try {
    headers.add(name, value);
  } catch (const Error&) {
    invalid(endpoint, fmt::format("the header {:.80} cannot hold line breaks or other control characters", name));
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
    if (value == nullptr) invalid(endpoint, fmt::format("the path needs the parameter {:.80}", name));
    const std::string text = path_text(*parameter, *value);
    if (text.empty()) invalid(endpoint, fmt::format("the path parameter {:.80} may not be empty", name));
    path += text;
  }
  const std::string_view whole = path;
  const std::string_view segments = whole.substr(0, whole.find('?'));
  for (std::size_t begin = 0; begin <= segments.size();) {
    const std::size_t end = std::min(segments.find('/', begin), segments.size());
    if (is_dots(segments.substr(begin, end - begin))) {
      invalid(endpoint, "a path segment may not be \".\" or \"..\": it would lead to another operation");
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

const HttpPart& part_of(const HttpBody& body, std::string_view name, const HttpPart& usual) {
  const auto found =
      std::find_if(body.parts.begin(), body.parts.end(), [&](const HttpPart& p) { return p.name == name; });
  return found == body.parts.end() ? usual : *found;
}

std::string form_text(const HttpEndpoint& endpoint, const Json& value) {
  if (!value.is_object()) invalid(endpoint, "a form must be an object");
  TextPairs pairs;
  const HttpPart usual;
  for (const auto& [name, member] : value.get_object()) {
    const HttpPart& part = part_of(endpoint.body, name, usual);
    HttpParameter parameter;
    parameter.name = name;
    parameter.style = part.style;
    parameter.explode = part.explode;
    parameter.allow_reserved = part.allow_reserved;
    const TextPairs made = query_pairs(parameter, member);
    pairs.insert(pairs.end(), made.begin(), made.end());
  }
  return join_pairs(pairs);
}

/// A name in a Content-Disposition field, escaped as browsers do (HTML standard section 4.10.21.8).
std::string quoted_name(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? "%22" : c == '\r' ? "%0D" : c == '\n' ? "%0A" : std::string(1, c);
  return quoted + '"';
}

class MultipartWriter {
 public:
  MultipartWriter(const HttpEndpoint& endpoint, const Message& input) : endpoint_(endpoint), input_(input) {}

  std::string write(const Json& value) {
    if (!value.is_object()) invalid(endpoint_, "a form must be an object");
    const HttpPart usual;
    for (const auto& [name, member] : value.get_object()) {
      const HttpPart& part = part_of(endpoint_.body, name, usual);
      const auto* items = member.if_array();
      if (items == nullptr) {
        add(name, part, member);
      } else {
        for (const Json& item : *items) add(name, part, item);
      }
    }
    text_ += "--" + boundary_ + "--\r\n";
    return std::move(text_);
  }

  const std::string& boundary() const { return boundary_; }

 private:
  void add(std::string_view name, const HttpPart& part, const Json& value) {
    text_ += "--" + boundary_ + "\r\nContent-Disposition: form-data; name=" + quoted_name(name);
    if (part.bytes) text_ += "; filename=" + quoted_name(name);
    const std::string usual = part.bytes ? "application/octet-stream" : value.is_object() ? "application/json" : "";
    const std::string& type = part.content_type.empty() ? usual : part.content_type;
    if (!type.empty()) text_ += "\r\nContent-Type: " + type;
    text_ += "\r\n\r\n";
    if (part.bytes) {
      text_ += attached_bytes(input_, value).text();
    } else {
      text_ += plain_text(value);
    }
    text_ += "\r\n";
  }

  const HttpEndpoint& endpoint_;
  const Message& input_;
  std::string boundary_ = "alknet-" + random_hex(20);
  std::string text_;
};

/// The input's members that no parameter takes.
Json other_members(const HttpEndpoint& endpoint, const JsonObject& input) {
  JsonObject others;
  for (const auto& [name, value] : input) {
    const bool taken = std::any_of(endpoint.parameters.begin(), endpoint.parameters.end(),
                                   [&, name = std::string_view(name)](const auto& p) { return p.input == name; });
    if (!taken) others[name] = value;
  }
  return others;
}

void add_body(const HttpEndpoint& endpoint, const Message& input, FetchRequest& request) {
  const HttpBody& body = endpoint.body;
  if (body.form == BodyForm::kNone) return;
  const JsonObject& members = input.value.get_object();
  Json gathered;
  const Json* value = members.if_contains(body.input);
  if (body.input.empty()) {
    gathered = other_members(endpoint, members);
    value = &gathered;
  }
  if (value == nullptr) return;
  std::string type = body.content_type;
  switch (body.form) {
    case BodyForm::kNone: break;
    case BodyForm::kJson: request.body = SharedBytes::copy(json_text(*value)); break;
    case BodyForm::kText: request.body = SharedBytes::copy(plain_text(*value)); break;
    case BodyForm::kBytes: request.body = attached_bytes(input, *value); break;
    case BodyForm::kForm: request.body = SharedBytes::copy(form_text(endpoint, *value)); break;
    case BodyForm::kMultipart: {
      MultipartWriter writer(endpoint, input);
      request.body = SharedBytes::copy(writer.write(*value));
      type += "; boundary=" + writer.boundary();
      break;
    }
  }
  request.headers.set("Content-Type", type);
}

// --- answers ---

bool matches_range(std::string_view range, int status) {
  return range.size() == 3 && range.substr(1) == "XX" && range[0] - '0' == status / 100;
}

/// The declared status that covers `status`, most exact first; empty when none does.
std::string declared_status(const HttpEndpoint& endpoint, int status) {
  const std::string exact = std::to_string(status);
  const auto& declared = endpoint.error_statuses;
  if (std::find(declared.begin(), declared.end(), exact) != declared.end()) return exact;
  for (const std::string& range : declared) {
    if (matches_range(range, status)) return range;
  }
  return std::find(declared.begin(), declared.end(), "default") == declared.end() ? std::string() : "default";
}

Json text_or_json(std::string_view text, bool json) {
  if (json) {
    try {
      return parse_json(text);
    } catch (const Error&) {  // not what it says it is: then it is text
      json = false;
    }
  }
  return find_invalid_utf8(text) ? Json(base64_text(std::as_bytes(std::span(text.data(), text.size())))) : Json(text);
}

Error answer_error(const HttpEndpoint& endpoint, int status, const HttpHeaders& headers, const SharedBytes& body) {
  const std::string type = media_type(headers.get("Content-Type").value_or(""));
  Json details = body.empty() ? Json(nullptr) : text_or_json(body.text(), is_json_type(type));
  const std::string declared = declared_status(endpoint, status);
  const std::string message = fmt::format("{}: the server answered with status {}", endpoint.operation, status);
  if (declared.empty() && status == 401) {
    return {CallError::kUnauthorized, message + ": it did not accept our credentials", std::move(details)};
  }
  const bool retryable = status == 429 || status == 502 || status == 503 || status == 504;
  return call::domain_error(http_error_code(declared.empty() ? std::to_string(status) : declared), message,
                            std::move(details), retryable);
}

Message answer_message(const HttpEndpoint& endpoint, const HttpHeaders& headers, SharedBytes body) {
  Message message;
  if (endpoint.answer == AnswerForm::kBytes) {
    message.value = attach_bytes(message, std::move(body));
    return message;
  }
  if (body.empty()) return message;
  const std::string type = media_type(headers.get("Content-Type").value_or("application/json"));
  if (!is_json_type(type)) {
    message.value = text_or_json(body.text(), false);
    return message;
  }
  try {
    message.value = parse_json(body.text(), {.max_depth = 64, .refuse_duplicate_keys = false});
  } catch (const Error& error) {
    throw Error(CallError::kTransport, fmt::format("{}: the server's answer is not the JSON that it says it is: {}",
                                                   endpoint.operation, error.message()));
  }
  return message;
}

FetchRequest prepared(const HttpEndpoint& endpoint, const Message& input, const call::Capabilities& capabilities) {
  try {
    return make_request(endpoint, input, capabilities);
  } catch (const Error& error) {
    if (error.code() == BaseError::kInvalidArgument) throw Error(CallError::kInvalidInput, error.message());
    throw as_call_error(error);
  }
}

Task<FetchedAnswer> successful_answer(std::shared_ptr<const HttpEndpoint> endpoint, HttpFetch fetch,
                                      FetchRequest request) {
  FetchedAnswer answer = co_await fetch_for_call(std::move(fetch), std::move(request));
  if (answer.status / 100 == 2) co_return std::move(answer);
  SharedBytes body;
  try {
    body = co_await read_body(std::move(answer.body), kMaxErrorBody);
  } catch (const Error&) {
    body = {};  // the status says enough
  }
  throw answer_error(*endpoint, answer.status, answer.headers, body);
}

Task<Message> call_endpoint(std::shared_ptr<const HttpEndpoint> endpoint, HttpFetch fetch,
                            call::OperationContext& context, Message input) {
  FetchRequest request = prepared(*endpoint, input, context.capabilities());
  FetchedAnswer answer = co_await successful_answer(endpoint, std::move(fetch), std::move(request));
  try {
    SharedBytes body = co_await read_body(std::move(answer.body), endpoint->max_answer_bytes);
    co_return answer_message(*endpoint, answer.headers, std::move(body));
  } catch (const Error& error) {
    throw as_call_error(error);
  }
}

/// Adapts errors of a body that is read item by item.
Task<std::optional<SharedBytes>> next_piece(AsyncGenerator<SharedBytes>& body) {
  try {
    co_return co_await body.next();
  } catch (const Error& error) {
    throw as_call_error(error);
  }
}

AsyncGenerator<Message> stream_endpoint(std::shared_ptr<const HttpEndpoint> endpoint, HttpFetch fetch,
                                        call::OperationContext& context, Message input) {
  FetchRequest request = prepared(*endpoint, input, context.capabilities());
  request.timeouts.idle = {};  // a subscription may be silent for hours
  FetchedAnswer answer = co_await successful_answer(endpoint, std::move(fetch), std::move(request));
  const std::string type = media_type(answer.headers.get("Content-Type").value_or(""));
  if (type != "text/event-stream") {  // one answer where a stream was possible
    SharedBytes body = co_await read_body(std::move(answer.body), endpoint->max_answer_bytes);
    if (!body.empty()) {
      Message only = answer_message(*endpoint, answer.headers, std::move(body));
      co_yield std::move(only);
    }
    co_return;
  }
  EventStreamParser parser;
  while (true) {
    auto piece = co_await next_piece(answer.body);
    if (!piece) break;
    const auto events = parser.feed(piece->text());
    for (const ServerSentEvent& event : events) {
      Message item;
      item.value = text_or_json(event.data, true);
      co_yield std::move(item);
    }
  }
}

}  // namespace

FetchRequest make_request(const HttpEndpoint& endpoint, const Message& input, const call::Capabilities& capabilities) {
  if (!input.value.is_object()) invalid(endpoint, "the input must be an object");
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
  add_body(endpoint, input, request);
  return request;
}

call::Handler endpoint_handler(std::shared_ptr<const HttpEndpoint> endpoint, HttpFetch fetch) {
  if (endpoint->answer == AnswerForm::kEvents) {
    return call::StreamHandler([endpoint, fetch](call::OperationContext& context, Message input) {
      return stream_endpoint(endpoint, fetch, context, std::move(input));
    });
  }
  return call::OnceHandler([endpoint, fetch](call::OperationContext& context, Message input) {
    return call_endpoint(endpoint, fetch, context, std::move(input));
  });
}

std::vector<call::ErrorSpec> adapter_errors() {
  const Json any = JsonObject{};
  std::vector<call::ErrorSpec> errors;
  errors.push_back({"UNAUTHORIZED", "The server did not accept our credentials, or this node has none.", any, 502});
  errors.push_back({"TRANSPORT", "The server could not be reached, or did not keep to its protocol.", any, 502});
  return errors;
}

std::string http_error_code(std::string_view status) { return "HTTP_" + call::capitals(status); }

}  // namespace alknet::net
