#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alknet/runtime/sandbox_host.h"
#include "alknet/runtime/sandbox_link.h"

namespace alknet::runtime {

/// What a SandboxHost is made of. Internal to sandbox_host.cc and sandbox_session.cc.
struct SandboxHost::State : std::enable_shared_from_this<SandboxHost::State> {
  State(Loop& on, call::Dispatcher& of, SandboxHostOptions with);

  /// A helper for one session.
  HelperProcess take();
  HelperProcess start_helper() const;
  void refill_soon();
  void session_ended() { --sessions; }

  Loop& loop;
  call::Dispatcher& dispatcher;
  SandboxHostOptions options;
  HelperProgram program;
  std::shared_ptr<const call::Operation> session_operation, invoke_operation;
  std::vector<HelperProcess> spare;
  std::size_t sessions = 0;
  bool refilling = false;
};

/// One session: its helper, its link, and the call of the host that is its root.
class SandboxSession::State : public std::enable_shared_from_this<SandboxSession::State> {
 public:
  State(std::shared_ptr<SandboxHost::State> host, SandboxSessionOptions options, HelperProcess helper);
  ~State();

  /// Runs the script.
  void begin();

  void event(const Json& item);
  const std::function<Task<void>()>& room() const { return options_.room; }

  /// The session is over: once, and then `on_end` hears why.
  void finish(std::optional<Error> why);
  void end();
  bool ended() const { return ended_; }

  std::vector<call::Registration> operations() const;
  std::optional<call::Registration> operation(const std::string& name) const;
  const std::shared_ptr<call::Owner>& owner() const { return owner_; }

 private:
  class RootSink;
  call::Registration root_registration();
  call::Registration registration_of(const SandboxEvent& event);
  Error loss(const Error& reason);
  Error why_lost(const Error& reason);
  void check_alive();

  std::shared_ptr<SandboxHost::State> host_;
  SandboxSessionOptions options_;
  HelperProcess helper_;
  std::shared_ptr<SandboxLink> link_;
  std::shared_ptr<call::Owner> owner_;
  std::map<std::string, call::Registration> operations_;
  call::CallHandle root_;
  std::optional<Error> loss_;
  std::uint64_t said_ = 0;
  bool checking_ = false;
  bool ended_ = false;
};

}  // namespace alknet::runtime
