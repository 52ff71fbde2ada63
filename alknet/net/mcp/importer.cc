#include "alknet/net/mcp/importer.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/call/context.h"
#include "alknet/net/http/event_stream.h"
#include "alknet/net/import/names.h"
#include "alknet/net/mcp/protocol.h"
#include "alknet/net/mcp/tool_import.h"

namespace alknet::net::mcp {

namespace {

using call::CallError;

constexpr std::size_t kMaxAnswer = std::size_t{256} << 20;
constexpr int kMaxResumptions = 5;

/// Thrown inside when the server does not know the session any more.
struct SessionLost {};

Error rpc_failure(const Json& error, std::string_view method) {
  const auto* object = error.if_object();
  const auto* code = object == nullptr ? nullptr : object->if_contains("code");
  const auto* text = object == nullptr ? nullptr : object->if_contains("message");
  const std::string message = fmt::format(
      "[mcp] {}: {}", method,
      text != nullptr && text->is_string() ? std::string_view(text->get_string()) : "the server answered an error");
  const std::int64_t number = code != nullptr && code->is_int64() ? code->get_int64() : 0;
  if (number == kInvalidParams) return {CallError::kInvalidInput, message, error};
  if (number == kMethodNotFound) return {CallError::kNotFound, message, error};
  return call::domain_error("MCP_ERROR", message, error);
}

}  // namespace

/// Tells the server that nobody waits for a request any more, unless it was answered.
class McpSession::CancelGuard {
 public:
  CancelGuard(std::shared_ptr<McpSession> session, Executor* executor, std::int64_t id)
      : session_(std::move(session)), executor_(executor), id_(id) {}
  ~CancelGuard() {
    if (executor_ == nullptr || session_ == nullptr) return;
    JsonObject params;
    params.emplace("requestId", id_);
    params.emplace("reason", "the caller gave the call up");
    start(*executor_, notify(session_, rpc_notification("notifications/cancelled", std::move(params))),
          [logger = session_->options_.logger](const Outcome<void>& outcome) {
            if (!outcome.ok()) logger.debug("a cancellation did not reach the server");
          });
  }
  CancelGuard(const CancelGuard&) = delete;
  CancelGuard& operator=(const CancelGuard&) = delete;

  void answered() { session_ = nullptr; }

