#include "alknet/net/import/http_endpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/base/base64.h"
#include "alknet/base/utf8.h"
#include "alknet/call/context.h"
#include "alknet/call/error.h"
#include "alknet/net/http/event_stream.h"
#include "alknet/net/import/parameter_text.h"

namespace alknet::net {

namespace {

using call::CallError;

constexpr std::size_t kMaxErrorBody = std::size_t{1} << 20;

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
