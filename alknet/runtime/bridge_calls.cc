#include <fmt/format.h>

#include <cmath>
#include <mutex>
#include <utility>

#include "alknet/call/error.h"
#include "alknet/runtime/bridge_state.h"
#include "alknet/runtime/convert.h"
#include "alknet/runtime/error.h"
#include "alknet/runtime/promise.h"

// JS to host: calls and subscriptions of script.

namespace alknet::runtime {
namespace {

using call::WireError;

/// What script is told of a call.
struct CallOutcome {
  std::string request_id;
  std::optional<Message> output;
  std::optional<WireError> error;
};

/// How script wants a call to be made.
struct ScriptOptions {
  call::CallOptions call;
  std::string peer;
  std::vector<Value> transfer;
  std::optional<std::int64_t> token;
};

std::string text_option(const Value& value, std::string_view name) {
  if (value.is_string()) return value.to_string();
  throw value.realm().type_error(fmt::format("[call] the option `{}` is no text", name));
}

std::chrono::milliseconds timeout_option(const Value& value) {
  constexpr double kMost = 1e15;
  const double milliseconds = value.to_number();
  if (std::isnan(milliseconds) || milliseconds <= 0) {
    throw value.realm().range_error("[call] the option `timeout` is no positive number of milliseconds");
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(std::min(milliseconds, kMost))));
}

ScriptOptions options_of(const Value& given) {
  ScriptOptions options;
  if (given.is_nullish()) return options;
  if (!given.is_object()) throw given.realm().type_error("[call] the options are no object");
  if (const Value peer = given.get("peer"); !peer.is_nullish()) options.peer = text_option(peer, "peer");
  if (const Value timeout = given.get("timeout"); !timeout.is_nullish()) options.call.timeout = timeout_option(timeout);
  if (const Value token = given.get("authToken"); !token.is_nullish()) {
    options.call.auth_token = text_option(token, "authToken");
  }
  if (const Value whom = given.get("forwardedFor"); !whom.is_nullish()) options.call.forwarded_for = to_json(whom);
  if (const Value token = given.get("token"); !token.is_nullish()) options.token = token.to_integer("[call] `token`");
  if (const Value transfer = given.get("transfer"); !transfer.is_nullish()) {
    const std::uint64_t count = transfer.length();
    if (count > 65'536) throw given.realm().range_error("[call] `transfer` names more than 65,536 buffers");
    for (std::uint32_t i = 0; i < count; ++i) {
      options.transfer.push_back(transfer.get(i));
      if (!options.transfer.back().is_array_buffer()) {
        throw given.realm().type_error(fmt::format("[call] `transfer[{}]` is no ArrayBuffer", i));
      }
    }
  }
  return options;
}

/// The name by which this process knows an operation of a peer.
std::string full_name(const ScriptOptions& options, const Value& name) {
  std::string operation = name.to_string();
  if (options.peer.empty()) return operation;
  return fmt::format("{}/{}", options.peer, operation.starts_with('/') ? operation.substr(1) : operation);
}

WireError told(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return call::wire_error(error);
  } catch (const std::exception& error) {
    return {"INTERNAL", error.what(), false, nullptr};
  }
}

/// The id of a call, which is told where the call runs: on another thread, and perhaps after the one who asked for it
/// has given up. Copies are the same.
class CallId {
 public:
  std::function<void(const std::string& id)> setter() const {
    return [held = held_](const std::string& id) {
      const std::lock_guard lock(held->mutex);
      held->id = id;
    };
  }
  std::string get() const {
    const std::lock_guard lock(held_->mutex);
    return held_->id;
  }

