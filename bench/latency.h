#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace alknet::bench {

/// The times of single operations, of which a percentile is wanted.
class Latencies {
 public:
  explicit Latencies(double percentile) : percentile_(percentile) {}

  void add(std::chrono::steady_clock::duration time) {
    seconds_.push_back(std::chrono::duration<double>(time).count());
  }

  /// The percentile in seconds of what was added since the last call.
  double take() {
    const auto rank = static_cast<std::size_t>(percentile_ / 100 * static_cast<double>(seconds_.size() - 1) + 0.5);
    std::nth_element(seconds_.begin(), seconds_.begin() + static_cast<std::ptrdiff_t>(rank), seconds_.end());
    const double value = seconds_[rank];
    seconds_.clear();
    return value;
  }

 private:
  double percentile_;
  std::vector<double> seconds_;
};

}  // namespace alknet::bench
