#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

#include "alknet/base/callback.h"

namespace alknet {

/// Names a callback given to `Executor::post_after`, so that it can be cancelled.
struct TimerId {
  std::uint64_t value = 0;
  auto operator<=>(const TimerId&) const = default;  // NOLINT(modernize-use-nullptr): a misreading of clang-tidy 14
};

/// Something that runs callbacks: an event loop, a pool of threads, or a test. All functions are thread-safe.
///
/// Callbacks never run inside `post` or `post_after`. They must not throw: an exception that leaves one ends the
/// process, because nobody is there to catch it. An executor outlives every call of its functions: a callback may run,
/// and all that waits for it go on, before the `post` that brought it has returned on its own thread.
class Executor {
 public:
  using Clock = std::chrono::steady_clock;

  virtual ~Executor() = default;

  /// Runs `callback` soon, after those posted before it from the same thread.
  virtual void post(Callback callback) = 0;

  /// Runs `callback` when `delay` has passed; zero and less mean as soon as `post` would.
  virtual TimerId post_after(Clock::duration delay, Callback callback) = 0;

  /// Drops a callback that waits for its time. False when it has run, runs now, or was cancelled before.
  virtual bool cancel(TimerId timer) = 0;

  /// The time that `post_after` counts in.
  virtual Clock::time_point now() const = 0;
};

}  // namespace alknet
