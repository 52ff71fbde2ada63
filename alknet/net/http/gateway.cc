#include "alknet/net/http/gateway.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/settler.h"
#include "alknet/base/utf8.h"
#include "alknet/call/discovery.h"
#include "alknet/call/timeouts.h"
#include "alknet/net/http/event_stream.h"
#include "alknet/net/http/openapi.h"
#include "alknet/net/page/page_routes.h"
#include "alknet/schema/uri.h"

namespace alknet::net {

using call::CallError;

namespace {

constexpr std::string_view kCallPrefix = "/call/";
constexpr std::string_view kSubscribePrefix = "/subscribe/";

/// One call of a body, before any check of the dispatcher.
struct CallForm {
  std::string operation;
  Json input = JsonObject{};
  std::optional<std::chrono::milliseconds> timeout;
};

Error invalid(const std::string& message) { return {CallError::kInvalidInput, message}; }

Json parse_body(const HttpRequest& request) {
  const std::string_view type = request.headers.get("Content-Type").value_or("");
  if (!equal_ignoring_case(trim(type.substr(0, type.find(';'))), "application/json")) {
    throw invalid("the body must be JSON: send Content-Type: application/json");
  }
  try {
    require_utf8(request.body.text(), "the body");
    return parse_json(request.body.text());
  } catch (const Error& error) {
    throw invalid(error.message());
  }
}

CallForm call_form(const Json& value) {
  const auto* object = value.if_object();
  const auto* operation = object == nullptr ? nullptr : object->if_contains("operation");
  if (operation == nullptr || !operation->is_string()) {
    throw invalid("a call is {\"operation\": \"ns/op\", \"input\": ...}");
  }
  CallForm form{std::string(operation->get_string()), JsonObject{}, std::nullopt};
  if (const auto* input = object->if_contains("input")) form.input = *input;
  if (const auto* timeout = object->if_contains("timeout_ms")) {
    if (!timeout->is_int64() || timeout->get_int64() <= 0) throw invalid("timeout_ms is a positive integer");
    form.timeout = call::timeout_of(timeout->get_int64());
  }
  return form;
}

Json query_input(const HttpRequest& request) {
  const auto text = request.query_value("input");
  if (!text || text->empty()) return JsonObject{};
  try {
    require_utf8(*text, "the input");
    return parse_json(*text);
  } catch (const Error& error) {
    throw invalid(error.message());
  }
}

call::CallRequest call_request(CallForm form) {
  call::CallRequest request;
  request.operation = std::move(form.operation);
  request.input.value = std::move(form.input);
  request.timeout = form.timeout;
  return request;
}

SharedBytes event(std::string type, const Json& data) {
  return SharedBytes::copy(event_text({std::move(type), json_text(data), ""}));
}

}  // namespace

class Gateway::State : public std::enable_shared_from_this<State> {
 public:
  State(call::Dispatcher& on, GatewayOptions with)
      : dispatcher(on), options(std::move(with)), owners(on.executor(), on, options.owners) {}

