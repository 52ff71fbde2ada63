#pragma once

#include <exception>
#include <memory>
#include <utility>

#include "alknet/base/await.h"

namespace alknet::net {

/// The side of a Completion that a callback holds when a loop may drop the callback without calling it: with the last
/// copy gone and nothing set, the waiting coroutine gets `aborted` instead of being left behind.
template <typename T = void>
class Settler {
 public:
  explicit Settler(Completion<T> completion) : guard_(std::make_shared<Guard>(std::move(completion))) {}

  void set_value(typename Completion<T>::Value value = {}) const { guard_->completion.set_value(std::move(value)); }
  void set_error(const Error& error) const { guard_->completion.set_error(std::make_exception_ptr(error)); }
  void set_error(std::exception_ptr error) const { guard_->completion.set_error(std::move(error)); }

 private:
  struct Guard {
    explicit Guard(Completion<T> held) : completion(std::move(held)) {}
    ~Guard() { completion.set_error(std::make_exception_ptr(Error(BaseError::kAborted, "[loop] the loop has ended"))); }
    Completion<T> completion;
  };
  std::shared_ptr<Guard> guard_;
};

/// Runs `task` on `executor`, stopped by `stop` or by a stop of the awaiting coroutine, and gives its result on the
/// awaiting coroutine's own executor.
template <typename T>
Task<T> run_task_on(Executor& executor, Task<T> task, std::stop_token stop) {
  Completion<T> done;
  start(
      executor, std::move(task),
      [settler = Settler<T>(done)](Outcome<T> outcome) {
        if (outcome.ok()) {
          if constexpr (std::is_void_v<T>) {
            settler.set_value();
          } else {
            settler.set_value(outcome.take());
          }
        } else {
          settler.set_error(outcome.error());
        }
      },
      std::move(stop));
  co_return co_await done.wait();
}

template <typename T>
Task<T> run_task_on(Executor& executor, Task<T> task) {
  const TaskContext& context = co_await current_context();
  co_return co_await run_task_on(executor, std::move(task), context.stop);
}

}  // namespace alknet::net
