#include "alknet/runtime/promise.h"

#include "alknet/runtime/quickjs.h"

namespace alknet::runtime {

struct Deferred::State {
  std::uint64_t id = 0;
  WeakIsolate isolate;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  /// Nobody is left to settle it: the isolate need not wait.
  ~State() {
    isolate.post([id = id](Realm realm) { ValueAccess::state(realm).promises.erase(id); });
  }

  /// Takes the functions that settle the promise; nothing when that happened before or the isolate has ended.
  std::optional<IsolateState::Pending> take() const {
    Isolate* const found = isolate.get();
    if (found == nullptr) return std::nullopt;
    auto node = found->state().promises.extract(id);
    if (node.empty()) return std::nullopt;
    return std::move(node.mapped());
  }
};

Deferred::Deferred(Realm realm) : state_(std::make_shared<State>()) {
  IsolateState& state = ValueAccess::state(realm);
  PromiseCapability made = realm.promise_capability();
  state_->id = ++state.last_promise;
  state_->isolate = WeakIsolate(realm);
  state.promises.emplace(state_->id, IsolateState::Pending{std::move(made), PendingWork(realm)});
}

Value Deferred::promise() const {
  Isolate* const isolate = state_->isolate.get();
  if (isolate == nullptr) throw Error(RuntimeError::kClosed, "[Deferred] the isolate has ended");
  const auto found = isolate->state().promises.find(state_->id);
  if (found == isolate->state().promises.end()) {
    throw Error(BaseError::kInternal, "[Deferred] the promise was settled before script got it");
  }
  return found->second.settle.promise;
}

void Deferred::resolve(Value value) const {
  if (const auto pending = state_->take()) pending->settle.resolve.call(std::span(&value, 1));
}

void Deferred::reject_with(Value reason) const {
  if (const auto pending = state_->take()) pending->settle.reject.call(std::span(&reason, 1));
}

void Deferred::reject(const std::exception& error) const {
  Isolate* const isolate = state_->isolate.get();
  if (isolate != nullptr) reject_with(isolate->realm().error_value(error));
}

void Deferred::resolve_later(std::function<Value(Realm)> make) const {
  state_->isolate.post([deferred = *this, make = std::move(make)](Realm realm) {
    try {
      deferred.resolve(make(realm));
    } catch (const std::exception& error) {
      deferred.reject(error);
    }
  });
}

void Deferred::reject_later(std::exception_ptr error) const {
  resolve_later([error = std::move(error)](Realm) -> Value { std::rethrow_exception(error); });
}

void when_settled(const Value& promise, std::function<void(Realm, Value)> then,
                  std::function<void(Realm, Value)> otherwise) {
  const Realm realm = promise.realm();
  IsolateState& state = ValueAccess::state(realm);
  const auto reaction = [&](std::function<void(Realm, Value)> body) {
    return realm.closure("", 1, [body = std::move(body)](Realm in, const Value&, Arguments arguments) {
      body(in, arguments[0]);
      return Value();
    });
  };
  const Value fulfilled = reaction(std::move(then)), rejected = reaction(std::move(otherwise));
  const Entry entry(state);
  checked(state, JS_PromiseThen(entry.context(), ValueAccess::raw(promise), ValueAccess::raw(fulfilled),
                                ValueAccess::raw(rejected)));
}

Task<Value> settled(Value value) {
  if (!value.is_promise()) co_return value;
  struct Settlement {
    Completion<Value> done;
    ~Settlement() {  // the reactions were freed unused
      const Error ended(RuntimeError::kClosed, "[settled] the isolate has ended, or the promise is never settled");
      done.set_error(std::make_exception_ptr(ended));
    }
  };
  Completion<Value> done;
  {
    const auto settlement = std::make_shared<Settlement>();
    settlement->done = done;
    when_settled(
        value, [settlement](Realm, Value result) { settlement->done.set_value(std::move(result)); },
        [settlement](Realm realm, Value reason) {
          settlement->done.set_error(std::make_exception_ptr(realm.thrown(std::move(reason))));
        });
    value = Value();  // so that a promise that script lost is freed, which ends the wait
  }
  co_return co_await done.wait();
}

PromiseState promise_state(const Value& promise) {
  IsolateState& state = ValueAccess::state(promise.realm());
  switch (JS_PromiseState(context_of(state), ValueAccess::raw(promise))) {
    case JS_PROMISE_PENDING: return PromiseState::kPending;
    case JS_PROMISE_FULFILLED: return PromiseState::kFulfilled;
    case JS_PROMISE_REJECTED: return PromiseState::kRejected;
    case JS_PROMISE_NOT_A_PROMISE: break;
  }
  throw promise.realm().type_error("a promise is needed here");
}

Value promise_result(const Value& promise) {
  IsolateState& state = ValueAccess::state(promise.realm());
  return checked(state, JS_PromiseResult(context_of(state), ValueAccess::raw(promise)));
}

void mark_handled(const Value& promise) {
  IsolateState& state = ValueAccess::state(promise.realm());
  JS_PromiseMarkAsHandled(context_of(state), ValueAccess::raw(promise));
  std::erase_if(state.rejections, [&](const auto& rejection) { return rejection.first.same_as(promise); });
}

namespace detail {

Executor& executor_of(Realm realm) {
  if (Executor* const executor = realm.isolate().executor()) return *executor;
  throw Error(BaseError::kUnsupported, "[promise_of] the isolate has no executor to run tasks on");
}

JoinedStop::JoinedStop(Realm realm, std::stop_token other)
    : with_isolate(realm.isolate().stop_token(), Forward{source}), with_other(std::move(other), Forward{source}) {}

}  // namespace detail

}  // namespace alknet::runtime
