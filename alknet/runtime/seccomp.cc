#include "alknet/runtime/seccomp.h"

#include <fmt/format.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "alknet/runtime/error.h"

namespace alknet::runtime {

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

constexpr std::string_view kRemedy =
    "the kernel must have CONFIG_SECCOMP_FILTER and the container must let a program use it (Docker's default profile "
    "does); programs of your own run without a sandbox by `alknet run`";

struct Release {
  void operator()(void* context) const { seccomp_release(context); }
};
using Filter = std::unique_ptr<void, Release>;

Error unsupported(std::string_view what, int error) {
  return {RuntimeError::kSandboxUnavailable, fmt::format("[sandbox] no filter of system calls: {}: {}: {}", what,
                                                         std::generic_category().message(error), kRemedy)};
}

/// Throws unless `result`, of a function of libseccomp, is 0.
void check(std::string_view what, int result) {
  if (result != 0) throw unsupported(what, -result);
}

Filter make_filter(std::uint32_t otherwise) {
  Filter filter(seccomp_init(otherwise));
  if (!filter) throw unsupported("seccomp_init", ENOMEM);
  // A tree in place of a list: fewer steps at each call.
  check("optimising", seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
  return filter;
}

void load(const Filter& filter) {
  // Without it only root may set a filter; with it no program that is started gains rights.
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) throw unsupported("no_new_privs", errno);
  check("loading", seccomp_load(filter.get()));
}

void add(const Filter& filter, std::uint32_t action, std::string_view name, std::span<const scmp_arg_cmp> where = {}) {
  const int number = seccomp_syscall_resolve_name(std::string(name).c_str());
  if (number == __NR_SCMP_ERROR) throw unsupported(fmt::format("the call {} is unknown", name), EINVAL);
  check(name, seccomp_rule_add_array(filter.get(), action, number, static_cast<unsigned>(where.size()), where.data()));
}

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
  const Filter filter = make_filter(SCMP_ACT_KILL_PROCESS);
  for (const AllowedCall& call : kAllowed) add(filter, SCMP_ACT_ALLOW, call.name, conditions(call));
  load(filter);
}

void filter_for_kernels() {
  const Filter filter = make_filter(SCMP_ACT_ALLOW);
  for (const std::string_view name : {"socket", "socketpair", "connect", "bind", "listen", "accept", "accept4"}) {
    add(filter, SCMP_ACT_ERRNO(EACCES), name);
  }
  for (const std::string_view name : {"execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev"}) {
    add(filter, SCMP_ACT_KILL_PROCESS, name);
  }
  load(filter);
}

}  // namespace alknet::runtime
