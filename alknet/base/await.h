#pragma once

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/base/executor.h"
#include "alknet/base/manual_executor.h"
#include "alknet/base/task.h"

// How tasks meet the world of callbacks: start one, wait for time, wait for a callback, wait for a task.

namespace alknet {

namespace detail {

/// One suspension of one coroutine. Whoever wins it (the event, a stop, the destruction of the coroutine) settles it.
class Waiter : public std::enable_shared_from_this<Waiter> {
 public:
  Waiter(std::coroutine_handle<> handle, const TaskContext& context) : handle_(handle), context_(context) {}

  /// Resumes when `callback()` runs on the executor; when the executor drops it, the outermost coroutine is destroyed.
  Callback resume_when_called();

  /// Posts the resumption now, unless the wait was settled. Any thread.
  void post_resume();

  /// Arranges that a stop request resumes the coroutine and cancels `timer`.
  void resume_on_stop(TimerId timer);

  /// The coroutine is going away: whatever comes later does nothing.
  void forget();

 private:
  enum class State { kWaiting, kPosted, kSettled };
  class Resumption;

  bool move(State from, State to) { return state_.compare_exchange_strong(from, to); }
  void stop();

  struct OnStop {
    std::weak_ptr<Waiter> waiter;
    void operator()() const;
  };

  std::atomic<State> state_ = State::kWaiting;
  std::coroutine_handle<> handle_;
  TaskContext context_;
  TimerId timer_;
  std::optional<std::stop_callback<OnStop>> on_stop_;
};

/// Ends the wait of a suspended coroutine that is destroyed.
class WaiterRef {
 public:
  WaiterRef() = default;
  WaiterRef(WaiterRef&&) = default;
  WaiterRef& operator=(WaiterRef&&) = delete;
  ~WaiterRef() {
    if (waiter_) waiter_->forget();
  }
  std::shared_ptr<Waiter> set(std::shared_ptr<Waiter> waiter) { return waiter_ = std::move(waiter); }

 private:
  std::shared_ptr<Waiter> waiter_;
};

/// The outermost coroutine of a started task; destroys itself at its end.
struct RootCoroutine {
  struct promise_type final : PromiseBase {  // NOLINT(readability-identifier-naming): the language wants it
    RootCoroutine get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};

template <typename T, typename OnDone>
RootCoroutine run_root(Task<T> task, OnDone on_done) {
  std::optional<Outcome<T>> outcome;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      outcome.emplace(std::monostate{});
    } else {
      outcome.emplace(co_await std::move(task));
    }
  } catch (...) {
    outcome.emplace(std::current_exception());
  }
  on_done(std::move(*outcome));
}

class Sleep {
 public:
  explicit Sleep(Executor::Clock::duration delay) : delay_(delay) {}
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) {
    context_ = handle.promise().context;
    begin(handle);
  }
  void await_resume() const { context_.throw_if_stopped(); }

 private:
  void begin(std::coroutine_handle<> handle);

  Executor::Clock::duration delay_;
  TaskContext context_;
  WaiterRef waiter_;
};

}  // namespace detail

/// Runs `task` on `executor` and calls `on_done(Outcome<T>)` there when it ends; `on_done` must not throw.
/// Nothing of the task runs inside this call. A request through `stop` makes the task's next `co_await` throw
/// `aborted`. The executor must outlive the task; destroying an executor destroys the tasks that wait on it, without
/// calling `on_done`.
template <typename T, typename OnDone>
void start(Executor& executor, Task<T> task, OnDone on_done, std::stop_token stop = {}) {
  const auto root = detail::run_root(std::move(task), std::move(on_done)).handle;
  root.promise().context = TaskContext{&executor, std::move(stop), root};
  std::make_shared<detail::Waiter>(root, root.promise().context)->post_resume();
}

/// Runs `task` on `executor` and blocks the calling thread, which must not be the executor's, until it ends.
template <typename T>
T wait_for(Executor& executor, Task<T> task, std::stop_token stop = {}) {
  struct Shared {
    std::mutex mutex;
    std::condition_variable done;
    std::optional<Outcome<T>> outcome;
  };
  const auto shared = std::make_shared<Shared>();
  start(
      executor, std::move(task),
      [shared](Outcome<T> outcome) {
        const std::lock_guard lock(shared->mutex);
        shared->outcome.emplace(std::move(outcome));
        shared->done.notify_all();
      },
      std::move(stop));
  std::unique_lock lock(shared->mutex);
  shared->done.wait(lock, [&] { return shared->outcome.has_value(); });
  return std::exchange(shared->outcome, std::nullopt)->take();
}

