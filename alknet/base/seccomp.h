#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace alknet {

/// Filters of system calls, by the kernel (seccomp, through libseccomp). One holds for the calling thread and those
/// that it starts, until the process ends; it cannot be taken back. Both throw `unsupported`, with a remedy, where the
/// kernel has no such filter: whoever needs it must not go on.

/// What becomes of a system call.
enum class Verdict : std::uint8_t {
  kAllowed,
  kEnds,     ///< ends the process (SIGSYS): nothing that is honest asks for it
  kRefused,  ///< fails with EACCES: drivers ask for it and do without
  kMissing,  ///< fails with ENOSYS, so that the C library takes an older call, which is filtered
};

/// A system call that a filter has a rule for, and why; `where` says which of them, when not all.
struct FilteredCall {
  std::string_view name;
  Verdict verdict;
  std::string_view why;
  std::string_view where = {};
};

/// The whole allow-list of `filter_for_scripts`, as docs/sandbox.md prints it.
std::span<const FilteredCall> allowed_calls();

/// For a process that runs scripts on one thread, with its descriptors open already: memory, its link, its timers. No
/// file, socket, process or thread can be made, no memory becomes executable or is shared. Anything else ends the
/// process by SIGSYS.
void filter_for_scripts();

/// The whole deny-list of `filter_for_kernels`, as docs/sandbox.md prints it. Calls of newer systems than this list was
/// written for are missing.
std::span<const FilteredCall> denied_calls();

/// For a process that needs a GPU's driver, which opens devices, maps their memory, makes code and starts threads:
/// everything but what `denied_calls` lists. To be called before there is a second thread.
void filter_for_kernels();

}  // namespace alknet
