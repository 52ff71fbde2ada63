#pragma once

#include <cstddef>
#include <memory>

#include "alknet/base/executor.h"

namespace alknet {

/// An executor on threads of its own: callbacks run in parallel, started in the order they were posted.
/// For work that may block; loops over data belong on a ThreadPool.
class PoolExecutor final : public Executor {
 public:
  /// Starts `threads` threads; 0 takes the machine's hardware concurrency. With 1, callbacks never overlap.
  explicit PoolExecutor(std::size_t threads = 1);

  /// Runs what is posted and what that posts, drops the timers, then joins. Must not run on one of its own threads.
  ~PoolExecutor() override;
  PoolExecutor(const PoolExecutor&) = delete;
  PoolExecutor& operator=(const PoolExecutor&) = delete;

  void post(Callback callback) override;
  TimerId post_after(Clock::duration delay, Callback callback) override;
  bool cancel(TimerId timer) override;
  Clock::time_point now() const override { return Clock::now(); }

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace alknet
