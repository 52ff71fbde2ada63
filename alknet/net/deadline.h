#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "alknet/base/executor.h"

namespace alknet::net {

/// Calls a function when time has passed, unless it is destroyed or cancelled before. For one-threaded executors, on
/// their thread.
class Deadline {
 public:
  Deadline() = default;
  Deadline(Executor& executor, Executor::Clock::duration after, std::function<void()> expired)
      : executor_(&executor), state_(std::make_shared<State>()) {
    state_->expired = std::move(expired);
    timer_ = executor.post_after(after, [weak = std::weak_ptr<State>(state_)] {
      const auto state = weak.lock();
      if (!state || !state->expired) return;
      state->passed = true;
      std::exchange(state->expired, nullptr)();
    });
  }
  Deadline(Deadline&& other) noexcept { *this = std::move(other); }
  Deadline& operator=(Deadline&& other) noexcept {
    if (this == &other) return *this;
    cancel();
    executor_ = other.executor_;
    timer_ = other.timer_;
    state_ = std::move(other.state_);
    return *this;
  }
  ~Deadline() { cancel(); }

  bool passed() const { return state_ && state_->passed; }

  void cancel() {
    if (!state_) return;
    state_->expired = nullptr;
    if (!state_->passed) executor_->cancel(timer_);
    if (!state_->passed) state_.reset();
  }

 private:
  struct State {
    std::function<void()> expired;
    bool passed = false;
  };
  Executor* executor_ = nullptr;
  TimerId timer_;
  std::shared_ptr<State> state_;
};

}  // namespace alknet::net
