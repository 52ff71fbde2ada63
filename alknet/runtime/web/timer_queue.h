#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "alknet/base/executor.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/native.h"

namespace alknet::runtime::web {

/// The timers of one isolate, on one timer of its executor. On the isolate's thread.
class TimerQueue {
 public:
  explicit TimerQueue(Realm realm);
  ~TimerQueue();

  /// Calls `callback` as a turn of the isolate after `delay`, and again each time it has passed if `repeat`. While it
  /// waits the isolate is not idle if `keeps_alive`. Gives its number, 1 or more. Throws `unsupported` without an
  /// executor and `limit` when too many wait.
  std::uint32_t start(Value callback, std::chrono::milliseconds delay, bool repeat, bool keeps_alive);

  /// Forgets a timer; nothing happens when there is none of that number.
  void stop(std::uint32_t id);

  void visit(ValueVisitor& visitor) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace alknet::runtime::web
