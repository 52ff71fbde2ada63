#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "alknet/call/dispatcher.h"

namespace alknet::call {

/// One call in progress, from its gates to its end. Internal to dispatcher.cc and context.cc.
struct RunningCall : std::enable_shared_from_this<RunningCall> {
  enum class End { kNone, kSucceeded, kFailed, kAborted };

  RunningCall(std::shared_ptr<Dispatcher::State> dispatcher_state, std::shared_ptr<Owner> for_owner)
      : dispatcher(std::move(dispatcher_state)), owner(std::move(for_owner)) {}
  ~RunningCall();

  std::shared_ptr<Dispatcher::State> dispatcher;
  std::shared_ptr<Owner> owner;
  OperationPtr operation;
  Lookup lookup;  ///< kept from the call outside, so that a reload changes nothing for a tree that runs
  std::string id;
  std::string parent_id;
  std::optional<Identity> identity;
  Json forwarded_for;
  std::optional<std::string> auth_token;
  Capabilities capabilities;
  AbortPolicy abort_policy = AbortPolicy::kAbortDependents;
  std::optional<Executor::Clock::time_point> deadline;
  Executor::Clock::time_point began;

  RunningCall* parent = nullptr;  ///< null for a call from outside; kept alive by `keeps_parent`
  std::shared_ptr<RunningCall> keeps_parent;
  std::uint64_t nested_calls = 0;  ///< of the call from outside: numbers their ids

  std::shared_ptr<void> cascade;  ///< of a nested call that no coroutine awaits: carries its parent's abort down

  bool admitted = false;  ///< it passed its gates and runs
  std::stop_source stop;
  TimerId timer;
  End end = End::kNone;
  std::shared_ptr<CallSink> sink;
  std::optional<OperationContext> context;

  RunningCall& root() { return parent == nullptr ? *this : parent->root(); }

  void abort();

  /// Settles the call once; later answers are dropped. Returns whether this was the first.
  bool finish(End how, std::string_view code);
};

}  // namespace alknet::call
