#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace alknet {

/// Takes from a helper process, at its start, what it does not need: descriptors beyond its link, core dumps, files to
/// write, other programs' looks at it (not dumpable), capabilities, new privileges; and bounds its memory. The filter
/// of system calls comes after it (seccomp.h). The process ends with the thread that started it.

/// The statuses by which helpers say why they cannot go on.
inline constexpr int kStatusUnsupported = 71;  ///< this machine lacks what confines it
inline constexpr int kStatusOutOfMemory = 72;
inline constexpr int kStatusFailed = 73;

/// The descriptor at which a helper finds its link to the host; 0, 1 and 2 are /dev/null.
inline constexpr int kLinkDescriptor = 3;

/// Closes every descriptor above the link.
void close_other_descriptors();

/// Gives up every capability for good, as whoever runs as root has them: the effective, permitted, inheritable and
/// ambient ones, and, as far as this process may, the bounding set and what root gets by executing a program. Throws
/// `unsupported` when some are left.
void drop_capabilities();

/// Everything of the above but memory. `descriptors`: how many may be open at a time. `file_bytes`: how long a file may
/// become; memory that has a descriptor counts as one.
void confine_process(std::uint64_t descriptors, std::uint64_t file_bytes = 0);

/// Files that a process may open, by path; a folder stands for all that is below it. What is not there when they are
/// taken stays closed.
struct FileAccess {
  std::vector<std::string> read = {};
  std::vector<std::string> read_and_write = {};
  std::vector<std::string> list = {};  ///< folders whose names may be read, and nothing else
};

/// From here on this thread, and those that it starts, open what `access` names and nothing else; no file is made or
/// removed and no program started, also where a descriptor for that could be had (Landlock). Whether a file is there,
/// how long it is and when it was written can still be asked. Whether the kernel can do it; when not, nothing changes.
/// Throws `io_error`.
bool confine_files(const FileAccess& access);

/// Lets the process have no more than `bytes` of private memory beyond what it has now (RLIMIT_DATA). Counted from
/// there it holds under the address sanitizer too, whose shadow is there already. Throws `io_error`, and
/// `unsupported` where the kernel does not say what a process has.
void limit_memory_growth(std::uint64_t bytes);

}  // namespace alknet