  call::Dispatcher& dispatcher;
  GatewayOptions options;
  GatewayOwners owners;
};

namespace {

using StatePtr = std::shared_ptr<Gateway::State>;
using Answer = std::variant<Json, GatewayFailure>;

/// {"output"} or the failure. Throws only when the client has left.
Task<Answer> call_one(StatePtr state, GatewayOwners::Use use, CallForm form) {
  const TaskContext context = co_await current_context();
  const call::OperationPtr operation = state->dispatcher.find(*use.owner(), form.operation);
  try {
    Message output = co_await state->dispatcher.call(use.owner(), call_request(std::move(form)));
    if (operation) operation->output_bytes().encode(output);
    co_return Answer(Json(JsonObject{{"output", std::move(output.value)}}));
  } catch (const Error& error) {
    if (context.stop.stop_requested()) throw;
    co_return Answer(gateway_failure(error, operation ? &operation->spec() : nullptr, use.has_identity()));
  }
}

Task<HttpResponse> answer_call(StatePtr state, GatewayOwners::Use use, HttpRequest request) {
  CallForm form;
  if (request.path.starts_with(kCallPrefix)) {
    form.operation = schema::percent_decode(request.path.substr(kCallPrefix.size()));
    form.input = parse_body(request);
  } else {
    form = call_form(parse_body(request));
  }
  const Answer answer = co_await call_one(state, use, std::move(form));
  if (const auto* failure = std::get_if<GatewayFailure>(&answer)) co_return failure->response();
  co_return HttpResponse::json(200, std::get<Json>(answer));
}

Task<HttpResponse> answer_batch(StatePtr state, GatewayOwners::Use use, HttpRequest request) {
  const Json body = parse_body(request);
  const auto* calls = body.if_array();
  if (calls == nullptr) throw invalid("a batch is an array of {\"operation\", \"input\"}");
  if (calls->size() > state->options.max_batch) {
    throw invalid(fmt::format("a batch has at most {} calls: send the others in another", state->options.max_batch));
  }
  std::vector<CallForm> forms;
  for (const Json& value : *calls) forms.push_back(call_form(value));
  const TaskContext context = co_await current_context();
  std::vector<Completion<Answer>> answers(forms.size());
  for (std::size_t i = 0; i < forms.size(); ++i) {
    start(
        *context.executor, call_one(state, use, std::move(forms[i])),
        [settler = Settler<Answer>(answers[i])](Outcome<Answer> outcome) {
          if (outcome.ok()) {
            settler.set_value(outcome.take());
          } else {
            settler.set_error(outcome.error());
          }
        },
        context.stop);
  }
  JsonArray all;
  for (auto& waiting : answers) {
    const Answer answer = co_await waiting.wait();
    if (const auto* failure = std::get_if<GatewayFailure>(&answer)) {
      all.push_back(failure->to_json());
    } else {
      all.push_back(std::get<Json>(answer));
    }
  }
  co_return HttpResponse::json(200, std::move(all));
}

AsyncGenerator<SharedBytes> events_of(StatePtr state, GatewayOwners::Use use, call::OperationPtr operation,
                                      AsyncGenerator<Message> items) {
  const TaskContext context = co_await current_context();
  std::optional<GatewayFailure> failure;
  while (!failure) {
    std::optional<Message> item;
    try {
      item = co_await items.next();
    } catch (const Error& error) {
      if (context.stop.stop_requested()) throw;
      failure = gateway_failure(error, &operation->spec(), use.has_identity());
    }
    if (!item) break;
    operation->output_bytes().encode(*item);
    co_yield event("message", item->value);
  }
  if (failure) {
    co_yield event("error", failure->error.to_json());
  } else {
    co_yield event("completed", JsonObject{});
  }
  static_cast<void>(state);  // held as long as the stream lives
}

Task<HttpResponse> answer_subscribe(StatePtr state, GatewayOwners::Use use, HttpRequest request) {
  CallForm form;
  form.operation = request.path.starts_with(kSubscribePrefix)
                       ? schema::percent_decode(request.path.substr(kSubscribePrefix.size()))
                       : request.query_value("operation").value_or("");
  form.input = query_input(request);
  const call::OperationPtr operation = state->dispatcher.find(*use.owner(), form.operation);
  // What it throws at once, before any event, is answered with a status.
  AsyncGenerator<Message> items = state->dispatcher.subscribe(use.owner(), call_request(std::move(form)));
  HttpResponse response;
  response.headers.add("Content-Type", "text/event-stream");
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Accel-Buffering", "no");  // a proxy in front passes events on at once
  response.stream = events_of(state, use, operation, std::move(items));
  co_return response;
}

Task<HttpResponse> answer_search(StatePtr state, GatewayOwners::Use use, HttpRequest request) {
  const std::string text = request.query_value("q").value_or("");
  JsonArray found;
  for (const auto& [name, operation] : state->dispatcher.visible_operations(*use.owner())) {
    if (call::matches(operation->spec(), text)) found.push_back(call::operation_summary(operation->spec()));
  }
  co_return HttpResponse::json(200, JsonObject{{"operations", std::move(found)}});
}

Task<HttpResponse> answer_schema(StatePtr state, GatewayOwners::Use use, HttpRequest request) {
  const auto name = request.query_value("name");
  if (!name) throw invalid("name the operation: /schema?name=ns/op");
  const auto visible = state->dispatcher.visible_operations(*use.owner());
  const auto found = visible.find(name->starts_with('/') ? name->substr(1) : *name);
  if (found == visible.end()) {
    throw Error(CallError::kNotFound, fmt::format("no operation \"{:.200}\" that this caller may see", *name));
  }
  co_return HttpResponse::json(200, found->second->spec().to_json());
}

Task<HttpResponse> answer_openapi(StatePtr state, GatewayOwners::Use use, HttpRequest) {
  co_return HttpResponse::json(
      200, openapi_document(state->dispatcher.visible_operations(*use.owner()), state->options.owners.anonymous,
                            state->options.title, state->options.version));
}

using Act = Task<HttpResponse> (*)(StatePtr, GatewayOwners::Use, HttpRequest);

/// Runs `act` for the caller of `request`; what it throws becomes the answer.
Task<HttpResponse> serve(StatePtr state, Act act, HttpRequest request) {
  const TaskContext context = co_await current_context();
  auto found = state->owners.find(request);
  if (const auto* refused = std::get_if<GatewayFailure>(&found)) co_return refused->response();
  const GatewayOwners::Use use = std::get<GatewayOwners::Use>(std::move(found));
  std::optional<GatewayFailure> failure;
  try {
    co_return co_await act(state, use, std::move(request));
  } catch (const Error& error) {
    if (context.stop.stop_requested()) throw;
    failure = gateway_failure(error, nullptr, use.has_identity());
  }
  co_return failure->response();
}

struct Route {
  const char* method;
  const char* path;
  Act act;
};
constexpr Route kRoutes[] = {
    {"GET", "/search", answer_search},
    {"GET", "/schema", answer_schema},
    {"POST", "/call", answer_call},
    {"POST", "/call/*", answer_call},
    {"POST", "/batch", answer_batch},
    {"GET", "/subscribe", answer_subscribe},
    {"GET", "/subscribe/*", answer_subscribe},
    {"GET", "/openapi.json", answer_openapi},
};

Task<HttpResponse> answer_health(StatePtr) { co_return HttpResponse::json(200, JsonObject{{"status", "ok"}}); }

Task<HttpResponse> answer_ready(StatePtr state) {
  const bool draining = state->dispatcher.draining();
  const bool ready = !draining && (!state->options.ready || state->options.ready());
  const char* status = draining ? "draining" : (ready ? "ready" : "not ready");
  co_return HttpResponse::json(ready ? 200 : 503, JsonObject{{"status", status}});
}

Task<HttpResponse> answer_metrics(StatePtr state) {
  co_return HttpResponse::text(200, state->options.metrics->text(), "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace

Gateway::Gateway(HttpServer& server, call::Dispatcher& dispatcher, GatewayOptions options)
    : state_(std::make_shared<State>(dispatcher, std::move(options))) {
  for (const Route& route : kRoutes) {
    server.route(route.method, route.path, [state = state_, act = route.act](HttpRequest request) {
      return serve(state, act, std::move(request));
    });
  }
  if (state_->options.page) add_page(server);
  server.route("GET", "/health", [state = state_](HttpRequest) { return answer_health(state); });
  server.route("GET", "/ready", [state = state_](HttpRequest) { return answer_ready(state); });
  if (state_->options.metrics != nullptr) {
    server.route("GET", "/metrics", [state = state_](HttpRequest) { return answer_metrics(state); });
  }
}

Gateway::~Gateway() = default;

void Gateway::end_where(const std::function<bool(const call::Identity&)>& ended) { state_->owners.end_where(ended); }

std::size_t Gateway::sessions() const { return state_->owners.sessions(); }

}  // namespace alknet::net
