#include "alknet/runtime/web/timer_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/base/json.h"

namespace alknet::runtime::web {

struct TimerQueue::State : std::enable_shared_from_this<State> {
  using Clock = Executor::Clock;

  struct Timer {
    Value callback;
    Clock::time_point due;
    Clock::duration period;  ///< zero: once
    std::uint64_t order;     ///< among those that are due at one time
    PendingWork work;        ///< empty when the timer keeps nothing alive
  };

  /// When a timer is due, its order, its number.
  using Turn = std::tuple<Clock::time_point, std::uint64_t, std::uint32_t>;

  /// Runs in the isolate's end, when the executor is still there.
  struct Disarm {
    State* state;
    void operator()() const { state->disarm(); }
  };

  explicit State(Realm realm)
      : isolate(realm), executor(realm.isolate().executor()), at_end(realm.isolate().stop_token(), Disarm{this}) {}

  WeakIsolate isolate;
  Executor* executor;
  std::map<std::uint32_t, Timer> timers;
  std::set<Turn> turns;
  std::uint32_t last_id = 0;
  std::uint64_t last_order = 0;
  TimerId armed{};
  std::optional<Clock::time_point> armed_for;
  std::stop_callback<Disarm> at_end;

  void enqueue(std::uint32_t id, Timer& timer, Clock::time_point due) {
    timer.due = due;
    timer.order = ++last_order;
    turns.emplace(timer.due, timer.order, id);
  }

  void forget(std::uint32_t id) {
    const auto found = timers.find(id);
    if (found == timers.end()) return;
    turns.erase({found->second.due, found->second.order, id});
    timers.erase(found);
  }

  void disarm() {
    if (armed_for) executor->cancel(armed);
    armed_for.reset();
  }

  /// Sees to it that the executor wakes us for the first timer.
  void arm() {
    if (turns.empty()) return disarm();
    const Clock::time_point first = std::get<0>(*turns.begin());
    if (armed_for && *armed_for == first) return;
    disarm();
    armed_for = first;
    armed = executor->post_after(std::max(first - executor->now(), Clock::duration::zero()), [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->fire();
    });
  }

  /// Runs what is due now; what its callbacks add waits for the next time, so other work gets its turn.
  void fire() {
    armed_for.reset();
    const Clock::time_point now = executor->now();
    const std::uint64_t last = last_order;
    for (auto next = turns.begin(); next != turns.end() && std::get<0>(*next) <= now; next = turns.begin()) {
      if (std::get<1>(*next) > last) break;
      Isolate* const alive = isolate.get();
      if (alive == nullptr || alive->interrupted()) return;
      const std::uint32_t id = std::get<2>(*next);
      Timer& timer = timers.at(id);
      const Value callback = timer.callback;
      PendingWork work;  // the isolate is not idle before the turn is over
      turns.erase(next);
      if (timer.period > Clock::duration::zero()) {
        enqueue(id, timer, std::max(timer.due + timer.period, now));
      } else {
        work = std::move(timer.work);
        timers.erase(id);
      }
      alive->run_turn([&callback](Realm) { callback.call(); });
    }
    arm();
  }
};

TimerQueue::TimerQueue(Realm realm) : state_(std::make_shared<State>(realm)) {}

TimerQueue::~TimerQueue() {
  if (state_->isolate.get() != nullptr) state_->disarm();
}

std::uint32_t TimerQueue::start(Value callback, std::chrono::milliseconds delay, bool repeat, bool keeps_alive) {
  State& state = *state_;
  const Realm realm = callback.realm();
  if (state.executor == nullptr) {
    throw Error(BaseError::kUnsupported, "[timers] this isolate has no event loop, so nothing can wait here");
  }
  const auto most = realm.isolate().limits().timers;
  if (most && state.timers.size() >= *most) {
    throw Error(RuntimeError::kLimit, fmt::format("[timers] {} timers wait already, which is the limit", *most),
                {{"limit", "timers"}, {"most", *most}});
  }
  const std::uint32_t id = ++state.last_id;
  State::Timer& timer = state.timers[id];
  timer.callback = std::move(callback);
  timer.period = repeat ? State::Clock::duration(delay) : State::Clock::duration::zero();
  if (keeps_alive) timer.work = PendingWork(realm);
  state.enqueue(id, timer, state.executor->now() + delay);
  state.arm();
  return id;
}

void TimerQueue::stop(std::uint32_t id) {
  state_->forget(id);
  if (state_->turns.empty() && state_->executor != nullptr) state_->disarm();
}

void TimerQueue::visit(ValueVisitor& visitor) const {
  for (const auto& [id, timer] : state_->timers) visitor.visit(timer.callback);
}

}  // namespace alknet::runtime::web
