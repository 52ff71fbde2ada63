#pragma once

#include <cstdint>

namespace alknet::runtime {

/// Takes from a helper process, at its start, what it does not need: descriptors beyond its link, core dumps, files to
/// write, other programs' looks at it (not dumpable), new privileges; and bounds its memory. The filter of system calls
/// comes after it (seccomp.h). The process ends with the thread that started it.

/// The descriptor at which a helper finds its link to the host; 0, 1 and 2 are /dev/null.
inline constexpr int kLinkDescriptor = 3;

/// Closes every descriptor above the link.
void close_other_descriptors();

/// Everything of the above but memory. `descriptors`: how many may be open at a time.
void confine_process(std::uint64_t descriptors);

/// Lets the process have no more than `bytes` of private memory beyond what it has now (RLIMIT_DATA). Counted from
/// there it holds under the address sanitizer too, whose shadow is there already. Throws `io_error`, and
/// `sandbox_unavailable` where the kernel does not say what a process has.
void limit_memory_growth(std::uint64_t bytes);

}  // namespace alknet::runtime
