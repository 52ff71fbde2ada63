#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "alknet/base/executor.h"
#include "alknet/base/json.h"
#include "alknet/runtime/bridge.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/value.h"

// What the sources of the bridge share. Internal to bridge*.cc.

namespace alknet::runtime {

class BridgeState;

/// One who calls for script: the program, or a request that a handler serves. On the isolate's thread.
struct ScriptCaller {
  std::shared_ptr<call::Caller> caller;
  std::map<std::int64_t, std::stop_source> tokens;  ///< of calls that script may give up
  std::stop_source ended;                           ///< stops everything that it called
};

/// The bridge of one isolate. Everything is used on the isolate's thread only; operations refer to it weakly.
class BridgeState : public std::enable_shared_from_this<BridgeState> {
 public:
  BridgeState(Realm realm, BridgeOptions bridge_options);
  ~BridgeState();

  /// Ends with the isolate: operations go, values of script are let go.
  void end();

  /// A request that a handler of script serves, from its start to its end.
  struct Serving {
    std::shared_ptr<ScriptCaller> caller;
    Value on_abort;  ///< a function, when script listens
    Value iterator;  ///< of a subscription that has begun
    Value promise;   ///< that is waited for: a promise that nobody holds would go, though its deadline has not come
    bool aborted = false;
    PendingWork work;
  };

  BridgeOptions options;
  std::shared_ptr<ScriptCaller> root;
  std::map<std::uint64_t, Value> handlers;
  std::map<std::uint64_t, std::function<void()>> removers;  ///< by handler: takes the operation off
  std::map<std::uint64_t, Serving> serving;
  std::uint64_t last_handler = 0;
  const std::shared_ptr<std::atomic<std::uint64_t>> requests = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::size_t open_calls = 0;
  Value subscription_class;
  Value context_class;

 private:
  struct OnStop {
    BridgeState* state;
    void operator()() const { state->end(); }
  };
  std::optional<std::stop_callback<OnStop>> on_stop_;
};

// JS to host (bridge_calls.cc).

/// `call(operation, input, options)`, `subscribe(...)`, `abort(token)` in the name of `caller`.
Value script_call(Realm realm, const std::shared_ptr<BridgeState>& state, const std::shared_ptr<ScriptCaller>& caller,
                  const Arguments& arguments);
Value script_subscribe(Realm realm, const std::shared_ptr<BridgeState>& state,
                       const std::shared_ptr<ScriptCaller>& caller, const Arguments& arguments);
Value script_abort(Realm realm, ScriptCaller& caller, const Arguments& arguments);
Value define_subscription_class(Realm realm);

// Host to JS: the object that a handler gets beside its input (bridge_context.cc).

/// A request that script serves, in the eyes of both threads.
struct ServedCall {
  // Of the dispatcher's executor.
  Executor* dispatcher = nullptr;
  call::OperationContext* context = nullptr;  ///< null once the handler's frame is gone

  // Written before the isolate hears of it.
  std::uint64_t number = 0;
  std::string request_id, parent_id, operation;
  bool own = false;  ///< the caller's resources are the program's
  Json identity, forwarded_for;
  std::optional<Executor::Clock::time_point> deadline;
};

/// Calls in the name of a handler, while its request runs: `aborted` when it has ended.
std::shared_ptr<call::Caller> make_nested_caller(std::shared_ptr<ServedCall> served);

/// The object. `caller` is in whose name it calls.
Value make_context(const std::shared_ptr<BridgeState>& state, std::shared_ptr<ServedCall> served,
                   std::shared_ptr<ScriptCaller> caller);
Value define_context_class(Realm realm);

// Host to JS: handlers (bridge_handlers.cc).

/// `register(spec, environment, handler)`.
Value script_register(Realm realm, const std::shared_ptr<BridgeState>& state, const Arguments& arguments);

}  // namespace alknet::runtime
