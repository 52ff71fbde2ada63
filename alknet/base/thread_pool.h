#pragma once

#include <cstddef>
#include <memory>

#include "alknet/base/function_ref.h"

namespace alknet {

/// A fixed set of worker threads for data-parallel loops of tens of microseconds and more.
///
/// All functions are thread-safe: loops of several callers share the workers. Idle workers spin for some microseconds
/// and then sleep. The destructor joins them; no loop may be running then.
class ThreadPool {
 public:
  /// `threads` counts the caller of a loop too, so 1 starts no worker; 0 takes the machine's hardware concurrency.
  explicit ThreadPool(std::size_t threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// The number of threads that may run one loop: workers and the caller.
  std::size_t threads() const;

  /// Splits [0, count) into chunks of at least `grain` (the last may be smaller) and runs `body(begin, end)` for each
  /// on the workers and on the calling thread; returns when all are done. Chunks are handed out first come, first
  /// served, so no order or thread may be assumed.
  ///
  /// `count <= grain` runs inline without waking anybody, and so does a call from inside a body. The first exception
  /// that a body throws is rethrown here, after the chunks that had started; the others are skipped. Allocates nothing.
  void parallel_for(std::size_t count, std::size_t grain, FunctionRef<void(std::size_t begin, std::size_t end)> body);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace alknet
