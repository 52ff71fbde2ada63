#pragma once

#include <cstdint>

namespace alknet {

/// Gives memory that was freed back to the system. After a burst the C library keeps what it had at most, because what
/// still lives lies between. For programs that run for long: ask now and then. One thread at a time.
class HeapTrimmer {
 public:
  /// Frees only what is worth the time: a few milliseconds for each 100 MiB, and as much again when it is used anew.
  static constexpr std::uint64_t kLeastSlack = std::uint64_t{32} << 20;

  /// Gives back what the allocator keeps when that is more than kLeastSlack and a quarter of what is in use. Whether it
  /// did. Does nothing where the C library is not glibc, and under a sanitizer.
  bool trim();

 private:
  std::uint64_t kept_ = 0;  // what could not be given back the last time, or is not the allocator's
};

}  // namespace alknet
