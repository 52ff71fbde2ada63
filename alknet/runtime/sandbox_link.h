#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "alknet/base/log.h"
#include "alknet/base/task.h"
#include "alknet/call/connection.h"
#include "alknet/call/context.h"

namespace alknet::runtime {

struct SandboxLinkOptions {
  Logger logger;

  /// Calls of the helper that have no answer yet, and new ones in a second: what a flood of calls may cost the host.
  std::uint32_t open_calls = 256;
  std::uint32_t calls_per_second = 100'000;

  /// The longest message and the most bytes beside one: what output of a hostile helper may cost the host.
  std::size_t frame = std::size_t{16} << 20;
  std::uint64_t attachment_bytes = std::uint64_t{64} << 20;
};

/// The host's end of the link to a helper. Everything that the helper does it does for a call of the host, which it
/// must name (the parent rule): its own calls run below that one, with that one's authority, scoped environment and
/// deadline, and end with it. Who names a call that does not run here is refused. A helper has no identity and no
/// capabilities.
///
/// Everything happens on the executor's thread, that of the dispatcher whose calls `ask` serves.
class SandboxLink : public std::enable_shared_from_this<SandboxLink> {
 public:
  static std::shared_ptr<SandboxLink> open(Executor& executor, std::unique_ptr<call::Transport> transport,
                                           const SandboxLinkOptions& options);
  ~SandboxLink();
  SandboxLink(const SandboxLink&) = delete;
  SandboxLink& operator=(const SandboxLink&) = delete;

  /// Subscribes to an operation of the helper on behalf of `context`'s call, whose calls the helper may make until the
  /// generator ends. `known` is that operation. Throws what the helper answers, and what `on_loss` gives when the
  /// helper is lost.
  AsyncGenerator<Message> ask(call::OperationContext& context, std::shared_ptr<const call::Operation> known,
                              Message input);

  /// What to say of a helper that is gone; set before `ask`. Null: the connection's own reason.
  void set_on_loss(std::function<Error(const Error& reason)> on_loss) { on_loss_ = std::move(on_loss); }

  call::Connection& connection() { return *connection_; }

  /// Called when something that was asked ended without its answer, because the host gave it up.
  void set_on_abandoned(std::function<void()> callback) { on_abandoned_ = std::move(callback); }

 private:
  class Work;
  SandboxLink() = default;
  static AsyncGenerator<Message> run(std::shared_ptr<SandboxLink> self, call::OperationContext& context,
                                     std::shared_ptr<const call::Operation> known, Message input);
  call::CallHandle start(std::string_view parent, call::CallRequest request, std::shared_ptr<call::CallSink> sink);

  std::shared_ptr<call::Connection> connection_;
  std::map<std::string, call::OperationContext*, std::less<>> running_;  // by the id of our request on the wire
  std::function<Error(const Error&)> on_loss_;
  std::function<void()> on_abandoned_;
};

}  // namespace alknet::runtime
