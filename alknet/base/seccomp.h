#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace alknet {

/// Filters of system calls, by the kernel (seccomp, through libseccomp). One holds for the calling thread and those
/// that it starts, until the process ends; it cannot be taken back. Both throw `unsupported`, with a remedy, where the
/// kernel has no such filter: whoever needs it must not go on.

/// A system call that the filter for scripts lets through, and why; `where` says which of them, when not all.
struct AllowedCall {
  std::string_view name;
  std::string_view why;
  std::string_view where = {};
};

/// The whole allow-list of `filter_for_scripts`, as docs/sandbox.md prints it.
std::span<const AllowedCall> allowed_calls();

/// For a process that runs scripts on one thread, with its descriptors open already: memory, its link, its timers. No
/// file, socket, process or thread can be made, no memory becomes executable or is shared. Anything else ends the
/// process by SIGSYS.
void filter_for_scripts();

/// What becomes of a call that the filter for kernels denies.
enum class Denial : std::uint8_t {
  kEnds,     ///< ends the process (SIGSYS): no driver asks for it
  kRefused,  ///< fails with EACCES: drivers ask for it and do without
  kMissing,  ///< fails with ENOSYS, so that the C library takes an older call, which is filtered
};

/// A system call that the filter for kernels denies, and why; `where` says which of them, when not all.
struct DeniedCall {
  std::string_view name;
  Denial denial;
  std::string_view why;
  std::string_view where = {};
};

/// The whole deny-list of `filter_for_kernels`, as docs/sandbox.md prints it.
std::span<const DeniedCall> denied_calls();

/// For a process that needs a GPU's driver, which opens devices, maps their memory, makes code and starts threads:
/// everything but what `denied_calls` lists. To be called before there is a second thread.
void filter_for_kernels();

}  // namespace alknet
