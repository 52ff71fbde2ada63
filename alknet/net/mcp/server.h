#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alknet/base/shared_bytes.h"
#include "alknet/base/task.h"
#include "alknet/call/dispatcher.h"
#include "alknet/net/http/headers.h"

namespace alknet::net::mcp {

struct McpServerOptions {
  std::string name = "alknet";
  std::string version = {};

  /// Told to the model that uses the tools; empty: a sentence that says what they are for.
  std::string instructions = {};

  /// Values of an Origin field that are served besides those of this machine ("http://localhost:PORT"). A request of
  /// any other web page is refused, so that none can reach a node through a user's browser.
  std::vector<std::string> allowed_origins = {};

  /// Who callers without a token are; nothing: they may only call what is open to all.
  std::optional<call::Identity> anonymous = {};

  /// Refuse callers whose token proves nobody.
  bool require_identity = false;

  std::size_t max_sessions = 1'024;
  std::chrono::milliseconds session_idle{600'000};
  std::size_t max_batch = 100;    ///< calls of one `batch`, and messages of one body
  call::OwnerLimits limits = {};  ///< of each session

  /// Overlays that every caller sees besides the curated layer.
  std::vector<std::shared_ptr<const call::Layer>> layers = {};
};

/// An HTTP request to the endpoint, as far as the protocol looks at it.
struct McpRequest {
  std::string method;
  HttpHeaders headers;
  SharedBytes body;
};

struct McpResponse {
  int status = 200;
  HttpHeaders headers;
  SharedBytes body;
};

/// The operations of a node for clients of the Model Context Protocol, over Streamable HTTP (revisions 2025-06-18 and
/// 2025-03-26): the tools `search`, `schema`, `call` and `batch`, so that a node with thousands of operations does not
/// fill a model's context. They go through the dispatcher like any call from outside; `search` and `schema` are
/// `services/list` and `services/schema`. Answers are JSON, or one event of an event stream for clients that accept
/// only that.
///
/// A session has an owner of its own, so handles live from call to call; it belongs to the identity that began it.
/// Used on the dispatcher's executor, which must outlive the server.
class McpServer {
 public:
  McpServer(call::Dispatcher& dispatcher, McpServerOptions options);
  ~McpServer();
  McpServer(const McpServer&) = delete;
  McpServer& operator=(const McpServer&) = delete;

  /// Answers one request: 200, 202 for notifications, 400 malformed or without a session, 401, 403 a foreign origin,
  /// 404 an unknown session, 405, 406, 415, 503 too many sessions. Destroying the task aborts the calls it makes.
  Task<McpResponse> handle(McpRequest request);

  /// Ends the sessions of identities for which `ended` holds, with what they run.
  void end_where(const std::function<bool(const call::Identity&)>& ended);

  std::size_t sessions() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace alknet::net::mcp
