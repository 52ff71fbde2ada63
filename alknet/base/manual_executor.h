#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "alknet/base/executor.h"

namespace alknet {

/// An executor for tests and for plain synchronous programs: callbacks run on the thread that calls `run_ready` or
/// `advance`, and time passes only in `advance`. Posting is thread-safe; running is for one thread at a time.
class ManualExecutor final : public Executor {
 public:
  void post(Callback callback) override;
  TimerId post_after(Clock::duration delay, Callback callback) override;
  bool cancel(TimerId timer) override;
  Clock::time_point now() const override;

  /// Runs callbacks, also those that they post, until none is ready. Returns how many ran.
  std::size_t run_ready();

  /// Lets `duration` pass: runs what is ready, then each timer that is due in the order of their times, with `now()`
  /// at that time. Returns how many callbacks ran.
  std::size_t advance(Clock::duration duration);

  /// The number of callbacks that wait for their time.
  std::size_t timers() const;

 private:
  bool run_one();
  bool make_due(Clock::time_point until);

  mutable std::mutex mutex_;
  std::deque<Callback> ready_;
  std::map<std::pair<Clock::time_point, TimerId>, Callback> timers_;
  Clock::time_point now_{};
  std::uint64_t last_timer_ = 0;
};

}  // namespace alknet
