#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alknet/base/log.h"
#include "alknet/call/operation.h"
#include "alknet/net/import/fetch.h"

namespace alknet::net::mcp {

struct McpImportOptions {
  std::string url;         ///< of the server's endpoint
  std::string name_space;  ///< so that the tool `read` becomes "files/read". May have slashes

  /// Sent as a bearer token; null: none.
  std::shared_ptr<const call::Secret> token;

  std::string client_name = "alknet";
  std::string client_version = "0";
  call::Visibility visibility = call::Visibility::kInternal;
  std::optional<std::chrono::milliseconds> timeout;  ///< of each tool
  std::size_t max_tools = 10'000;

  /// Called when the server says that its tools changed, on the executor of the task that heard it. List again then.
  std::function<void()> on_tools_changed;
  Logger logger;
};

/// A session with a server of the Model Context Protocol over Streamable HTTP (revisions 2025-06-18 and 2025-03-26),
/// whose tools become operations. One executor at a time. The registrations keep the session alive.
///
/// A call that is aborted sends `notifications/cancelled`. When the server has forgotten the session (404), a new one
/// is begun and the request sent once more. A stream that breaks before the answer is resumed with Last-Event-ID where
/// the server gives ids. Requests of the server are answered: `ping` with a result, others with "method not found".
class McpSession : public std::enable_shared_from_this<McpSession> {
 public:
  McpSession(HttpFetch fetch, McpImportOptions options);

  /// Begins the session. Throws `transport`, `timeout`, `unauthorized`, `discovery_failed` (no MCP server there, or
  /// none of a known revision).
  Task<void> connect();

  /// The registrations of all tools, over all pages: mutations that answer `structuredContent` when there is one, else
  /// the text of the content, else {content}. A failed tool is the domain error `TOOL_ERROR`. Throws also
  /// `schema_parse`.
  Task<std::vector<call::Registration>> list_operations();

  /// Hears what the server says on its own until the stream ends; returns at once when the server has no such stream.
  Task<void> listen();

  /// Ends the session on the server; one that is gone already is no error.
  Task<void> close();

  /// The revision that was agreed on; empty before `connect`.
  const std::string& revision() const { return revision_; }

  /// What list_operations left out of the schemas, each once.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  class CancelGuard;

  FetchRequest post_request(const Json& message, bool with_session) const;
  FetchRequest get_request(const std::string& last_event) const;
  void set_common_headers(FetchRequest& request, bool with_session) const;
  static Task<Json> request(std::shared_ptr<McpSession> self, std::string method, Json params);
  static Task<Json> request_once(std::shared_ptr<McpSession> self, std::int64_t id, std::string method, Json params);
  static Task<FetchedAnswer> send(std::shared_ptr<McpSession> self, FetchRequest request);
  static Task<void> notify(std::shared_ptr<McpSession> self, Json message);
  static Task<std::optional<Json>> read_answer(std::shared_ptr<McpSession> self, FetchedAnswer answer, std::int64_t id,
                                               std::string* last_event);
  static Task<std::optional<Json>> take_message(std::shared_ptr<McpSession> self, Json message, std::int64_t id);
  static Task<Message> call_tool(std::shared_ptr<McpSession> self, std::string tool, Json arguments);
  call::Registration registration_of(const JsonObject& tool, std::string name, std::vector<std::string>& notes);

  HttpFetch fetch_;
  McpImportOptions options_;
  std::string revision_;
  std::string session_id_;
  std::uint64_t generation_ = 0;  // rises with each new session
  std::int64_t last_id_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace alknet::net::mcp
