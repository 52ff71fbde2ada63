#include "alknet/net/mcp/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "alknet/base/random_hex.h"
#include "alknet/net/http/url.h"
#include "alknet/net/mcp/protocol.h"
#include "alknet/net/mcp/tools.h"

namespace alknet::net::mcp {

namespace {

constexpr std::string_view kInstructions =
    "Operations of an alknet node. Use `search` to find operations, `schema` to read one's input and output schemas, "
    "then `call` it with a conforming input, or `batch` for several at once.";

struct Session {
  std::string id;
  std::string revision;
  std::optional<std::string> identity;  // the id of who began it
  std::shared_ptr<call::Owner> owner;
  Executor::Clock::time_point last_used;
  std::map<std::string, std::weak_ptr<CallGroup>> running;  // by the JSON text of the request's id
  std::size_t requests = 0;                                 // being answered
};

McpResponse plain_answer(int status, std::string_view text) {
  McpResponse response;
  response.status = status;
  if (!text.empty()) {
    response.headers.add("Content-Type", "application/json");
    response.body = SharedBytes::copy(json_text(rpc_error(nullptr, kInvalidRequest, text)));
  }
  return response;
}

bool is_local_origin(std::string_view origin) {
  try {
    const Url url = Url::parse(origin);
    return url.host == "localhost" || url.host == "127.0.0.1" || url.host == "::1";
  } catch (const Error&) {
    return false;
  }
}

/// Whoever waits for calls of the session hears that they are cancelled.
void cancel_requests(const Session& session) {
  const auto running = session.running;
  for (const auto& [id, weak] : running) {
    if (const auto group = weak.lock()) group->cancel();
  }
}

/// Counts a request as running on its session as long as it lives.
class InUse {
 public:
  InUse(std::shared_ptr<Session> session, Executor& executor) : session_(std::move(session)), executor_(executor) {
    ++session_->requests;
    session_->last_used = executor_.now();
  }
  ~InUse() {
    --session_->requests;
    session_->last_used = executor_.now();
  }
  InUse(const InUse&) = delete;
  InUse& operator=(const InUse&) = delete;

