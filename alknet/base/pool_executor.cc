#include "alknet/base/pool_executor.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace alknet {

class PoolExecutor::State {
 public:
  explicit State(std::size_t threads) {
    threads_.reserve(threads);
    try {
      for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
    } catch (...) {
      stop();
      throw;
    }
  }
  ~State() {
    stop();
    // Dropping a timer may destroy a task, whose locals may post or cancel; the lists are cleared until they stay
    // empty.
    while (!timers_.empty() || !due_.empty() || !ready_.empty()) {
      const auto timers = std::exchange(timers_, {});
      const auto ready = std::exchange(ready_, {});
      due_.clear();
    }
  }

  void post(Callback callback) {
    const std::lock_guard lock(mutex_);
    ready_.push_back(std::move(callback));
    // Under the lock: the callback may be the last that somebody waits for before the executor is destroyed.
    changed_.notify_one();
  }

  TimerId post_after(Clock::duration delay, Callback callback) {
    const auto due = Clock::now() + std::max(delay, Clock::duration::zero());
    TimerId id;
    const std::lock_guard lock(mutex_);
    id.value = ++last_timer_;
    timers_.emplace(std::pair(due, id), std::move(callback));
    due_.emplace(id, due);
    changed_.notify_one();
    return id;
  }

  bool cancel(TimerId timer) {
    Callback dropped;  // destroyed after the lock: it may own anything
    const std::lock_guard lock(mutex_);
    const auto found = due_.find(timer);
    if (found == due_.end()) return false;
    const auto entry = timers_.find({found->second, timer});
    due_.erase(found);
    if (entry == timers_.end()) return false;
    dropped = std::move(entry->second);
    timers_.erase(entry);
    return true;
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      const bool more = take_due_timers();
      if (!ready_.empty()) {
        Callback callback = std::move(ready_.front());
        ready_.pop_front();
        lock.unlock();
        if (more) changed_.notify_one();
        callback();
        lock.lock();
      } else if (stopping_) {
        return;
      } else if (timers_.empty()) {
        changed_.wait(lock);
      } else {
        changed_.wait_until(lock, Clock::time_point(timers_.begin()->first.first));
      }
    }
  }

  /// Moves timers whose time has come to the ready callbacks; returns whether another thread could find something to
  /// do.
  bool take_due_timers() {
    if (!stopping_ && !timers_.empty()) {
      const auto present = Clock::now();
      while (!timers_.empty() && timers_.begin()->first.first <= present) {
        const auto first = timers_.begin();
        ready_.push_back(std::move(first->second));
        due_.erase(first->first.second);
        timers_.erase(first);
      }
    }
    return ready_.size() > 1 || !timers_.empty();
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Callback> ready_;
  std::map<std::pair<Clock::time_point, TimerId>, Callback> timers_;
  std::map<TimerId, Clock::time_point> due_;
  std::uint64_t last_timer_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

PoolExecutor::PoolExecutor(std::size_t threads) {
  if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
  state_ = std::make_unique<State>(threads);
}

PoolExecutor::~PoolExecutor() = default;

void PoolExecutor::post(Callback callback) { state_->post(std::move(callback)); }
TimerId PoolExecutor::post_after(Clock::duration delay, Callback callback) {
  return state_->post_after(delay, std::move(callback));
}
bool PoolExecutor::cancel(TimerId timer) { return state_->cancel(timer); }

}  // namespace alknet