 private:
  std::shared_ptr<McpSession> session_;
  Executor* executor_;
  std::int64_t id_;
};

McpSession::McpSession(HttpFetch fetch, McpImportOptions options)
    : fetch_(std::move(fetch)), options_(std::move(options)) {}

void McpSession::set_common_headers(FetchRequest& request, bool with_session) const {
  request.url = options_.url;
  request.redirects = options_.token ? Redirects::kReturn : Redirects::kFollow;
  request.timeouts.idle = {};  // tools may think for long; the call's deadline ends them
  if (options_.token) request.headers.add("Authorization", "Bearer " + std::string(options_.token->value()));
  if (!with_session) return;
  if (!session_id_.empty()) request.headers.add(kSessionHeader, session_id_);
  if (revision_ != kOldest) request.headers.add(kVersionHeader, revision_);
}

FetchRequest McpSession::post_request(const Json& message, bool with_session) const {
  FetchRequest request;
  request.method = "POST";
  set_common_headers(request, with_session);
  request.headers.add("Content-Type", "application/json");
  request.headers.add("Accept", "application/json, text/event-stream");
  request.body = SharedBytes::copy(json_text(message));
  return request;
}

FetchRequest McpSession::get_request(const std::string& last_event) const {
  FetchRequest request;
  set_common_headers(request, true);
  request.headers.add("Accept", "text/event-stream");
  if (!last_event.empty()) request.headers.add("Last-Event-ID", last_event);
  return request;
}

/// Sends a request; statuses that say no are errors.
Task<FetchedAnswer> McpSession::send(std::shared_ptr<McpSession> self, FetchRequest request) {
  const bool in_session = request.headers.has(kSessionHeader);
  FetchedAnswer answer = co_await fetch_for_call(self->fetch_, std::move(request));
  if (answer.status / 100 == 2 || answer.status == 405) co_return std::move(answer);
  if (answer.status == 404 && in_session) throw SessionLost();
  if (answer.status == 401 || answer.status == 403) {
    throw Error(CallError::kUnauthorized,
                fmt::format("[mcp] {} refused our credentials (status {})", self->options_.url, answer.status));
  }
  // Servers explain a refusal as a JSON-RPC error.
  std::string why;
  try {
    const SharedBytes body = co_await read_body(std::move(answer.body), std::size_t{64} << 10U);
    why = fmt::format(": {:.300}", std::string_view(parse_json(body.text()).at("error").at("message").as_string()));
  } catch (const std::exception&) {
    why.clear();
  }
  throw Error(CallError::kTransport,
              fmt::format("[mcp] {} answered with status {}{}", self->options_.url, answer.status, why));
}

Task<void> McpSession::notify(std::shared_ptr<McpSession> self, Json message) {
  FetchRequest request = self->post_request(message, true);
  FetchedAnswer answer = co_await send(self, std::move(request));
  (void)co_await read_body(std::move(answer.body), kMaxAnswer);
}

/// Looks at one message of the server. Gives the response to the request `id`.
Task<std::optional<Json>> McpSession::take_message(std::shared_ptr<McpSession> self, Json message, std::int64_t id) {
  std::optional<Json> found;
  if (auto* batch = message.if_array()) {
    for (Json& one : *batch) {
      if (one.is_array()) continue;
      auto response = co_await take_message(self, std::move(one), id);
      if (response) found = std::move(response);
    }
    co_return found;
  }
  const auto rpc = RpcMessage::read(message);
  if (!rpc) co_return found;
  if (rpc->is_response()) {
    if (*rpc->id == Json(id)) found = std::move(message);
    co_return found;
  }
  if (rpc->is_request()) {
    Json reply = rpc->method == "ping" ? rpc_result(*rpc->id, JsonObject())
                                       : rpc_error(*rpc->id, kMethodNotFound, "this client has no such method");
    co_await notify(self, std::move(reply));
    co_return found;
  }
  if (rpc->method == "notifications/tools/list_changed" && self->options_.on_tools_changed) {
    self->options_.on_tools_changed();
  }
  co_return found;
}

/// The response to the request `id`, or nothing when the stream ends before it.
Task<std::optional<Json>> McpSession::read_answer(std::shared_ptr<McpSession> self, FetchedAnswer answer,
                                                  std::int64_t id, std::string* last_event) {
  const std::string type = media_type(answer.headers.get("Content-Type").value_or(""));
  std::optional<Json> response;
  if (type != "text/event-stream") {
    const SharedBytes body = co_await read_body(std::move(answer.body), kMaxAnswer);
    Json message;
    try {
      message = parse_json(body.text());
    } catch (const Error& error) {
      throw Error(CallError::kTransport,
                  fmt::format("[mcp] {} did not answer with JSON: {}", self->options_.url, error.message()));
    }
    response = co_await take_message(self, std::move(message), id);
    co_return response;
  }
  EventStreamParser parser;
  while (!response) {
    std::optional<SharedBytes> piece;
    try {
      piece = co_await answer.body.next();
    } catch (const Error& error) {
      const Error seen = as_call_error(error);
      if (seen.code() != CallError::kTransport) throw seen;
    }
    if (!piece) break;
    const auto events = parser.feed(piece->text());
    for (const ServerSentEvent& event : events) {
      if (!event.id.empty()) *last_event = event.id;
      if (event.type != "message" || event.data.empty()) continue;
      Json message;
      try {
        message = parse_json(event.data);
      } catch (const Error&) {
        self->options_.logger.warning("an event of the server is not JSON", {{"url", self->options_.url}});
        continue;
      }
      auto found = co_await take_message(self, std::move(message), id);
      if (found) response = std::move(found);
    }
  }
  co_return response;
}

Task<Json> McpSession::request_once(std::shared_ptr<McpSession> self, std::int64_t id, std::string method,
                                    Json params) {
  FetchRequest post = self->post_request(rpc_request(id, method, std::move(params)), true);
  const TaskContext context = co_await current_context();
  const bool cancellable = method == "tools/call";
  CancelGuard guard(self, cancellable ? context.executor : nullptr, id);
  std::string last_event;
  std::optional<Json> response;
  try {
    FetchedAnswer answer = co_await send(self, std::move(post));
    response = co_await read_answer(self, std::move(answer), id, &last_event);
    for (int i = 0; !response && !last_event.empty() && i < kMaxResumptions; ++i) {
      FetchRequest again = self->get_request(last_event);
      FetchedAnswer resumed = co_await send(self, std::move(again));
      if (resumed.status == 405) break;
      response = co_await read_answer(self, std::move(resumed), id, &last_event);
    }
  } catch (const Error& error) {
    if (error.code() != BaseError::kAborted) guard.answered();
    throw;
  } catch (const SessionLost&) {
    guard.answered();
    throw;
  }
  guard.answered();
  if (!response) {
    throw Error(CallError::kTransport,
                fmt::format("[mcp] {} ended its answer to {} early", self->options_.url, method));
  }
  const auto rpc = RpcMessage::read(*response);
  if (rpc->error != nullptr) throw rpc_failure(*rpc->error, method);
  Json result = *rpc->result;
  co_return result;
}

Task<Json> McpSession::request(std::shared_ptr<McpSession> self, std::string method, Json params) {
  const std::uint64_t generation = self->generation_;
  try {
    co_return co_await request_once(self, ++self->last_id_, method, params);
  } catch (const SessionLost&) {  // below: nothing may be awaited in here
  }
  if (self->generation_ == generation) co_await self->connect();
  try {
    co_return co_await request_once(self, ++self->last_id_, method, std::move(params));
  } catch (const SessionLost&) {
    throw Error(CallError::kTransport, fmt::format("[mcp] {} forgets its sessions at once", self->options_.url));
  }
}

Task<void> McpSession::connect() {
  const auto self = shared_from_this();
  session_id_.clear();
  revision_.clear();
  JsonObject client{{"name", options_.client_name}, {"version", options_.client_version}};
  JsonObject params{{"protocolVersion", kNewest}};
  params.emplace("capabilities", JsonObject());
  params.emplace("clientInfo", std::move(client));
  const std::int64_t id = ++last_id_;
  FetchRequest post = post_request(rpc_request(id, "initialize", std::move(params)), false);
  FetchedAnswer answer = co_await send(self, std::move(post));
  if (answer.status == 405) {
    throw Error(CallError::kDiscoveryFailed, fmt::format("[mcp] {} is no MCP endpoint (status 405)", options_.url));
  }
  const std::string session(answer.headers.get(kSessionHeader).value_or(""));
  std::string last_event;
  const auto response = co_await read_answer(self, std::move(answer), id, &last_event);
  const auto rpc = response ? RpcMessage::read(*response) : std::nullopt;
  const auto* result = rpc && rpc->result != nullptr ? rpc->result->if_object() : nullptr;
  const std::string agreed = result == nullptr ? std::string() : text_of(*result, "protocolVersion");
  if (!is_revision(agreed)) {
    throw Error(CallError::kDiscoveryFailed,
                fmt::format("[mcp] {} did not agree to a revision that is spoken here ({}, {}), but to \"{:.40}\"",
                            options_.url, kNewest, kOldest, agreed));
  }
  revision_ = agreed;
  session_id_ = session;
  ++generation_;
  co_await notify(self, rpc_notification("notifications/initialized"));
}

Task<std::vector<call::Registration>> McpSession::list_operations() {
  const auto self = shared_from_this();
  std::vector<call::Registration> registrations;
  std::vector<std::string> notes;
  std::set<std::string> names;
  std::set<std::string> cursors;
  std::string cursor;
  while (true) {
    Json params;
    if (!cursor.empty()) params = JsonObject{{"cursor", cursor}};
    const Json page = co_await request(self, "tools/list", std::move(params));
    const auto* object = page.if_object();
    const auto* tools = object == nullptr ? nullptr : object->if_contains("tools");
    if (tools == nullptr || !tools->is_array()) {
      throw Error(CallError::kSchemaParse, fmt::format("[mcp] {} lists no tools", options_.url));
    }
    for (const Json& tool : tools->get_array()) {
      const std::string name = tool.is_object() ? text_of(tool.get_object(), "name") : std::string();
      const std::string valid = valid_operation_name(name);
      if (valid.empty()) throw Error(CallError::kSchemaParse, "[mcp] a tool has no name");
      if (registrations.size() >= options_.max_tools) {
        throw Error(CallError::kDiscoveryFailed,
                    fmt::format("[mcp] {} has more than {} tools", options_.url, options_.max_tools));
      }
      registrations.push_back(
          registration_of(tool.get_object(), fresh_name(names, options_.name_space + "/" + valid), notes));
    }
    cursor = text_of(*object, "nextCursor");
    if (cursor.empty()) break;
    if (!cursors.insert(cursor).second) {
      throw Error(CallError::kDiscoveryFailed, fmt::format("[mcp] {} repeats a page of its tools", options_.url));
    }
  }
  notes_ = std::move(notes);
  co_return std::move(registrations);
}

call::Registration McpSession::registration_of(const JsonObject& tool, std::string name,
                                               std::vector<std::string>& notes) {
  call::Registration registration;
  registration.spec = tool_spec(tool, std::move(name), notes);
  registration.spec.visibility = options_.visibility;
  registration.spec.default_timeout = options_.timeout;
  registration.provenance = call::Provenance::kFromMcp;
  registration.handler = call::OnceHandler(
      [self = shared_from_this(), tool_name = text_of(tool, "name")](call::OperationContext&, Message message) {
        return call_tool(self, tool_name, std::move(message.value));
      });
  return registration;
}

Task<Message> McpSession::call_tool(std::shared_ptr<McpSession> self, std::string tool, Json arguments) {
  JsonObject params;
  params.emplace("name", tool);
  params.emplace("arguments", std::move(arguments));
  const Json result = co_await request(self, "tools/call", std::move(params));
  co_return tool_answer(tool, result);
}

Task<void> McpSession::listen() {
  const auto self = shared_from_this();
  FetchRequest get = get_request("");
  try {
    FetchedAnswer answer = co_await send(self, std::move(get));
    if (answer.status == 405) co_return;
    std::string last_event;
    (void)co_await read_answer(self, std::move(answer), -1, &last_event);
  } catch (const SessionLost&) {
    co_return;
  }
}

Task<void> McpSession::close() {
  const auto self = shared_from_this();
  if (session_id_.empty()) co_return;
  FetchRequest request;
  request.method = "DELETE";
  set_common_headers(request, true);
  session_id_.clear();
  try {
    FetchedAnswer answer = co_await send(self, std::move(request));
    (void)co_await read_body(std::move(answer.body), kMaxAnswer);
  } catch (const SessionLost&) {
    co_return;
  }
}

}  // namespace alknet::net::mcp
