#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/executor.h"
#include "alknet/base/log.h"
#include "alknet/base/message.h"
#include "alknet/base/task.h"
#include "alknet/call/owner.h"

namespace alknet::call {

struct CallRequest;
struct RunningCall;
class CallHandle;
class CallSink;

/// What becomes of a nested call when the call that made it is aborted.
enum class AbortPolicy {
  kAbortDependents,  ///< it is aborted too
  kContinueRunning,  ///< once started it runs to its end
};

struct NestedCallOptions {
  AbortPolicy abort_policy = AbortPolicy::kAbortDependents;

  /// Shorter than what is left of the tree's deadline; it cannot be longer.
  std::optional<std::chrono::milliseconds> timeout;

  /// Names of the handler's own secrets that the callee gets; its registration must accept each.
  std::vector<std::string> pass_capabilities;

  /// Told the id of the nested call when it has passed its gates.
  std::function<void(const std::string& id)> on_id{};
};

/// What a handler knows about the call it serves, and the way by which it calls others. Lives until the handler has
/// ended. Used on the dispatcher's executor.
class OperationContext {
 public:
  explicit OperationContext(RunningCall& call) : call_(call) {}
  OperationContext(const OperationContext&) = delete;
  OperationContext& operator=(const OperationContext&) = delete;

  const std::string& request_id() const;

  /// The id of the call that made this one; empty for a call from outside.
  const std::string& parent_id() const;

  /// The operation that runs.
  const Operation& operation() const;

  /// Who calls: the identity from outside, or the authority of the calling handler. Nothing for an anonymous caller.
  const std::optional<Identity>& identity() const;

  /// Under whose authority this handler's own calls run.
  const Identity& handler_identity() const;

  /// What the caller says about the one it calls for. Never authority. Null when nothing was said.
  const Json& forwarded_for() const;

  /// True for a nested call.
  bool internal() const;

  /// The handler's secrets, with those that the caller passed on.
  const Capabilities& capabilities() const;

  AbortPolicy abort_policy() const;

  /// When the whole tree of calls must be done; nothing for a subscription without `timeout_ms`.
  std::optional<Executor::Clock::time_point> deadline() const;

  /// What is left of the deadline, at least 1 ms, to forward as `timeout_ms`.
  std::optional<std::chrono::milliseconds> remaining() const;

  /// Whether the caller gave up; `co_await` notices by itself.
  bool stop_requested() const;
  std::stop_token stop_token() const;

  /// On whose behalf the whole tree runs.
  Owner& owner() const;
  ResourceTable& resources() const { return owner().resources(); }

  /// Keeps a resource for the owner and returns its handle. One made in a nested call goes with the call from outside
  /// that it served, unless that one's output returns the handle where its schema says `TypeDef:Tensor`.
  /// Throws `resource_exhausted`, and `invalid_input` when the owner keeps nothing (HTTP without a session).
  std::string add_resource(std::shared_ptr<Resource> resource);
  void add_resource_as(std::string_view handle, std::shared_ptr<Resource> resource);

  /// Calls another operation: `not_found` unless the handler's scoped environment reaches it, then every gate of a call
  /// with the handler's authority as the caller. Throws what the caller of that operation would see.
  Task<Message> call(std::string_view operation, Message input, NestedCallOptions options = {});

  /// The same for a subscription. Destroying the generator aborts it.
  AsyncGenerator<Message> subscribe(std::string_view operation, Message input, NestedCallOptions options = {});

  /// Starts a nested call whose answers go to `sink`, through the gates of `call`: for a sandbox that works for this
  /// call and asks by itself. Id, token and `forwarded_for` of the request do not count. Throws what a gate says; then
  /// the sink hears nothing.
  CallHandle start(CallRequest request, std::shared_ptr<CallSink> sink);

  /// Calls as whoever called this operation could have (`compute/submit`): as the caller from outside, through every
  /// gate again; as the handler whose nested call this is, with its authority and within its scoped environment. Never
  /// with this handler's own rights.
  Task<Message> call_as_caller(std::string_view operation, Message input);

  /// The external operations that this caller may call, by name: those that a calling handler reaches.
  OperationMap visible_operations() const;

  /// The operation that `call_as_caller` would find, or null.
  OperationPtr find_visible(std::string_view name) const;

  const Logger& logger() const;
  Executor& executor() const;

 private:
  static Task<Message> nested_call(std::shared_ptr<RunningCall> parent, std::string operation, Message input,
                                   NestedCallOptions options);
  static AsyncGenerator<Message> nested_subscribe(std::shared_ptr<RunningCall> parent, std::string operation,
                                                  Message input, NestedCallOptions options);
  static Task<Message> callers_call(std::shared_ptr<RunningCall> from, std::string operation, Message input);

  RunningCall& call_;
};

}  // namespace alknet::call
