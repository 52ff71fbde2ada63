#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace alknet::platform::webgpu {

/// A thread that waits for the GPU, so that no event loop has to: started with the first wait, asleep between them.
/// What a queue of a device does ends in order, so the waits are done in order too. The destructor waits for what is
/// left.
class Waiter {
 public:
  Waiter() = default;
  ~Waiter();
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// Runs `wait`, which may block, on the thread. It must not throw.
  void post(std::function<void()> wait);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waits_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace alknet::platform::webgpu
