#pragma once

#include <atomic>
#include <mutex>
#include <utility>

namespace alknet {

/// Runs a function once, the first time it is asked to; after an exception the next caller tries again. Thread-safe:
/// callers wait for the one that runs it and then see what it did.
///
/// Unlike std::call_once it may throw under the thread sanitizer, whose wrapper never wakes the waiters then.
class Once {
 public:
  template <typename Function>
  void run(Function&& function) {
    if (done_.load(std::memory_order_acquire)) return;
    const std::lock_guard lock(mutex_);
    if (done_.load(std::memory_order_relaxed)) return;
    std::forward<Function>(function)();
    done_.store(true, std::memory_order_release);
  }

 private:
  std::atomic<bool> done_ = false;
  std::mutex mutex_;
};

}  // namespace alknet
