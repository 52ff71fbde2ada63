#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <span>
#include <thread>

namespace alknet::stream {

/// Gives fresh memory its pages on a thread of its own, so that who writes there soon need not wait for zeroed pages:
/// that costs about as much as receiving the bytes. The thread begins with the first request. Only faster: whatever the
/// system refuses is left to the writer.
class Prefault {
 public:
  Prefault() = default;
  /// Waits for the step it is at, some milliseconds; the rest is dropped.
  ~Prefault();
  Prefault(const Prefault&) = delete;
  Prefault& operator=(const Prefault&) = delete;

  /// Takes `memory` next; its bytes may be written meanwhile, and do not change by this. It must stay mapped until this
  /// object is gone. From one thread.
  void request(std::span<std::byte> memory);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::span<std::byte>> queue_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace alknet::stream
