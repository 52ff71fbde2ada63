#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/base/settler.h"
#include "alknet/base/task.h"

// Tasks and generators that must run on an executor of their own, awaited on another.

namespace alknet {

namespace detail {

/// Stops what runs elsewhere when a stop is requested or the one who waits is gone.
class ElsewhereStop {
 public:
  explicit ElsewhereStop(const std::stop_token& stop) : forward_(stop, Forward{source_}) {}
  ElsewhereStop(const ElsewhereStop&) = delete;
  ElsewhereStop& operator=(const ElsewhereStop&) = delete;
  ~ElsewhereStop() { source_.request_stop(); }

  std::stop_token token() const { return source_.get_token(); }

 private:
  struct Forward {
    std::stop_source source;
    void operator()() { source.request_stop(); }
  };
  std::stop_source source_;
  std::stop_callback<Forward> forward_;
};

template <typename T>
Task<std::optional<T>> next_of(std::shared_ptr<AsyncGenerator<T>> items) {
  auto next = co_await items->next();
  co_return next;
}

}  // namespace detail

/// What `task` gives, which runs on `there` as a task of its own, stopped by `stop`. A stop of the one who waits ends
/// the wait at once, and then the task; `aborted` when `there` ends first.
template <typename T>
Task<T> on_executor(Executor& there, Task<T> task, std::stop_token stop) {
  const detail::ElsewhereStop elsewhere(stop);
  Completion<T> done;
  start(
      there, std::move(task),
      [settler = Settler<T>(done)](Outcome<T> outcome) {
        if (!outcome.ok()) {
          settler.set_error(outcome.error());
        } else if constexpr (std::is_void_v<T>) {
          settler.set_value();
        } else {
          settler.set_value(outcome.take());
        }
      },
      elsewhere.token());
  co_return co_await done.wait();
}

/// What `task` gives, which runs on `there`; a stop of the one who waits stops it.
template <typename T>
Task<T> on_executor(Executor& there, Task<T> task) {
  const TaskContext context = co_await current_context();
  if (context.executor == &there) co_return co_await std::move(task);
  Task<T> elsewhere = on_executor(there, std::move(task), context.stop);
  co_return co_await std::move(elsewhere);
}

/// The items of a generator that runs, and ends, on `there`.
template <typename T>
AsyncGenerator<T> on_executor(Executor& there, AsyncGenerator<T> items) {
  const TaskContext context = co_await current_context();
  if (context.executor == &there) {
    while (auto item = co_await items.next()) co_yield std::move(*item);
    co_return;
  }
  const std::shared_ptr<AsyncGenerator<T>> held(
      new AsyncGenerator<T>(std::move(items)),
      [&there](AsyncGenerator<T>* ended) { there.post([owner = std::unique_ptr<AsyncGenerator<T>>(ended)] {}); });
  for (;;) {
    Task<std::optional<T>> next = detail::next_of(held);
    auto item = co_await on_executor(there, std::move(next));
    if (!item) co_return;
    co_yield std::move(*item);
  }
}

}  // namespace alknet