/// Runs `task` on this thread without letting time pass.
/// Throws Error `internal` when it then still waits for something.
template <typename T>
T run_until_done(ManualExecutor& executor, Task<T> task, std::stop_token stop = {}) {
  const auto outcome = std::make_shared<std::optional<Outcome<T>>>();
  start(
      executor, std::move(task), [outcome](Outcome<T> result) { outcome->emplace(std::move(result)); },
      std::move(stop));
  executor.run_ready();
  if (!*outcome) throw Error(BaseError::kInternal, "[run_until_done] the task waits for something that did not happen");
  return (*outcome)->take();
}

/// `co_await sleep_for(delay)` resumes when `delay` has passed on the executor's clock, or throws `aborted` at once
/// when a stop is requested.
inline detail::Sleep sleep_for(Executor::Clock::duration delay) { return detail::Sleep(delay); }

/// `co_await reschedule()` lets the executor run what else is ready first.
inline detail::Sleep reschedule() { return detail::Sleep(Executor::Clock::duration::zero()); }

/// One value that a callback delivers to a coroutine. Copies share it. `set` functions may be called on any thread.
///
///   Completion<Json> reply;
///   send(request, [reply](Json answer) mutable { reply.set_value(std::move(answer)); });
///   Json answer = co_await reply.wait();
template <typename T = void>
class Completion {
 public:
  using Value = typename Outcome<T>::Value;

  /// False when a value or an error was set before; then nothing changes.
  bool set_value(Value value = {}) { return set(Outcome<T>(std::move(value))); }
  bool set_error(std::exception_ptr error) { return set(Outcome<T>(std::move(error))); }

  class [[nodiscard]] Wait;

  /// Awaits what is set; throws the error that was set, or `aborted` when a stop comes first. One waiter, one time.
  Wait wait() const { return Wait(state_); }

 private:
  struct State {
    std::mutex mutex;
    std::optional<Outcome<T>> outcome;
    std::shared_ptr<detail::Waiter> waiter;
    bool set = false;
  };

  bool set(Outcome<T> outcome) {
    std::shared_ptr<detail::Waiter> waiter;
    {
      const std::lock_guard lock(state_->mutex);
      if (std::exchange(state_->set, true)) return false;
      state_->outcome.emplace(std::move(outcome));
      waiter = std::move(state_->waiter);
    }
    if (waiter) waiter->post_resume();
    return true;
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

template <typename T>
class Completion<T>::Wait {
 public:
  explicit Wait(std::shared_ptr<State> state) : state_(std::move(state)) {}

  bool await_ready() const {
    const std::lock_guard lock(state_->mutex);
    return state_->outcome.has_value();
  }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    // Once the waiter is published, another thread may resume and destroy this object: only locals from there on.
    const auto waiter = waiter_.set(std::make_shared<detail::Waiter>(handle, handle.promise().context));
    context_ = handle.promise().context;
    {
      const auto state = state_;
      const std::lock_guard lock(state->mutex);
      if (state->outcome) return false;
      state->waiter = waiter;
    }
    waiter->resume_on_stop({});
    return true;
  }
  T await_resume() {
    std::optional<Outcome<T>> outcome;
    {
      const std::lock_guard lock(state_->mutex);
      outcome = std::exchange(state_->outcome, std::nullopt);
    }
    if (!outcome) {
      context_.throw_if_stopped();
      throw Error(BaseError::kInternal, "[Completion] awaited a second time");
    }
    return outcome->take();
  }

 private:
  std::shared_ptr<State> state_;
  TaskContext context_;
  detail::WaiterRef waiter_;
};

/// Runs `work()` on `pool` and resumes with what it returned or threw, on the executor of the awaiting coroutine:
///
///   std::string text = co_await run_on(pool, [path] { return read_file(path, kMost); });
///
/// After a stop the coroutine goes on at once with `aborted`, while `work`, once begun, still ends: it must own what it
/// uses.
template <typename Work>
Task<std::invoke_result_t<Work&>> run_on(Executor& pool, Work work) {
  using Result = std::invoke_result_t<Work&>;
  Completion<Result> done;
  pool.post([done, work = std::move(work)]() mutable {
    try {
      if constexpr (std::is_void_v<Result>) {
        work();
        done.set_value();
      } else {
        done.set_value(work());
      }
    } catch (...) {
      done.set_error(std::current_exception());
    }
  });
  co_return co_await done.wait();
}

}  // namespace alknet
