#pragma once

#include <memory>

#include "alknet/base/executor.h"

namespace alknet {

/// An event loop: sockets, timers and posted callbacks, all on the one thread that runs it (Boost.Asio's io_context).
/// `post`, `post_after`, `cancel`, `now` and `stop` are thread-safe.
class Loop final : public Executor {
 public:
  Loop();

  /// Drops what was posted and not run, with the tasks that wait on it. Must not run inside `run`.
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void post(Callback callback) override;
  TimerId post_after(Clock::duration delay, Callback callback) override;
  bool cancel(TimerId timer) override;
  Clock::time_point now() const override { return Clock::now(); }

  /// Runs callbacks on this thread until `stop`. One thread at a time.
  void run();

  /// Makes `run` return soon; a later `run` goes on.
  void stop();

  /// Boost.Asio's side, for sources that wait on sockets (loop_asio.h).
  struct State;
  State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

/// A Loop on a thread of its own, which ends with it.
class LoopThread {
 public:
  LoopThread();
  ~LoopThread();
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  Loop& loop() { return *loop_; }

 private:
  struct Thread;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace alknet
