#include "alknet/platform/webgpu/waiter.h"

#include <utility>

namespace alknet::platform::webgpu {

Waiter::~Waiter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Waiter::post(std::function<void()> wait) {
  const std::lock_guard lock(mutex_);
  waits_.push_back(std::move(wait));
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  wake_.notify_one();
}

void Waiter::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return ending_ || !waits_.empty(); });
    if (waits_.empty()) return;
    std::function<void()> wait = std::move(waits_.front());
    waits_.pop_front();
    lock.unlock();
    wait();
    wait = nullptr;
    lock.lock();
  }
}

}  // namespace alknet::platform::webgpu
