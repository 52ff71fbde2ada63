#include "alknet/base/seccomp.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vector>

#include "alknet/base/seccomp_filter.h"

namespace alknet {

namespace {

constexpr std::string_view kPrivate = "private and not executable";
constexpr std::string_view kItself = "this process";

constexpr AllowedCall kAllowed[] = {
    {"brk", "memory"},
    {"clock_gettime", "time, where the machine has no faster way"},
    {"clock_nanosleep", "Atomics.wait with a timeout"},
    {"close", "the end of the link"},
    {"epoll_ctl", "the event loop"},
    {"epoll_pwait", "the event loop"},
    {"epoll_wait", "the event loop"},
    {"exit", "the end"},
    {"exit_group", "the end"},
    {"futex", "locks"},
    {"getpid", "abort"},
    {"getrandom", "crypto.getRandomValues"},
    {"gettid", "abort"},
    {"gettimeofday", "time, where the machine has no faster way"},
    {"madvise", "memory goes back"},
    {"mmap", "memory", kPrivate},
    {"mprotect", "memory", "not executable"},
    {"mremap", "memory"},
    {"munmap", "memory"},
    {"read", "the link, timers"},
    {"recvmsg", "the link"},
    {"restart_syscall", "a wait goes on after a signal"},
    {"rt_sigaction", "abort"},
    {"rt_sigprocmask", "abort"},
    {"rt_sigreturn", "abort"},
    {"sched_yield", "locks"},
    {"sendmsg", "the link"},
    {"sigaltstack", "sanitizers"},
    {"tgkill", "abort", kItself},
    {"timerfd_settime", "timers"},
    {"write", "the link"},
};

/// The conditions on the arguments that an AllowedCall's `where` stands for.
std::vector<scmp_arg_cmp> conditions(const AllowedCall& call) {
  if (call.where.empty()) return {};
  if (call.where == kItself) return {SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid()))};
  std::vector<scmp_arg_cmp> all{SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)};
  if (call.where == kPrivate) all.push_back(SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED, 0));
  return all;
}

}  // namespace

std::span<const AllowedCall> allowed_calls() { return kAllowed; }

void filter_for_scripts() {
  const seccomp::Filter filter = seccomp::make_filter(SCMP_ACT_KILL_PROCESS);
  for (const AllowedCall& call : kAllowed) seccomp::add(filter, SCMP_ACT_ALLOW, call.name, conditions(call));
  seccomp::load(filter);
}

}  // namespace alknet
