#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "alknet/base/seccomp.h"
#include "alknet/base/seccomp_filter.h"

namespace alknet {

namespace {

constexpr std::string_view kOther = "of another process";
constexpr std::string_view kNoThread = "that starts no thread";
constexpr std::string_view kFileMade = "that makes or empties a file";
constexpr std::string_view kLimitSet = "that sets a limit";
constexpr std::string_view kConfinement = "of the parent's death, of dumps, of tracers, of the memory map";

constexpr std::string_view kPrograms = "other programs";
constexpr std::string_view kProcesses = "other processes";
constexpr std::string_view kNetwork = "the network";
constexpr std::string_view kFiles = "files made, changed or removed";
constexpr std::string_view kMounts = "mounts and namespaces";
constexpr std::string_view kKernel = "the kernel itself";
constexpr std::string_view kKeys = "keys of the user";
constexpr std::string_view kRights = "rights and limits";

using enum Denial;
constexpr DeniedCall kDenied[] = {
    {"accept", kRefused, kNetwork},
    {"accept4", kRefused, kNetwork},
    {"acct", kEnds, kKernel},
    {"add_key", kEnds, kKeys},
    {"bind", kRefused, kNetwork},
    {"bpf", kEnds, kKernel},
    {"capset", kRefused, kRights},
    {"chmod", kRefused, kFiles},
    {"chown", kRefused, kFiles},
    {"chroot", kEnds, kMounts},
    {"clone", kRefused, kProcesses, kNoThread},
    {"clone3", kMissing, kProcesses},
    {"connect", kRefused, kNetwork},
    {"creat", kRefused, kFiles},
    {"delete_module", kEnds, kKernel},
    {"execve", kEnds, kPrograms},
    {"execveat", kEnds, kPrograms},
    {"fanotify_init", kEnds, kFiles},
    {"fchmod", kRefused, kFiles},
    {"fchmodat", kRefused, kFiles},
    {"fchown", kRefused, kFiles},
    {"fchownat", kRefused, kFiles},
    {"finit_module", kEnds, kKernel},
    {"fork", kRefused, kProcesses},
    {"fsconfig", kEnds, kMounts},
    {"fsmount", kEnds, kMounts},
    {"fsopen", kEnds, kMounts},
    {"fspick", kEnds, kMounts},
    {"init_module", kEnds, kKernel},
    {"io_uring_enter", kEnds, "calls that no filter sees"},
    {"io_uring_register", kEnds, "calls that no filter sees"},
    {"io_uring_setup", kEnds, "calls that no filter sees"},
    {"ioperm", kEnds, kKernel},
    {"iopl", kEnds, kKernel},
    {"kcmp", kEnds, kProcesses},
    {"kexec_file_load", kEnds, kKernel},
    {"kexec_load", kEnds, kKernel},
    {"keyctl", kEnds, kKeys},
    {"kill", kEnds, kProcesses, kOther},
    {"lchown", kRefused, kFiles},
    {"link", kRefused, kFiles},
    {"linkat", kRefused, kFiles},
    {"listen", kRefused, kNetwork},
    {"lsetxattr", kRefused, kFiles},
    {"migrate_pages", kEnds, kProcesses},
    {"mkdir", kRefused, kFiles},
    {"mkdirat", kRefused, kFiles},
    {"mknod", kRefused, kFiles},
    {"mknodat", kRefused, kFiles},
    {"mount", kEnds, kMounts},
    {"move_mount", kEnds, kMounts},
    {"move_pages", kEnds, kProcesses},
    {"name_to_handle_at", kEnds, kFiles},
    {"open", kRefused, kFiles, kFileMade},
    {"open_by_handle_at", kEnds, kFiles},
    {"open_tree", kEnds, kMounts},
    {"openat", kRefused, kFiles, kFileMade},
    {"openat2", kMissing, kFiles},
    {"perf_event_open", kEnds, kKernel},
    {"pidfd_getfd", kEnds, kProcesses},
    {"pidfd_open", kEnds, kProcesses},
    {"pidfd_send_signal", kEnds, kProcesses},
    {"pivot_root", kEnds, kMounts},
    {"prctl", kRefused, kRights, kConfinement},
    {"prlimit64", kRefused, kRights, kLimitSet},
    {"process_madvise", kEnds, kProcesses},
    {"process_vm_readv", kEnds, kProcesses},
    {"process_vm_writev", kEnds, kProcesses},
    {"ptrace", kEnds, kProcesses},
    {"quotactl", kEnds, kKernel},
    {"reboot", kEnds, kKernel},
    {"removexattr", kRefused, kFiles},
    {"rename", kRefused, kFiles},
    {"renameat", kRefused, kFiles},
    {"renameat2", kRefused, kFiles},
    {"request_key", kEnds, kKeys},
    {"rmdir", kRefused, kFiles},
    {"rt_sigqueueinfo", kEnds, kProcesses},
    {"rt_tgsigqueueinfo", kEnds, kProcesses},
    {"sched_setaffinity", kRefused, kProcesses},
    {"sched_setattr", kRefused, kProcesses},
    {"sched_setparam", kRefused, kProcesses},
    {"sched_setscheduler", kRefused, kProcesses},
    {"sendto", kRefused, kNetwork},
    {"setgid", kRefused, kRights},
    {"setgroups", kRefused, kRights},
    {"setns", kEnds, kMounts},
    {"setpriority", kRefused, kProcesses},
    {"setregid", kRefused, kRights},
    {"setresgid", kRefused, kRights},
    {"setresuid", kRefused, kRights},
    {"setreuid", kRefused, kRights},
    {"setrlimit", kRefused, kRights},
    {"setuid", kRefused, kRights},
    {"setxattr", kRefused, kFiles},
    {"socket", kRefused, kNetwork},
    {"socketpair", kRefused, kNetwork},
    {"swapoff", kEnds, kKernel},
    {"swapon", kEnds, kKernel},
    {"symlink", kRefused, kFiles},
    {"symlinkat", kRefused, kFiles},
    {"tgkill", kEnds, kProcesses, kOther},
    {"tkill", kEnds, kProcesses},
    {"truncate", kRefused, kFiles},
    {"umount2", kEnds, kMounts},
    {"unlink", kRefused, kFiles},
    {"unlinkat", kRefused, kFiles},
    {"unshare", kEnds, kMounts},
    {"userfaultfd", kEnds, kKernel},
    {"vfork", kRefused, kProcesses},
};

std::uint32_t action_of(Denial denial) {
  switch (denial) {
    case kRefused: return SCMP_ACT_ERRNO(EACCES);
    case kMissing: return SCMP_ACT_ERRNO(ENOSYS);
    case kEnds: break;
  }
  return SCMP_ACT_KILL_PROCESS;
}

/// Any of these conditions denies the call.
std::vector<scmp_arg_cmp> conditions(const DeniedCall& call) {
  if (call.where == kOther) return {SCMP_A0(SCMP_CMP_NE, static_cast<scmp_datum_t>(::getpid()))};
  if (call.where == kNoThread) return {SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)};
  if (call.where == kLimitSet) return {SCMP_A2(SCMP_CMP_NE, 0)};
  if (call.where == kConfinement) {
    return {SCMP_A0(SCMP_CMP_EQ, PR_SET_PDEATHSIG), SCMP_A0(SCMP_CMP_EQ, PR_SET_DUMPABLE),
            SCMP_A0(SCMP_CMP_EQ, PR_SET_PTRACER), SCMP_A0(SCMP_CMP_EQ, PR_SET_MM)};
  }
  std::vector<scmp_arg_cmp> any;
  for (const int bits : {O_CREAT, O_TRUNC, O_TMPFILE & ~O_DIRECTORY}) {
    const auto flag = static_cast<scmp_datum_t>(bits);
    any.push_back(call.name == "open" ? SCMP_A1(SCMP_CMP_MASKED_EQ, flag, flag)
                                      : SCMP_A2(SCMP_CMP_MASKED_EQ, flag, flag));
  }
  return any;
}

}  // namespace

std::span<const DeniedCall> denied_calls() { return kDenied; }

void filter_for_kernels() {
  const seccomp::Filter filter = seccomp::make_filter(SCMP_ACT_ALLOW);
  for (const DeniedCall& call : kDenied) {
    const std::uint32_t action = action_of(call.denial);
    if (call.where.empty()) {
      seccomp::add(filter, action, call.name);
      continue;
    }
    for (const scmp_arg_cmp& condition : conditions(call)) seccomp::add(filter, action, call.name, {&condition, 1});
  }
  seccomp::load(filter);
}

}  // namespace alknet
