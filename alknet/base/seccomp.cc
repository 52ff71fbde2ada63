#include "alknet/base/seccomp.h"

#include <seccomp.h>

#include "alknet/base/seccomp_filter.h"

namespace alknet {

namespace {

using enum Verdict;
constexpr FilteredCall kCalls[] = {
    {"brk", kAllowed, "memory"},
    {"clock_gettime", kAllowed, "time, where the machine has no faster way"},
    {"clock_nanosleep", kAllowed, "Atomics.wait with a timeout"},
    {"close", kAllowed, "the end of the link"},
    {"epoll_ctl", kAllowed, "the event loop"},
    {"epoll_pwait", kAllowed, "the event loop"},
    {"epoll_wait", kAllowed, "the event loop"},
    {"exit", kAllowed, "the end"},
    {"exit_group", kAllowed, "the end"},
    {"futex", kAllowed, "locks"},
    {"getpid", kAllowed, "abort"},
    {"getrandom", kAllowed, "crypto.getRandomValues"},
    {"gettid", kAllowed, "abort"},
    {"gettimeofday", kAllowed, "time, where the machine has no faster way"},
    {"madvise", kAllowed, "memory goes back"},
    {"mmap", kAllowed, "memory", seccomp::kPrivate},
    {"mprotect", kAllowed, "memory", seccomp::kNotExecutable},
    {"mremap", kAllowed, "memory"},
    {"munmap", kAllowed, "memory"},
    {"read", kAllowed, "the link, timers"},
    {"recvmsg", kAllowed, "the link"},
    {"restart_syscall", kAllowed, "a wait goes on after a signal"},
    {"rt_sigaction", kAllowed, "abort"},
    {"rt_sigprocmask", kAllowed, "abort"},
    {"rt_sigreturn", kAllowed, "abort"},
    {"sched_yield", kAllowed, "locks"},
    {"sendmsg", kAllowed, "the link"},
    {"sigaltstack", kAllowed, "sanitizers"},
    {"tgkill", kAllowed, "abort", seccomp::kThisProcess},
    {"timerfd_settime", kAllowed, "timers"},
    {"write", kAllowed, "the link"},
};

}  // namespace

std::span<const FilteredCall> allowed_calls() { return kCalls; }

void filter_for_scripts() {
  const seccomp::Filter filter = seccomp::make_filter(SCMP_ACT_KILL_PROCESS);
  seccomp::add(filter, kCalls);
  seccomp::load(filter);
}

}  // namespace alknet
