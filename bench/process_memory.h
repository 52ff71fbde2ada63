#pragma once

#include <cstdint>

namespace alknet::bench {

/// The resident memory of this process, measured from a moment on. Linux only.
class PeakMemory {
 public:
  /// Starts the measurement: what is resident now does not count.
  PeakMemory();

  /// The most bytes that were resident at once since then, less those at the start.
  std::uint64_t bytes() const;

 private:
  std::uint64_t start_ = 0;
};

}  // namespace alknet::bench
