#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>
#include <variant>

#include "alknet/base/error.h"
#include "alknet/base/executor.h"

namespace alknet {

template <typename T>
class Task;
template <typename T>
class AsyncGenerator;

/// Where a coroutine runs and who may stop it. A coroutine that is awaited inherits both from the one that awaits.
struct TaskContext {
  Executor* executor = nullptr;
  std::stop_token stop;
  std::coroutine_handle<> root;  ///< The outermost coroutine, destroyed when the executor drops its resumption.

  /// Throws Error `aborted` once a stop was requested.
  void throw_if_stopped() const;
};

namespace detail {

struct CurrentContext {};

/// What all coroutines of alknet share: the context, who continues when they end, and the stop check at `co_await`.
class PromiseBase {
 public:
  TaskContext context;
  std::coroutine_handle<> continuation = std::noop_coroutine();

  std::suspend_always initial_suspend() const noexcept { return {}; }

  /// Every `co_await` is a point where a stop takes effect.
  template <typename Awaitable>
  Awaitable&& await_transform(Awaitable&& awaitable) const {
    context.throw_if_stopped();
    return std::forward<Awaitable>(awaitable);
  }
  auto await_transform(CurrentContext) const noexcept {
    struct Ready : std::suspend_never {
      const TaskContext& context;
      const TaskContext& await_resume() const noexcept { return context; }
    };
    return Ready{{}, context};
  }
};

/// Continues with the awaiting coroutine, without growing the stack.
struct TransferToContinuation {
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
    return self.promise().continuation;
  }
  void await_resume() const noexcept {}
};

/// Owns a coroutine frame.
template <typename Promise>
class OwnedCoroutine {
 public:
  explicit OwnedCoroutine(Promise& promise) : handle_(std::coroutine_handle<Promise>::from_promise(promise)) {}
  OwnedCoroutine(OwnedCoroutine&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  OwnedCoroutine& operator=(OwnedCoroutine&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~OwnedCoroutine() {
    if (handle_) handle_.destroy();
  }
  std::coroutine_handle<Promise> get() const { return handle_; }

 private:
  std::coroutine_handle<Promise> handle_;
};

}  // namespace detail

/// A value or the exception that came instead.
template <typename T>
class Outcome {
 public:
  using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  explicit Outcome(Value value) : state_(std::in_place_index<0>, std::move(value)) {}
  explicit Outcome(std::exception_ptr error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const noexcept { return state_.index() == 0; }

  /// The exception, null when there is a value.
  std::exception_ptr error() const noexcept { return ok() ? nullptr : std::get<1>(state_); }

  /// Moves the value out, or throws the exception. Call once.
  T take() {
    // Moved, so that this thread alone holds the exception from here on.
    if (!ok()) std::rethrow_exception(std::exchange(std::get<1>(state_), nullptr));
    if constexpr (!std::is_void_v<T>) return std::move(std::get<0>(state_));
  }

 private:
  std::variant<Value, std::exception_ptr> state_;
};

namespace detail {

template <typename T>
class TaskPromiseBase : public PromiseBase {
 public:
  std::optional<Outcome<T>> outcome;

  TransferToContinuation final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { outcome.emplace(std::current_exception()); }
};

template <typename T>
class TaskPromise final : public TaskPromiseBase<T> {
 public:
  Task<T> get_return_object() { return Task<T>(*this); }
  template <typename From>
  void return_value(From&& value) {
    this->outcome.emplace(T(std::forward<From>(value)));
  }
};

template <>
class TaskPromise<void> final : public TaskPromiseBase<void> {
 public:
  Task<void> get_return_object();
  void return_void() { outcome.emplace(std::monostate{}); }
};

}  // namespace detail

/// A lazy coroutine that gives one T (or nothing) or throws.
///
///   Task<int> twice(Task<int> inner) { co_return 2 * co_await std::move(inner); }
///
/// It runs when it is awaited (or given to `start`), resumes always on the executor that its outermost coroutine was
/// started on, and hands over to its awaiter by symmetric transfer. After a stop was requested, the next `co_await`
/// inside throws Error `aborted`. A Task owns its frame: destroying one that has not finished destroys its locals.
/// Arguments by reference must outlive it. Await it once. One thread at a time.
template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;
  static_assert(!std::is_reference_v<T>, "a task gives values");

  explicit Task(promise_type& promise) : coroutine_(promise) {}

  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
    auto& promise = coroutine_.get().promise();
    promise.context = awaiting.promise().context;
    promise.continuation = awaiting;
    return coroutine_.get();
  }
  T await_resume() { return coroutine_.get().promise().outcome->take(); }

 private:
  detail::OwnedCoroutine<promise_type> coroutine_;
};

inline Task<void> detail::TaskPromise<void>::get_return_object() { return Task<void>(*this); }

namespace detail {

template <typename T>
class GeneratorPromise final : public PromiseBase {
 public:
  std::optional<T> item;
  std::exception_ptr error;

  AsyncGenerator<T> get_return_object() { return AsyncGenerator<T>(*this); }
  TransferToContinuation final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }
  void return_void() const noexcept {}

  template <typename From>
  auto yield_value(From&& value) {
    struct Yield : TransferToContinuation {
      const TaskContext& context;
      void await_resume() const { context.throw_if_stopped(); }
    };
    item.emplace(std::forward<From>(value));
    return Yield{{}, this->context};
  }
};

}  // namespace detail

/// A lazy coroutine that gives any number of T with `co_yield` and may await in between.
///
///   while (auto item = co_await items.next()) use(*item);
///
/// It runs only inside `next`, under the context of the coroutine that awaits it. Destroying it early destroys its
/// locals at the `co_yield` where it stands. One `next` at a time.
template <typename T>
class [[nodiscard]] AsyncGenerator {
 public:
  using promise_type = detail::GeneratorPromise<T>;

  explicit AsyncGenerator(promise_type& promise) : coroutine_(promise) {}

  class [[nodiscard]] Next {
   public:
    explicit Next(std::coroutine_handle<promise_type> generator) : generator_(generator) {}
    bool await_ready() const noexcept { return generator_.done(); }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
      generator_.promise().context = awaiting.promise().context;
      generator_.promise().continuation = awaiting;
      return generator_;
    }
    std::optional<T> await_resume() {
      auto& promise = generator_.promise();
      if (promise.error) std::rethrow_exception(std::exchange(promise.error, nullptr));
      return std::exchange(promise.item, std::nullopt);
    }

   private:
    std::coroutine_handle<promise_type> generator_;
  };

  /// The next item; nothing after the last. Throws what the generator throws, once; then it has ended.
  Next next() { return Next(coroutine_.get()); }

 private:
  detail::OwnedCoroutine<promise_type> coroutine_;
};

/// `co_await current_context()` gives the context of the coroutine itself, also after a stop was requested.
inline detail::CurrentContext current_context() { return {}; }

}  // namespace alknet
