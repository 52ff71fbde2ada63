#include "alknet/base/manual_executor.h"

#include <algorithm>

namespace alknet {

void ManualExecutor::post(Callback callback) {
  const std::lock_guard lock(mutex_);
  ready_.push_back(std::move(callback));
}

TimerId ManualExecutor::post_after(Clock::duration delay, Callback callback) {
  const std::lock_guard lock(mutex_);
  const TimerId id{++last_timer_};
  timers_.emplace(std::pair(now_ + std::max(delay, Clock::duration::zero()), id), std::move(callback));
  return id;
}

bool ManualExecutor::cancel(TimerId timer) {
  Callback dropped;  // destroyed after the lock: it may own anything
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(timers_.begin(), timers_.end(), [&](const auto& t) { return t.first.second == timer; });
  if (found == timers_.end()) return false;
  dropped = std::move(found->second);
  timers_.erase(found);
  return true;
}

Executor::Clock::time_point ManualExecutor::now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

std::size_t ManualExecutor::timers() const {
  const std::lock_guard lock(mutex_);
  return timers_.size();
}

bool ManualExecutor::run_one() {
  Callback callback;
  {
    const std::lock_guard lock(mutex_);
    if (ready_.empty()) return false;
    callback = std::move(ready_.front());
    ready_.pop_front();
  }
  callback();
  return true;
}

/// Moves the time to the first timer that is due at `until`, and that timer to the ready ones.
bool ManualExecutor::make_due(Clock::time_point until) {
  const std::lock_guard lock(mutex_);
  const auto first = timers_.begin();
  if (first == timers_.end() || first->first.first > until) return false;
  now_ = std::max(now_, first->first.first);
  ready_.push_back(std::move(first->second));
  timers_.erase(first);
  return true;
}

std::size_t ManualExecutor::run_ready() {
  std::size_t ran = 0;
  const auto present = now();
  do {
    while (run_one()) ++ran;
  } while (make_due(present));
  return ran;
}

std::size_t ManualExecutor::advance(Clock::duration duration) {
  const auto until = now() + duration;
  std::size_t ran = run_ready();
  while (make_due(until)) {
    while (run_one()) ++ran;
  }
  const std::lock_guard lock(mutex_);
  now_ = until;
  return ran;
}

}  // namespace alknet
