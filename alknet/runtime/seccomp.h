#pragma once

#include <span>
#include <string_view>

namespace alknet::runtime {

/// Filters of system calls, by the kernel (seccomp, through libseccomp). One holds for the calling thread and those
/// that it starts, until the process ends; it cannot be taken back. What it denies ends the process by SIGSYS, except
/// where said. Both throw `sandbox_unavailable`, with a remedy, where the kernel has no such filter: whoever needs it
/// must not go on.

/// A system call that the filter for scripts lets through, and why; `where` says which of them, when not all.
struct AllowedCall {
  std::string_view name;
  std::string_view why;
  std::string_view where = {};
};

/// The whole allow-list of `filter_for_scripts`, as docs/sandbox.md prints it.
std::span<const AllowedCall> allowed_calls();

/// For a process that runs scripts on one thread, with its descriptors open already: memory, its link, its timers. No
/// file, socket, process or thread can be made, no memory becomes executable or is shared.
void filter_for_scripts();

/// For a process that needs a GPU's driver, which opens devices and starts threads: everything but sockets, which are
/// refused with EACCES, and other programs and processes (execve, ptrace), which end it.
void filter_for_kernels();

}  // namespace alknet::runtime
