#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "alknet/base/await.h"
#include "alknet/call/dispatcher.h"

namespace alknet::net::mcp {

/// The definitions of the four tools, for `tools/list` of that revision.
Json tool_definitions(std::string_view revision);

bool is_tool(std::string_view name);

/// One request's calls, which can be given up together.
class CallGroup {
 public:
  CallGroup() = default;
  ~CallGroup() { cancel(); }
  CallGroup(const CallGroup&) = delete;
  CallGroup& operator=(const CallGroup&) = delete;

  /// Aborts what runs; what is started later is aborted at once.
  void cancel();
  bool cancelled() const { return cancelled_; }

  class Sink;

  /// Begins a call whose outcome is {output} or {error}.
  std::shared_ptr<Sink> start(call::Dispatcher& dispatcher, const std::shared_ptr<call::Owner>& owner,
                              std::string operation, Json input, const std::optional<std::string>& token);
  static Task<Json> outcome(std::shared_ptr<Sink> sink);

 private:
  std::vector<std::shared_ptr<Sink>> running_;
  bool cancelled_ = false;
};

/// Whose tool runs.
struct ToolCaller {
  call::Dispatcher& dispatcher;
  std::shared_ptr<call::Owner> owner;
  std::optional<std::string> token;
  std::size_t max_batch;
  bool structured;  ///< the revision knows `structuredContent`
};

/// The result of `tools/call`. Throws call error `invalid_input` for arguments that do not fit the tool.
Task<Json> run_tool(ToolCaller caller, std::shared_ptr<CallGroup> group, std::string name, Json arguments);

}  // namespace alknet::net::mcp
