#include <seccomp.h>

#include <cerrno>

#include "alknet/base/seccomp.h"
#include "alknet/base/seccomp_filter.h"

namespace alknet {

namespace {

constexpr std::string_view kPrograms = "other programs";
constexpr std::string_view kProcesses = "other processes";
constexpr std::string_view kShared = "memory and messages of other processes";
constexpr std::string_view kNetwork = "the network";
constexpr std::string_view kFiles = "files made, changed or removed";
constexpr std::string_view kWatched = "files watched";
constexpr std::string_view kMounts = "mounts and namespaces";
constexpr std::string_view kKernel = "the kernel itself";
constexpr std::string_view kKeys = "keys of the user";
constexpr std::string_view kRights = "rights and limits";

using enum Verdict;
constexpr FilteredCall kCalls[] = {
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
    {"clone", kRefused, kProcesses, seccomp::kNoThread},
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
    {"fcntl", kRefused, kProcesses, seccomp::kSignalsOfFiles},
    {"finit_module", kEnds, kKernel},
    {"fork", kRefused, kProcesses},
    {"fremovexattr", kRefused, kFiles},
    {"fsconfig", kEnds, kMounts},
    {"fsetxattr", kRefused, kFiles},
    {"fsmount", kEnds, kMounts},
    {"fsopen", kEnds, kMounts},
    {"fspick", kEnds, kMounts},
    {"futimesat", kRefused, kFiles},
    {"init_module", kEnds, kKernel},
    {"inotify_add_watch", kRefused, kWatched},
    {"inotify_init", kRefused, kWatched},
    {"inotify_init1", kRefused, kWatched},
    {"io_uring_enter", kEnds, "calls that no filter sees"},
    {"io_uring_register", kEnds, "calls that no filter sees"},
    {"io_uring_setup", kEnds, "calls that no filter sees"},
    {"ioctl", kRefused, kProcesses, seccomp::kSignalsOrInput},
    {"ioperm", kEnds, kKernel},
    {"iopl", kEnds, kKernel},
    {"ioprio_set", kRefused, kProcesses},
    {"kcmp", kEnds, kProcesses},
    {"kexec_file_load", kEnds, kKernel},
    {"kexec_load", kEnds, kKernel},
    {"keyctl", kEnds, kKeys},
    {"kill", kEnds, kProcesses, seccomp::kOtherProcess},
    {"lchown", kRefused, kFiles},
    {"link", kRefused, kFiles},
    {"linkat", kRefused, kFiles},
    {"listen", kRefused, kNetwork},
    {"lremovexattr", kRefused, kFiles},
    {"lsetxattr", kRefused, kFiles},
    {"migrate_pages", kEnds, kProcesses},
    {"mkdir", kRefused, kFiles},
    {"mkdirat", kRefused, kFiles},
    {"mknod", kRefused, kFiles},
    {"mknodat", kRefused, kFiles},
    {"mount", kEnds, kMounts},
    {"mount_setattr", kEnds, kMounts},
    {"move_mount", kEnds, kMounts},
    {"move_pages", kEnds, kProcesses},
    {"mq_open", kRefused, kShared},
    {"mq_unlink", kRefused, kShared},
    {"msgctl", kRefused, kShared},
    {"msgget", kRefused, kShared},
    {"msgrcv", kRefused, kShared},
    {"msgsnd", kRefused, kShared},
    {"name_to_handle_at", kEnds, kFiles},
    {"open", kRefused, kFiles, seccomp::kFileMade},
    {"open_by_handle_at", kEnds, kFiles},
    {"open_tree", kEnds, kMounts},
    {"openat", kRefused, kFiles, seccomp::kFileMade},
    {"openat2", kMissing, kFiles},
    {"perf_event_open", kEnds, kKernel},
    {"pidfd_getfd", kEnds, kProcesses},
    {"pidfd_open", kEnds, kProcesses},
    {"pidfd_send_signal", kEnds, kProcesses},
    {"pivot_root", kEnds, kMounts},
    {"prctl", kRefused, kRights, seccomp::kConfinement},
    {"prlimit64", kRefused, kRights, seccomp::kLimitSet},
    {"process_madvise", kEnds, kProcesses},
    {"process_vm_readv", kEnds, kProcesses},
    {"process_vm_writev", kEnds, kProcesses},
    {"ptrace", kEnds, kProcesses},
    {"quotactl", kEnds, kKernel},
    {"quotactl_fd", kEnds, kKernel},
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
    {"semctl", kRefused, kShared},
    {"semget", kRefused, kShared},
    {"semop", kRefused, kShared},
    {"semtimedop", kRefused, kShared},
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
    {"shmat", kRefused, kShared},
    {"shmctl", kRefused, kShared},
    {"shmget", kRefused, kShared},
    {"socket", kRefused, kNetwork},
    {"socketpair", kRefused, kNetwork},
    {"swapoff", kEnds, kKernel},
    {"swapon", kEnds, kKernel},
    {"symlink", kRefused, kFiles},
    {"symlinkat", kRefused, kFiles},
    {"syslog", kRefused, kKernel},
    {"tgkill", kEnds, kProcesses, seccomp::kOtherProcess},
    {"tkill", kEnds, kProcesses},
    {"truncate", kRefused, kFiles},
    {"umount2", kEnds, kMounts},
    {"unlink", kRefused, kFiles},
    {"unlinkat", kRefused, kFiles},
    {"unshare", kEnds, kMounts},
    {"userfaultfd", kEnds, kKernel},
    {"utime", kRefused, kFiles},
    {"utimensat", kRefused, kFiles},
    {"utimes", kRefused, kFiles},
    {"vfork", kRefused, kProcesses},
};

/// Numbers of calls that this list does not know: from the first that not every libseccomp has a name for (fchmodat2),
/// to where none will come soon.
constexpr int kFirstUnknown = 452;
constexpr int kLastUnknown = 511;

}  // namespace

std::span<const FilteredCall> denied_calls() { return kCalls; }

void filter_for_kernels() {
  const seccomp::Filter filter = seccomp::make_filter(SCMP_ACT_ALLOW);
  seccomp::add(filter, kCalls);
  for (int number = kFirstUnknown; number <= kLastUnknown; ++number) seccomp::add(filter, kMissing, number);
  seccomp::load(filter);
}

}  // namespace alknet
