#include "alknet/base/loop.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <thread>
#include <utility>

#include "alknet/base/loop_asio.h"

namespace alknet {

Loop::Loop() : state_(std::make_unique<State>()) {}

Loop::~Loop() {
  // Callbacks may own what posts again while it is destroyed, so they go while the loop is still whole.
  std::unordered_map<std::uint64_t, std::unique_ptr<State::Timer>> timers;
  {
    const std::lock_guard lock(state_->mutex);
    timers.swap(state_->timers);
  }
  timers.clear();
}

void Loop::post(Callback callback) {
  boost::asio::post(state_->io, [callback = std::move(callback)]() mutable { callback(); });
}

TimerId Loop::post_after(Clock::duration delay, Callback callback) {
  if (delay <= Clock::duration::zero()) {
    post(std::move(callback));
    return {};
  }
  const std::lock_guard lock(state_->mutex);
  const std::uint64_t id = ++state_->last_timer;
  auto timer =
      std::make_unique<State::Timer>(State::Timer{boost::asio::steady_timer(state_->io, delay), std::move(callback)});
  timer->timer.async_wait([this, id](const boost::system::error_code& error) {
    if (error) return;
    std::unique_ptr<State::Timer> due;
    {
      const std::lock_guard inner(state_->mutex);
      const auto found = state_->timers.find(id);
      if (found == state_->timers.end()) return;
      due = std::move(found->second);
      state_->timers.erase(found);
    }
    due->callback();
  });
  state_->timers.emplace(id, std::move(timer));
  return {id};
}

bool Loop::cancel(TimerId timer) {
  std::unique_ptr<State::Timer> cancelled;
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->timers.find(timer.value);
  if (found == state_->timers.end()) return false;
  cancelled = std::move(found->second);
  state_->timers.erase(found);
  return true;
}

void Loop::run() {
  const auto work = boost::asio::make_work_guard(state_->io);
  state_->io.restart();
  state_->io.run();
}

void Loop::stop() { state_->io.stop(); }

struct LoopThread::Thread {
  std::thread thread;
};

LoopThread::LoopThread()
    : loop_(std::make_unique<Loop>()),
      thread_(std::make_unique<Thread>(Thread{std::thread([this] { loop_->run(); })})) {}

LoopThread::~LoopThread() {
  loop_->post([this] { loop_->stop(); });
  thread_->thread.join();
}

}  // namespace alknet