 private:
  struct Held {
    std::mutex mutex;
    std::string id;
  };
  std::shared_ptr<Held> held_ = std::make_shared<Held>();
};

Task<CallOutcome> outcome_of(std::shared_ptr<call::Caller> caller, std::string operation, Message input,
                             call::CallOptions options) {
  CallOutcome outcome;
  const CallId id;
  options.on_id = id.setter();
  try {
    Task<Message> call = caller->call(std::move(operation), std::move(input), std::move(options));
    outcome.output = co_await std::move(call);
  } catch (...) {
    outcome.error = told(std::current_exception());
  }
  outcome.request_id = id.get();
  co_return outcome;
}

Value error_object(Realm realm, const WireError& error) {
  Value object = realm.object();
  object.define("code", realm.string(error.code));
  object.define("message", realm.string(error.message));
  object.define("retryable", realm.boolean(error.retryable));
  if (!error.details.is_null()) object.define("details", from_json(realm, error.details));
  return object;
}

Value outcome_object(Realm realm, const CallOutcome& outcome) {
  Value object = realm.object();
  object.define("requestId", realm.string(outcome.request_id));
  if (outcome.output) object.define("data", from_message(realm, *outcome.output));
  if (outcome.error) object.define("error", error_object(realm, *outcome.error));
  return object;
}

/// What stops one call: script, the end of the one who calls, or the end of the isolate.
struct CallStop {
  struct Forward {
    std::stop_source stop;
    void operator()() { stop.request_stop(); }
  };
  CallStop(Realm realm, std::stop_source own, const std::stop_token& caller)
      : stop(std::move(own)),
        with_caller(caller, Forward{stop}),
        with_isolate(realm.isolate().stop_token(), Forward{stop}) {}

  std::stop_source stop;
  std::stop_callback<Forward> with_caller, with_isolate;
};

/// A promise of the script value that `settle(realm, result)` makes of what `task` gives; `gone(error)` is the result
/// when it was stopped before it began.
template <typename T, typename Gone, typename Settle>
Value promise_of_result(Realm realm, Task<T> task, std::shared_ptr<CallStop> stop, Gone gone, Settle settle) {
  const Deferred deferred(realm);
  Value promise = deferred.promise();
  const std::stop_token token = stop->stop.get_token();
  start(
      detail::executor_of(realm), std::move(task),
      [deferred, stop, gone, settle, isolate = WeakIsolate(realm)](Outcome<T> outcome) {
        Isolate* const live = isolate.get();
        if (live == nullptr) return;
        live->run_turn([&](Realm in) {
          T result = outcome.ok() ? outcome.take() : gone(outcome.error());
          try {
            deferred.resolve(settle(in, result));
          } catch (const ScriptError& error) {  // the answer has no form in script, or script broke what makes it
            deferred.reject(error);
          }
        });
      },
      token);
  return promise;
}

/// Takes a place among the open calls. Throws `limit` when there is none.
void open_call(Realm realm, BridgeState& state) {
  const auto& most = realm.isolate().limits().open_calls;
  if (most && state.open_calls >= *most) {
    throw Error(call::CallError::kResourceExhausted,
                fmt::format("{} calls are open, as many as this script may have", *most),
                JsonObject{{"limit", "open_calls"}});
  }
  ++state.open_calls;
}

Value failed_at_once(Realm realm, const Error& error) {
  const Deferred answer(realm);
  Value promise = answer.promise();
  CallOutcome outcome;
  outcome.error = call::wire_error(error);
  answer.resolve(outcome_object(realm, outcome));
  return promise;
}

/// The C++ side of a subscription of script.
class ScriptSubscription final : public NativeObject {
 public:
  ScriptSubscription(const std::shared_ptr<BridgeState>& state, const ScriptCaller& caller, std::string operation,
                     Message input, call::CallOptions options)
      : state_(state),
        items_(std::make_shared<Items>(caller, std::move(operation), std::move(input), std::move(options))) {
    // The place is given back when the items end, however that is.
    items_->on_end = [weak = state_] {
      if (const auto bridge = weak.lock()) --bridge->open_calls;
    };
  }
  ~ScriptSubscription() override { items_->close(); }

  static Value next(Realm realm, const Value& self, Arguments) {
    const auto items = native_this<ScriptSubscription>(self, "subscription").items_;
    if (items->waiting) throw realm.type_error("[subscription] `next` before the one before it has answered");
    if (items->closed) {
      const Deferred nothing(realm);
      Value promise = nothing.promise();
      nothing.resolve(taken_object(realm, CallOutcome()));
      return promise;
    }
    items->waiting = true;
    const auto gone = [items](const std::exception_ptr&) {
      items->waiting = false;
      items->finish();
      return CallOutcome();
    };
    const auto stop = std::make_shared<CallStop>(realm, items->stop, items->caller_ended);
    return promise_of_result(realm, items_next(items), stop, gone, taken_object);
  }

  static Value close(Realm, const Value& self, Arguments) {
    native_this<ScriptSubscription>(self, "subscription").items_->close();
    return {};
  }

