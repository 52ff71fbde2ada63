#pragma once

#include <sys/types.h>

#include <cstddef>
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

/// What of a process is resident now. Linux only, as the rest.
std::uint64_t resident_bytes(pid_t process);

/// The processor time that a process has used, in seconds.
double processor_seconds(pid_t process);

/// Its open files, sockets included.
std::size_t open_files(pid_t process);

}  // namespace alknet::bench