 private:
  std::shared_ptr<Session> session_;
  Executor& executor_;
};

}  // namespace

class McpServer::State : public std::enable_shared_from_this<State> {
 public:
  State(call::Dispatcher& dispatcher, McpServerOptions options)
      : dispatcher_(dispatcher), options_(std::move(options)) {}
  ~State() {
    while (!sessions_.empty()) end_session(std::string(sessions_.begin()->first));
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::size_t sessions() const { return sessions_.size(); }

  void end_where(const std::function<bool(const call::Identity&)>& ended) {
    std::vector<std::string> ids;
    for (const auto& [id, session] : sessions_) {
      const auto& identity = session->owner->identity();
      if (identity && ended(*identity)) ids.push_back(id);
    }
    for (const std::string& id : ids) end_session(id);
  }

  static Task<McpResponse> handle(std::shared_ptr<State> self, McpRequest request);

 private:
  struct Caller {
    std::optional<std::string> token;
    std::optional<call::Identity> identity;
  };

  std::optional<McpResponse> refuse_origin(const McpRequest& request) const;
  std::optional<McpResponse> authenticate(const McpRequest& request, Caller& caller) const;
  std::shared_ptr<Session> find_session(const McpRequest& request, const Caller& caller) const;
  McpResponse begin_session(const McpRequest& request, const Caller& caller, const RpcMessage& message);
  void end_session(const std::string& id);
  void watch(const std::shared_ptr<Session>& session);
  static Task<McpResponse> answer_messages(std::shared_ptr<State> self, std::shared_ptr<Session> session, Caller caller,
                                           McpRequest request, Json body);
  static Task<Json> answer(std::shared_ptr<State> self, std::shared_ptr<Session> session, Caller caller, Json message);
  static Task<Json> answer_tool(std::shared_ptr<State> self, std::shared_ptr<Session> session, Caller caller,
                                Json message);
  static McpResponse written(const McpRequest& request, const Json& answer);

  call::Dispatcher& dispatcher_;
  McpServerOptions options_;
  std::map<std::string, std::shared_ptr<Session>, std::less<>> sessions_;
};

std::optional<McpResponse> McpServer::State::refuse_origin(const McpRequest& request) const {
  const auto origin = request.headers.get("Origin");
  if (!origin || is_local_origin(*origin)) return std::nullopt;
  const auto& allowed = options_.allowed_origins;
  if (std::find(allowed.begin(), allowed.end(), *origin) != allowed.end()) return std::nullopt;
  return plain_answer(403, "pages of this origin may not call this node");
}

std::optional<McpResponse> McpServer::State::authenticate(const McpRequest& request, Caller& caller) const {
  constexpr std::string_view kBearer = "bearer ";
  const auto field = request.headers.get("Authorization");
  if (field) {
    const bool bearer = equal_ignoring_case(field->substr(0, kBearer.size()), kBearer);
    if (bearer) caller.token = std::string(trim(field->substr(kBearer.size())));
    const auto& authenticate = dispatcher_.options().authenticate;
    if (caller.token && authenticate) caller.identity = authenticate(*caller.token);
  }
  if (!field) caller.identity = options_.anonymous;
  if (caller.identity || (!field && !options_.require_identity)) return std::nullopt;
  McpResponse response = plain_answer(401, "a valid bearer token is needed");
  response.headers.add("WWW-Authenticate", "Bearer");
  return response;
}

std::shared_ptr<Session> McpServer::State::find_session(const McpRequest& request, const Caller& caller) const {
  const auto found = sessions_.find(request.headers.get(kSessionHeader).value_or(""));
  if (found == sessions_.end()) return nullptr;
  const auto id = caller.identity ? std::optional(caller.identity->id) : std::nullopt;
  return found->second->identity == id ? found->second : nullptr;
}

void McpServer::State::end_session(const std::string& id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  const auto session = found->second;
  sessions_.erase(found);
  cancel_requests(*session);
  session->owner->end();
}

/// Ends the session when it was idle for long.
void McpServer::State::watch(const std::shared_ptr<Session>& session) {
  const auto left = session->last_used + options_.session_idle - dispatcher_.executor().now();
  dispatcher_.executor().post_after(left, [self = weak_from_this(), weak = std::weak_ptr(session)] {
    const auto state = self.lock();
    const auto watched = weak.lock();
    if (!state || !watched) return;
    const auto now = state->dispatcher_.executor().now();
    if (watched->requests > 0) watched->last_used = now;
    if (now - watched->last_used >= state->options_.session_idle) {
      state->end_session(watched->id);
    } else {
      state->watch(watched);
    }
  });
}

McpResponse McpServer::State::begin_session(const McpRequest& request, const Caller& caller,
                                            const RpcMessage& message) {
  const Json* asked = message.param("protocolVersion");
  if (asked == nullptr || !asked->is_string()) {
    return written(request, rpc_error(*message.id, kInvalidParams, "initialize needs a protocolVersion"));
  }
  if (sessions_.size() >= options_.max_sessions) return plain_answer(503, "too many sessions: try again later");
  auto session = std::make_shared<Session>();
  session->id = random_hex(32);
  session->revision = is_revision(asked->get_string()) ? std::string(asked->get_string()) : std::string(kNewest);
  if (caller.identity) session->identity = caller.identity->id;
  session->owner = std::make_shared<call::Owner>(call::Owner::Kind::kSession, "mcp:" + session->id.substr(0, 8),
                                                 caller.identity, options_.limits);
  for (const auto& layer : options_.layers) session->owner->add_layer(layer);
  session->last_used = dispatcher_.executor().now();
  sessions_.emplace(session->id, session);
  watch(session);

  JsonObject tools{{"listChanged", false}};
  JsonObject capabilities;
  capabilities.emplace("tools", std::move(tools));
  JsonObject server{{"name", options_.name}, {"version", options_.version.empty() ? "0" : options_.version}};
  JsonObject result;
  result.emplace("protocolVersion", session->revision);
  result.emplace("capabilities", std::move(capabilities));
  result.emplace("serverInfo", std::move(server));
  result.emplace("instructions", options_.instructions.empty() ? std::string(kInstructions) : options_.instructions);
  McpResponse response = written(request, rpc_result(*message.id, std::move(result)));
  response.headers.add(kSessionHeader, session->id);
  return response;
}

McpResponse McpServer::State::written(const McpRequest& request, const Json& answer) {
  McpResponse response;
  const bool any = !request.headers.has("Accept") || request.headers.joined("Accept").find("*/*") != std::string::npos;
  const bool json = any || request.headers.joined("Accept").find("application/json") != std::string::npos;
  response.headers.add("Content-Type", json ? "application/json" : "text/event-stream");
  response.headers.add("Cache-Control", "no-store");
  const std::string text = json_text(answer);  // one line: JSON text has no line breaks
  response.body = SharedBytes::copy(json ? text : "event: message\ndata: " + text + "\n\n");
  return response;
}

Task<Json> McpServer::State::answer_tool(std::shared_ptr<State> self, std::shared_ptr<Session> session, Caller caller,
                                         Json message) {
  const auto rpc = RpcMessage::read(message);
  const Json* name = rpc->param("name");
  if (name == nullptr || !name->is_string() || !is_tool(name->get_string())) {
    co_return rpc_error(*rpc->id, kInvalidParams, "there is no such tool: use search, schema, call or batch");
  }
  const Json* given = rpc->param("arguments");
  Json arguments = given == nullptr ? Json(JsonObject{}) : *given;
  const auto group = std::make_shared<CallGroup>();
  const std::string key = json_text(*rpc->id);
  if (!session->running.emplace(key, group).second) {
    co_return rpc_error(*rpc->id, kInvalidRequest, "a request with this id is running");
  }
  struct Entry {
    std::shared_ptr<Session> session;
    std::string key;
    ~Entry() { session->running.erase(key); }
  };
  const Entry entry{session, key};
  ToolCaller tool_caller{self->dispatcher_, session->owner, caller.token, self->options_.max_batch,
                         session->revision != kOldest};
  std::string tool(name->get_string());
  std::string complaint;
  try {
    Json result = co_await run_tool(std::move(tool_caller), group, std::move(tool), std::move(arguments));
    co_return rpc_result(*rpc->id, std::move(result));
  } catch (const Error& error) {
    if (error.code() != call::CallError::kInvalidInput) throw;
    complaint = error.message();
  }
  co_return rpc_error(*rpc->id, kInvalidParams, complaint);
}

/// The response to one message; null for notifications and responses.
Task<Json> McpServer::State::answer(std::shared_ptr<State> self, std::shared_ptr<Session> session, Caller caller,
                                    Json message) {
  const auto rpc = RpcMessage::read(message);
  if (!rpc) {
    const auto* id = message.is_object() ? message.get_object().if_contains("id") : nullptr;
    const bool readable = id != nullptr && (id->is_string() || id->is_number());
    Json shown = readable ? *id : Json(nullptr);
    co_return rpc_error(shown, kInvalidRequest, "this is no message of JSON-RPC 2.0");
  }
  if (!rpc->is_request()) {
    const Json* cancelled = rpc->method == "notifications/cancelled" ? rpc->param("requestId") : nullptr;
    const auto found = cancelled == nullptr ? session->running.end() : session->running.find(json_text(*cancelled));
    const auto group = found == session->running.end() ? nullptr : found->second.lock();
    if (group) group->cancel();
    co_return Json(nullptr);
  }
  if (rpc->method == "ping") co_return rpc_result(*rpc->id, JsonObject());
  if (rpc->method == "tools/list") {
    if (rpc->param("cursor") != nullptr) co_return rpc_error(*rpc->id, kInvalidParams, "this list has one page");
    JsonObject result;
    result.emplace("tools", tool_definitions(session->revision));
    co_return rpc_result(*rpc->id, std::move(result));
  }
  if (rpc->method == "tools/call") {
    Json copy = message;
    co_return co_await answer_tool(self, session, std::move(caller), std::move(copy));
  }
  const bool again = rpc->method == "initialize";
  std::string what = again ? "initialize comes once, alone and without a session"
                           : fmt::format("this server has no method {:.80}", rpc->method);
  co_return rpc_error(*rpc->id, again ? kInvalidRequest : kMethodNotFound, what);
}

Task<McpResponse> McpServer::State::answer_messages(std::shared_ptr<State> self, std::shared_ptr<Session> session,
                                                    Caller caller, McpRequest request, Json body) {
  const InUse use(session, self->dispatcher_.executor());
  Json answers;
  if (const auto* batch = body.if_array()) {
    if (session->revision != kOldest) co_return plain_answer(400, "this revision of the protocol has no batches");
    if (batch->empty() || batch->size() > self->options_.max_batch) {
      co_return plain_answer(400, fmt::format("a batch has 1 to {} messages", self->options_.max_batch));
    }
    JsonArray all;
    for (const Json& message : *batch) {
      Json copy = message;
      Json one = co_await answer(self, session, caller, std::move(copy));
      if (!one.is_null()) all.push_back(std::move(one));
    }
    if (!all.empty()) answers = std::move(all);
  } else {
    answers = co_await answer(self, session, caller, std::move(body));
  }
  if (!answers.is_null()) co_return written(request, answers);
  McpResponse accepted;
  accepted.status = 202;
  co_return accepted;
}

Task<McpResponse> McpServer::State::handle(std::shared_ptr<State> self, McpRequest request) {
  if (auto refused = self->refuse_origin(request)) co_return std::move(*refused);
  Caller caller;
  if (auto refused = self->authenticate(request, caller)) co_return std::move(*refused);
  const bool post = request.method == "POST";
  if (!post && request.method != "DELETE") {
    McpResponse refused = plain_answer(405, "");  // no stream of the server's own: nothing would come on it
    refused.headers.add("Allow", "POST, DELETE");
    co_return refused;
  }
  const auto version = request.headers.get(kVersionHeader);
  if (version && !is_revision(*version))
    co_return plain_answer(400, "this revision of the protocol is not spoken here");
  const auto session = self->find_session(request, caller);
  const bool named = request.headers.has(kSessionHeader);
  if (!post) {
    if (!named) co_return plain_answer(400, "say which session to end");
    if (!session) co_return plain_answer(404, "there is no such session");
    self->end_session(session->id);
    McpResponse ended;
    ended.status = 204;
    co_return ended;
  }
  const std::string type(trim(std::string_view(request.headers.get("Content-Type").value_or("")).substr(0, 16)));
  if (!equal_ignoring_case(type, "application/json")) co_return plain_answer(415, "the body must be application/json");
  const std::string accept = request.headers.joined("Accept");
  const bool acceptable = accept.empty() || accept.find("*/*") != std::string::npos ||
                          accept.find("application/json") != std::string::npos ||
                          accept.find("text/event-stream") != std::string::npos;
  if (!acceptable) co_return plain_answer(406, "answers are application/json or text/event-stream");
  Json body;
  std::string complaint;
  try {
    body = parse_json(request.body.text());
  } catch (const Error& error) {
    complaint = error.message();
  }
  if (!complaint.empty()) {
    McpResponse refused = written(request, rpc_error(nullptr, kParseError, complaint));
    refused.status = 400;
    co_return refused;
  }
  if (const auto rpc = RpcMessage::read(body); rpc && rpc->method == "initialize" && rpc->is_request() && !named) {
    co_return self->begin_session(request, caller, *rpc);
  }
  if (!named) co_return plain_answer(400, "a session is needed: send initialize first");
  if (!session) co_return plain_answer(404, "there is no such session: send initialize again");
  co_return co_await answer_messages(self, session, std::move(caller), std::move(request), std::move(body));
}

McpServer::McpServer(call::Dispatcher& dispatcher, McpServerOptions options)
    : state_(std::make_shared<State>(dispatcher, std::move(options))) {}

McpServer::~McpServer() = default;

Task<McpResponse> McpServer::handle(McpRequest request) { return State::handle(state_, std::move(request)); }

void McpServer::end_where(const std::function<bool(const call::Identity&)>& ended) { state_->end_where(ended); }

std::size_t McpServer::sessions() const { return state_->sessions(); }

}  // namespace alknet::net::mcp
