#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "alknet/base/executor.h"
#include "alknet/base/log.h"
#include "alknet/call/context.h"
#include "alknet/call/owner.h"
#include "alknet/call/registry.h"

namespace alknet::call {

/// A call from outside, before any check.
struct CallRequest {
  std::string operation;
  Message input;
  std::string id;                         ///< for logs and nested calls; a fresh one when empty
  std::optional<std::string> auth_token;  ///< replaces the owner's identity if it resolves
  Json forwarded_for = nullptr;           ///< metadata, never authority
  std::optional<std::chrono::milliseconds> timeout;

  /// The bytes of `input` are numbered by these instead of by position: attachments of an envelope.
  std::vector<std::uint64_t> attachment_ids;
};

/// Where the answers of a call go. Functions are called on the dispatcher's executor, some inside `start`.
class CallSink {
 public:
  virtual ~CallSink() = default;

  /// The answer, or the next item of a subscription.
  virtual void responded(Message output, const Operation& operation) = 0;

  /// A subscription has ended by itself.
  virtual void completed() = 0;

  /// The call failed; nothing follows.
  virtual void failed(const WireError& error) = 0;

  /// Awaited before each further item of a subscription: suspends while the receiver has no room.
  virtual Task<void> room() { co_return; }
};

/// Gives a started call up. After `abort` the sink hears nothing more. Copies are the same call; an empty one does
/// nothing.
class CallHandle {
 public:
  CallHandle() = default;
  explicit CallHandle(std::weak_ptr<RunningCall> call) : call_(std::move(call)) {}
  void abort() const;

 private:
  std::weak_ptr<RunningCall> call_;
};

/// One finished call, for metrics and logs.
struct CallRecord {
  std::string_view operation;
  std::string_view owner;
  std::string_view code;  ///< "" when it succeeded, else the code in capitals; "ABORTED" when the caller gave up
  std::chrono::microseconds duration;
  bool internal;
};

struct DispatcherOptions {
  /// The identity that a token proves, or nothing.
  std::function<std::optional<Identity>(std::string_view token)> authenticate;
  std::function<void(const CallRecord&)> on_finished;
  Logger logger;
  std::chrono::milliseconds default_timeout{30'000};
#ifdef NDEBUG
  bool check_outputs = false;
#else
  bool check_outputs = true;
#endif
};

/// Runs calls: resolves the caller's identity, finds the operation in the layers the owner sees, checks access and
/// input, runs the handler under a deadline, and says what the caller may know of its failure. The same path serves
/// every transport, gateway and program, and nested calls.
///
/// One executor thread: the owners, sinks and handlers of a dispatcher all live on its executor. Several dispatchers on
/// several threads may share a Registry.
class Dispatcher {
 public:
  /// The executor must outlive the dispatcher, and the dispatcher every call it started.
  Dispatcher(Executor& executor, std::shared_ptr<const Registry> registry, DispatcherOptions options = {});
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  /// Starts a call or subscription, whichever the operation is.
  CallHandle start(const std::shared_ptr<Owner>& owner, CallRequest request, std::shared_ptr<CallSink> sink);

  /// A query or mutation from inside this process. Throws what a peer would see. Input and output are in the form of
  /// Message.
  Task<Message> call(std::shared_ptr<Owner> owner, CallRequest request);

  /// A subscription. Destroying the generator aborts it.
  AsyncGenerator<Message> subscribe(std::shared_ptr<Owner> owner, CallRequest request);

  /// What this owner may see, with `token`'s identity where it resolves.
  OperationMap visible_operations(const Owner& owner, const std::optional<std::string>& token = {}) const;

  /// The external operation of that name, or null, whether or not the owner may call it.
  OperationPtr find(const Owner& owner, std::string_view name) const;

  /// From now on calls from outside fail with `resource_exhausted`, limit "draining"; nested ones go on.
  void drain();
  bool draining() const;

  /// Calls from outside that have not ended.
  std::size_t running_calls() const;

  Executor& executor() const;
  const Registry& registry() const;
  const DispatcherOptions& options() const;

  struct State;  ///< internal: dispatcher_state.h

 private:
  std::shared_ptr<State> state_;
};

}  // namespace alknet::call
