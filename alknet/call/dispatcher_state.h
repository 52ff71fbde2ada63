#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alknet/base/task.h"
#include "alknet/call/dispatcher.h"

namespace alknet::call {

/// What a Dispatcher is made of. Internal to dispatcher.cc and context.cc.
struct Dispatcher::State {
  State(Executor& on, std::shared_ptr<const Registry> of, DispatcherOptions with);

  Executor& executor;
  std::shared_ptr<const Registry> registry;
  DispatcherOptions options;
  std::string id_prefix;
  std::uint64_t last_id = 0;
  std::size_t running = 0;
  bool draining = false;

  std::string fresh_id();
  Lookup lookup_for(const Owner& owner) const;
  std::optional<Identity> identity_of(const Owner& owner, const std::optional<std::string>& token) const;
  static OperationMap visible(const Lookup& lookup, const std::optional<Identity>& identity);

  // The gates, in their order; each throws what the caller sees.
  void check_access_of(const RunningCall& call, const Message& input) const;
  void check_input(RunningCall& call, Message& input) const;

  /// Numbers the Bytes of an input, which name attachments of an envelope, by their position in it.
  static void number_attachments(const Operation& operation, const std::vector<std::uint64_t>& ids, Json& input);
  void check_output(const Operation& operation, const Message& output) const;

  /// Throws `invalid_operation_type` unless the operation is a subscription, or is none.
  static void require_type(const Operation& operation, bool subscription);

  /// A call from outside through all of its gates. Throws what the caller sees, after it was recorded.
  static std::shared_ptr<RunningCall> admit(const std::shared_ptr<State>& state, const std::shared_ptr<Owner>& owner,
                                            CallRequest& request);
  static std::shared_ptr<RunningCall> pass_gates(const std::shared_ptr<State>& state,
                                                 const std::shared_ptr<Owner>& owner, CallRequest& request);

  /// Starts the handler of an admitted call, whose answers go to its sink.
  void run(const std::shared_ptr<RunningCall>& call, Message input);
  Task<void> run_once(std::shared_ptr<RunningCall> call, Message input);
  Task<void> run_stream(std::shared_ptr<RunningCall> call, Message input);

  /// Runs an admitted call for a coroutine of this process.
  static Task<Message> answer_of(std::shared_ptr<RunningCall> call, Message input);
  static AsyncGenerator<Message> items_of(std::shared_ptr<RunningCall> call, Message input);

  /// Of the handles that calls below `call` made, a call from outside, those that `output` returns stay when it ends.
  static void keep_returned(const RunningCall& call, const Message& output);
};

}  // namespace alknet::call
