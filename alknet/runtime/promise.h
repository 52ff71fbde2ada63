#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/base/task.h"
#include "alknet/runtime/isolate.h"

// Promises of script and tasks of C++, each as the other.

namespace alknet::runtime {

/// A promise that C++ settles later, once. Copies are the same one. While it is pending the isolate is not idle.
class Deferred {
 public:
  explicit Deferred(Realm realm);

  /// The promise, for script. On the isolate's thread.
  Value promise() const;

  /// Settle it, on the isolate's thread, during or after a turn. Nothing happens when the isolate has ended or the
  /// promise is settled.
  void resolve(Value value) const;
  void reject(const std::exception& error) const;
  void reject_with(Value reason) const;

  /// Settles it from any thread: `make` runs on the isolate's thread; what it throws rejects.
  void resolve_later(std::function<Value(Realm)> make) const;
  void reject_later(std::exception_ptr error) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// A promise of what `task` gives: it starts soon on the isolate's executor, and `convert(realm, result)` makes the
/// value there. A stop is requested when the isolate ends or `stop` is.
template <typename T, typename Convert>
Value promise_of(Realm realm, Task<T> task, Convert convert, std::stop_token stop = {});

/// Waits until `value` is settled if it is a promise. Throws ScriptError for a rejection. On the isolate's thread (the
/// task must be started on its executor); the rejection counts as handled.
Task<Value> settled(Value value);

/// The state of a promise without waiting.
enum class PromiseState { kPending, kFulfilled, kRejected };
PromiseState promise_state(const Value& promise);

/// What a settled promise holds: its value, or the reason of its rejection.
Value promise_result(const Value& promise);

/// C++ will look at the promise: its rejection is not one that nobody handles.
void mark_handled(const Value& promise);

/// Calls `then(value)` or `otherwise(reason)` when `promise` is settled, in a job.
void when_settled(const Value& promise, std::function<void(Realm, Value)> then,
                  std::function<void(Realm, Value)> otherwise);

// --- implementation ------------------------------------------------------------------------------------------------

namespace detail {

/// The executor of the realm's isolate; throws `unsupported` when it has none.
Executor& executor_of(Realm realm);

/// A stop source that stops with the isolate and with `other`.
struct JoinedStop {
  JoinedStop(Realm realm, std::stop_token other);
  struct Forward {
    std::stop_source source;
    void operator()() const { source.request_stop(); }
  };
  std::stop_source source;
  std::stop_callback<Forward> with_isolate, with_other;
};

}  // namespace detail

template <typename T, typename Convert>
Value promise_of(Realm realm, Task<T> task, Convert convert, std::stop_token stop) {
  const Deferred deferred(realm);
  const auto joined = std::make_shared<detail::JoinedStop>(realm, std::move(stop));
  const auto on_done = [deferred, joined, convert = std::move(convert)](Outcome<T> outcome) {
    if (!outcome.ok()) return deferred.reject_later(outcome.error());
    deferred.resolve_later([convert, outcome = std::make_shared<Outcome<T>>(std::move(outcome))](Realm in) {
      if constexpr (std::is_void_v<T>) {
        return convert(in);
      } else {
        return convert(in, outcome->take());
      }
    });
  };
  start(detail::executor_of(realm), std::move(task), on_done, joined->source.get_token());
  return deferred.promise();
}

}  // namespace alknet::runtime
