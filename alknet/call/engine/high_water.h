#pragma once

#include <cstddef>

namespace alknet::call {

/// Counts the bytes that wait to be sent, and says when their writer should pause and when it may go on: above a mark,
/// and at half of it.
class HighWater {
 public:
  explicit HighWater(std::size_t mark) : mark_(mark) {}

  /// So many bytes more wait. False when the writer should pause.
  bool add(std::size_t bytes) {
    waiting_ += bytes;
    paused_ = paused_ || waiting_ > mark_;
    return !paused_;
  }

  /// So many left.
  void remove(std::size_t bytes) { waiting_ -= bytes; }

  /// Whether a writer that was told to pause may go on; it is then taken to know.
  bool resumes() {
    if (!paused_ || waiting_ > mark_ / 2) return false;
    paused_ = false;
    return true;
  }

 private:
  std::size_t mark_;
  std::size_t waiting_ = 0;
  bool paused_ = false;
};

}  // namespace alknet::call
