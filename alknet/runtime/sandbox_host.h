#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alknet/base/log.h"
#include "alknet/base/loop.h"
#include "alknet/base/task.h"
#include "alknet/call/dispatcher.h"
#include "alknet/runtime/helper_process.h"
#include "alknet/runtime/sandbox_protocol.h"

namespace alknet::runtime {

class SandboxHost;

struct SandboxHostOptions {
  std::filesystem::path program;  ///< empty: `alknet-sandbox` beside this program, or what ALKNET_SANDBOX_PROGRAM names

  /// Helpers that wait for a session, so that none has to start first.
  std::size_t spare = 1;
  std::size_t max_sessions = 32;

  /// The most script memory that a session may ask for. A helper process may grow by this and what its own code needs.
  std::uint64_t max_memory = std::uint64_t{256} << 20;

  /// How long a helper may take to answer after a call into it was given up; then it is stuck in a script and killed,
  /// with all that ran in it. The program's own files (Local) have more of it: many callers share one.
  std::chrono::milliseconds grace{50};
  std::chrono::milliseconds local_grace{5'000};

  /// Whether what helpers say on standard error is seen, for their developers.
  bool diagnostics = false;
  Logger logger = {};
};

struct SandboxSessionOptions {
  SessionRequest script;

  /// Under whose authority its calls run, within `script.operations`; none by default: only open operations answer.
  call::Identity authority = {};

  /// What its operations are: Local for the program's own files, Session for what arrived by call.
  call::Provenance provenance = call::Provenance::kSession;

  /// How long it may take in all; none: as long as it likes.
  std::optional<std::chrono::milliseconds> deadline = {};

  /// What its scripts keep counts here too (ResourceTable::account). May be null.
  std::shared_ptr<call::ResourceAccount> payer = {};

  /// What it prints and registers, in order. May be null.
  std::function<void(const SandboxEvent&)> on_event = {};

  /// Awaited before each further event, so that whoever hears them can hold the script back. May be null.
  std::function<Task<void>()> room = {};

  /// Called once: the script ended (nothing), or why the session did: domain SCRIPT_ERROR; `timeout`, also for a script
  /// that did not answer; `resource_exhausted` with details `limit`; `protocol_error` for what a helper may not say;
  /// `sandbox_unavailable`, `sandbox_failed`, `sandbox_died`. Not after `end`. May be null.
  std::function<void(const std::optional<Error>&)> on_end = {};
};

/// A script in a helper process of its own, and the operations that it registered. Destroying it ends it. On the host's
/// executor.
class SandboxSession {
 public:
  ~SandboxSession();
  SandboxSession(const SandboxSession&) = delete;
  SandboxSession& operator=(const SandboxSession&) = delete;

  /// What the script has registered so far; handlers run in the helper, and fail when the session has ended.
  std::vector<call::Registration> operations() const;

  /// One of them, or nothing.
  std::optional<call::Registration> operation(const std::string& name) const;

  /// Kills the helper; what runs in it fails. Idempotent.
  void end();
  bool ended() const;

  /// Its tensors and other things.
  const std::shared_ptr<call::Owner>& owner() const;

 private:
  friend class SandboxHost;
  class State;
  explicit SandboxSession(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

/// Runs untrusted scripts in helper processes (apps/sandbox): starts them, keeps spare ones, and kills one whose
/// session ends, overruns its deadline or stops answering; another takes its place. No two sessions ever share a
/// process.
///
/// Everything happens on the loop's thread, which starts the helpers and must live as long as they do: the constructor
/// and destructor run there too. Loop and dispatcher must outlive the host, the host its sessions.
class SandboxHost {
 public:
  /// Throws `sandbox_failed` when there is no helper program.
  SandboxHost(Loop& loop, call::Dispatcher& dispatcher, SandboxHostOptions options = {});
  ~SandboxHost();
  SandboxHost(const SandboxHost&) = delete;
  SandboxHost& operator=(const SandboxHost&) = delete;

  /// Starts a session. Throws `resource_exhausted` (limit "sandboxes", "memory"), `io_error`.
  std::unique_ptr<SandboxSession> open(SandboxSessionOptions options);

  std::size_t sessions() const;
  std::size_t spare_helpers() const;

  struct State;  ///< internal

 private:
  std::shared_ptr<State> state_;
};

/// What each caller of `isolate/session` may have.
struct CallerSessionLimits {
  /// Sessions at a time of one identity, whatever connections it has; those without an identity count as one.
  std::size_t sessions = 4;

  /// How long a session lives at most, whether or not its caller named a shorter time.
  std::chrono::milliseconds lifetime = std::chrono::minutes(10);
};

/// `isolate/session` for callers who have the scope `isolate`: runs the source that they send with their own authority,
/// within `operations`. What it registers becomes Session operations of the caller, as long as the subscription lives;
/// what it keeps counts against the caller's quota. Both must outlive the registration; `registry` says which names are
/// taken.
std::vector<call::Registration> sandbox_operations(SandboxHost& host, const call::Registry& registry,
                                                   const CallerSessionLimits& limits = {});

}  // namespace alknet::runtime
