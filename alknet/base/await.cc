#include "alknet/base/await.h"

namespace alknet::detail {

/// The callback that resumes. Dropped without a call, it destroys the outermost coroutine, which nobody else owns.
class Waiter::Resumption {
 public:
  Resumption(std::shared_ptr<Waiter> waiter, State expected) : waiter_(std::move(waiter)), expected_(expected) {}
  Resumption(Resumption&&) = default;
  Resumption& operator=(Resumption&&) = delete;
  ~Resumption() {
    if (waiter_ && waiter_->move(expected_, State::kSettled)) waiter_->context_.root.destroy();
  }
  void operator()() {
    const auto waiter = std::exchange(waiter_, nullptr);
    if (waiter->move(expected_, State::kSettled)) waiter->handle_.resume();
  }

 private:
  std::shared_ptr<Waiter> waiter_;
  State expected_;
};

Callback Waiter::resume_when_called() { return Resumption(shared_from_this(), State::kWaiting); }

void Waiter::post_resume() {
  if (move(State::kWaiting, State::kPosted)) context_.executor->post(Resumption(shared_from_this(), State::kPosted));
}

void Waiter::resume_on_stop(TimerId timer) {
  timer_ = timer;
  if (context_.stop.stop_possible()) on_stop_.emplace(context_.stop, OnStop{weak_from_this()});
}

void Waiter::OnStop::operator()() const {
  if (const auto strong = waiter.lock()) strong->stop();
}

void Waiter::stop() {
  if (!move(State::kWaiting, State::kPosted)) return;
  if (timer_.value != 0) context_.executor->cancel(timer_);
  context_.executor->post(Resumption(shared_from_this(), State::kPosted));
}

void Waiter::forget() {
  if (state_.exchange(State::kSettled) == State::kWaiting && timer_.value != 0) context_.executor->cancel(timer_);
}

void Sleep::begin(std::coroutine_handle<> handle) {
  // Once the timer is set, another thread may resume and destroy this object: only locals from there on.
  const auto waiter = waiter_.set(std::make_shared<Waiter>(handle, context_));
  const TimerId timer = context_.executor->post_after(delay_, waiter->resume_when_called());
  waiter->resume_on_stop(timer);
}

}  // namespace alknet::detail