 private:
  struct Items {
    Items(const ScriptCaller& caller, std::string operation, Message input, call::CallOptions options)
        : caller_ended(caller.ended.get_token()),
          generator(subscribe(*caller.caller, std::move(operation), std::move(input), std::move(options), id)) {}
    ~Items() { finish(); }

    static AsyncGenerator<Message> subscribe(call::Caller& caller, std::string operation, Message input,
                                             call::CallOptions options, const CallId& id) {
      options.on_id = id.setter();
      return caller.subscribe(std::move(operation), std::move(input), std::move(options));
    }

    /// Gives the subscription up: at once, or when the item that is waited for has been given up.
    void close() {
      closed = true;
      stop.request_stop();
      if (!waiting) finish();
    }

    void finish() {
      generator.reset();
      if (const auto ended = std::exchange(on_end, nullptr)) ended();
    }

    CallId id;  // made before the generator, which tells it
    std::stop_token caller_ended;
    std::optional<AsyncGenerator<Message>> generator;
    std::stop_source stop;
    std::function<void()> on_end;
    bool waiting = false;
    bool closed = false;
  };

  static Value taken_object(Realm realm, const CallOutcome& taken) {
    Value object = outcome_object(realm, taken);
    object.define("done", realm.boolean(!taken.output.has_value()));
    return object;
  }

  static Task<CallOutcome> items_next(std::shared_ptr<Items> items) {
    CallOutcome taken;
    try {
      if (items->generator) {
        auto item = co_await items->generator->next();
        taken.output = std::move(item);
      }
    } catch (...) {
      if (!items->closed) taken.error = told(std::current_exception());
    }
    taken.request_id = items->id.get();
    items->waiting = false;
    if (!taken.output || items->closed) items->finish();
    co_return taken;
  }

  std::weak_ptr<BridgeState> state_;
  std::shared_ptr<Items> items_;
};

}  // namespace

Value script_call(Realm realm, const std::shared_ptr<BridgeState>& state, const std::shared_ptr<ScriptCaller>& caller,
                  const Arguments& arguments) {
  ScriptOptions options = options_of(arguments[2]);
  std::string operation = full_name(options, arguments[0]);
  Message input = to_message(arguments[1], options.transfer);
  try {
    open_call(realm, *state);
  } catch (const ScriptError&) {
    throw;
  } catch (const Error& error) {
    return failed_at_once(realm, error);
  }
  const auto stop = std::make_shared<CallStop>(realm, std::stop_source(), caller->ended.get_token());
  if (options.token) caller->tokens.insert_or_assign(*options.token, stop->stop);
  const auto gone = [](const std::exception_ptr& error) {
    CallOutcome outcome;
    outcome.error = told(error);
    return outcome;
  };
  const auto settle = [weak = std::weak_ptr(state), caller, token = options.token](Realm in,
                                                                                   const CallOutcome& outcome) {
    if (const auto bridge = weak.lock()) --bridge->open_calls;
    if (token) caller->tokens.erase(*token);
    return outcome_object(in, outcome);
  };
  try {
    return promise_of_result(
        realm, outcome_of(caller->caller, std::move(operation), std::move(input), std::move(options.call)), stop, gone,
        settle);
  } catch (...) {  // no room for the promise: nothing was called
    --state->open_calls;
    if (options.token) caller->tokens.erase(*options.token);
    throw;
  }
}

Value script_subscribe(Realm realm, const std::shared_ptr<BridgeState>& state,
                       const std::shared_ptr<ScriptCaller>& caller, const Arguments& arguments) {
  ScriptOptions options = options_of(arguments[2]);
  std::string operation = full_name(options, arguments[0]);
  Message input = to_message(arguments[1], options.transfer);
  open_call(realm, *state);
  return make_object(state->subscription_class,
                     std::make_unique<ScriptSubscription>(state, *caller, std::move(operation), std::move(input),
                                                          std::move(options.call)));
}

Value script_abort(Realm, ScriptCaller& caller, const Arguments& arguments) {
  const auto found = caller.tokens.find(arguments[0].to_integer("[abort] the token"));
  if (found != caller.tokens.end()) found->second.request_stop();
  return {};
}

Value define_subscription_class(Realm realm) {
  static constexpr MethodSpec kMethods[] = {{"next", 0, ScriptSubscription::next},
                                            {"close", 0, ScriptSubscription::close}};
  ClassSpec spec;
  spec.name = "HostSubscription";
  spec.methods = kMethods;
  return define_class(realm, spec);
}

}  // namespace alknet::runtime
