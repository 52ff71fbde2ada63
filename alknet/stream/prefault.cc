#include "alknet/stream/prefault.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace alknet::stream {

Prefault::~Prefault() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    queue_.clear();
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Prefault::request(std::span<std::byte> memory) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.push_back(memory);
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_one();
}

void Prefault::run() {
  constexpr std::size_t kStep = std::size_t{2} << 20;  // a huge page
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    auto& next = queue_.front();
    const auto address = reinterpret_cast<std::uintptr_t>(next.data());
    const std::size_t step = std::min(next.size(), kStep - address % kStep);
    next = next.subspan(step);
    if (next.empty()) queue_.pop_front();
    lock.unlock();
    // Whole pages only; those at the edges are written by others too, which does no harm.
    const std::uintptr_t begin = address - address % page;
    const bool refused = ::madvise(reinterpret_cast<void*>(begin), address + step - begin, MADV_POPULATE_WRITE) != 0;
    lock.lock();
    if (refused) {  // an older kernel, or no memory
      stopping_ = true;
      queue_.clear();
    }
  }
}

}  // namespace alknet::stream
