#include "alknet/base/seccomp.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "alknet/base/child_test_support.h"
#include "alknet/base/testing.h"

namespace alknet {
namespace {

struct Attempt {
  const char* name;
  void (*make)();
};

void* map(int protection, int flags) { return ::mmap(nullptr, 4096, protection, flags | MAP_ANONYMOUS, -1, 0); }

constexpr std::uint64_t kNoLimit = 0;  // where a call takes a limit
constexpr std::uint64_t kWide = std::uint64_t{1} << 32;

// By syscall(), as shell code would: libc's functions may use others first.
const Attempt kForbidden[] = {
    {"open", [] { ::syscall(SYS_open, "/etc/passwd", O_RDONLY); }},
    {"openat", [] { ::syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY); }},
    {"socket", [] { ::syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }},
    {"connect", [] { ::syscall(SYS_connect, 0, nullptr, 0); }},
    {"clone", [] { ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0); }},
    {"fork", [] { ::syscall(SYS_fork); }},
    {"execve", [] { ::syscall(SYS_execve, "/bin/true", nullptr, nullptr); }},
    {"ptrace", [] { ::syscall(SYS_ptrace, PTRACE_TRACEME, 0, nullptr, nullptr); }},
    {"prctl", [] { ::syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); }},
    {"executable mmap", [] { map(PROT_READ | PROT_EXEC, MAP_PRIVATE); }},
    {"shared mmap", [] { map(PROT_READ | PROT_WRITE, MAP_SHARED); }},
    {"executable mprotect",
     [] {
       void* page = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
       ::mprotect(page, 4096, PROT_READ | PROT_EXEC);
     }},
    {"kill of another", [] { ::syscall(SYS_kill, ::getppid(), 0); }},
    {"tgkill of another", [] { ::syscall(SYS_tgkill, ::getppid(), ::getppid(), 0); }},
    {"io_uring", [] { ::syscall(SYS_io_uring_setup, 1, nullptr); }},
    {"ioctl", [] { ::syscall(SYS_ioctl, 0, 0, nullptr); }},
};

TEST(SeccompFilter, EndsAScriptsProcessThatAsksForMore) {
  for (const Attempt& attempt : kForbidden) {
    const ChildEnd end = end_of_child([&] {
      filter_for_scripts();
      attempt.make();
    });
    EXPECT_EQ(end.signal, SIGSYS) << attempt.name << " left with " << end.status;
  }
}

TEST(SeccompFilter, LeavesAScriptsProcessWhatItNeeds) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const ChildEnd end = end_of_child([&] {
    filter_for_scripts();
    std::vector<std::string> memory(1000, std::string(10'000, 'x'));
    if (::write(pipe[1], memory.back().data(), 3) != 3) ::_exit(1);
  });
  EXPECT_EQ(end, (ChildEnd{0, 0}));
  ::close(pipe[0]);
  ::close(pipe[1]);
}

/// Status of a child that makes the attempt under the filter for kernels: the error number, 0 when it was let.
ChildEnd under_kernel_filter(long (*attempt)()) {
  return end_of_child([&] {
    filter_for_kernels();
    ::_exit(attempt() >= 0 ? 0 : errno);
  });
}

struct NumberedAttempt {
  const char* name;
  long (*make)();
};

TEST(SeccompFilter, EndsAProcessWithKernelsThatReachesForOthers) {
  const NumberedAttempt attempts[] = {
      {"execve", [] { return ::syscall(SYS_execve, "/bin/true", nullptr, nullptr); }},
      {"execveat", [] { return ::syscall(SYS_execveat, 0, "", nullptr, nullptr, 0); }},
      {"ptrace", [] { return ::syscall(SYS_ptrace, PTRACE_TRACEME, 0, nullptr, nullptr); }},
      {"process_vm_readv", [] { return ::syscall(SYS_process_vm_readv, ::getppid(), nullptr, 0, nullptr, 0, 0); }},
      {"process_vm_writev", [] { return ::syscall(SYS_process_vm_writev, ::getppid(), nullptr, 0, nullptr, 0, 0); }},
      {"pidfd_open", [] { return ::syscall(SYS_pidfd_open, ::getppid(), 0); }},
      {"pidfd_getfd", [] { return ::syscall(SYS_pidfd_getfd, 3, 0, 0); }},
      {"io_uring_setup", [] { return ::syscall(SYS_io_uring_setup, 1, nullptr); }},
      {"io_uring_enter", [] { return ::syscall(SYS_io_uring_enter, 3, 0, 0, 0, nullptr, 0); }},
      {"io_uring_register", [] { return ::syscall(SYS_io_uring_register, 3, 0, nullptr, 0); }},
      {"kill", [] { return ::syscall(SYS_kill, ::getppid(), 0); }},
      {"kill of all", [] { return ::syscall(SYS_kill, -1, 0); }},
      {"tgkill", [] { return ::syscall(SYS_tgkill, ::getppid(), ::getppid(), 0); }},
      {"tkill", [] { return ::syscall(SYS_tkill, ::getppid(), 0); }},
      {"bpf", [] { return ::syscall(SYS_bpf, 0, nullptr, 0); }},
      {"perf_event_open", [] { return ::syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0); }},
      {"keyctl", [] { return ::syscall(SYS_keyctl, 0, 0, 0, 0, 0); }},
      {"mount", [] { return ::syscall(SYS_mount, nullptr, nullptr, nullptr, 0, nullptr); }},
      {"unshare", [] { return ::syscall(SYS_unshare, CLONE_NEWUSER); }},
      {"userfaultfd", [] { return ::syscall(SYS_userfaultfd, 0); }},
  };
  for (const NumberedAttempt& attempt : attempts) {
    const ChildEnd end = under_kernel_filter(attempt.make);
    EXPECT_EQ(end.signal, SIGSYS) << attempt.name << " left with " << end.status;
  }
}

TEST(SeccompFilter, RefusesAProcessWithKernelsWhatDriversDoWithout) {
  const NumberedAttempt attempts[] = {
      {"socket", [] { return ::syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0); }},
      {"socketpair", [] { return ::syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, nullptr); }},
      {"connect", [] { return ::syscall(SYS_connect, 0, nullptr, 0); }},
      {"sendto", [] { return ::syscall(SYS_sendto, 0, nullptr, 0, 0, nullptr, 0); }},
      {"fork", [] { return static_cast<long>(::fork()); }},
      {"clone", [] { return ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0); }},
      {"openat", [] { return ::syscall(SYS_openat, AT_FDCWD, "/tmp/alknet-never", O_WRONLY | O_CREAT, 0600); }},
      {"openat that empties", [] { return ::syscall(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY | O_TRUNC); }},
      {"unlink", [] { return ::syscall(SYS_unlinkat, AT_FDCWD, "/tmp/alknet-never", 0); }},
      {"rename", [] { return ::syscall(SYS_renameat2, AT_FDCWD, "/tmp/a", AT_FDCWD, "/tmp/b", 0); }},
      {"prctl", [] { return ::syscall(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0); }},
      {"setrlimit", [] { return ::syscall(SYS_setrlimit, 0, nullptr); }},
      {"prlimit64", [] { return ::syscall(SYS_prlimit64, 0, 0, &kNoLimit, nullptr); }},
      {"setuid", [] { return ::syscall(SYS_setuid, ::getuid()); }},
      {"utimensat", [] { return ::syscall(SYS_utimensat, AT_FDCWD, "/tmp/alknet-never", nullptr, 0); }},
      {"fsetxattr", [] { return ::syscall(SYS_fsetxattr, 0, "user.x", "", 0, 0); }},
      {"fremovexattr", [] { return ::syscall(SYS_fremovexattr, 0, "user.x"); }},
      {"lremovexattr", [] { return ::syscall(SYS_lremovexattr, "/tmp/alknet-never", "user.x"); }},
      {"inotify_init1", [] { return ::syscall(SYS_inotify_init1, 0); }},
      {"shmget", [] { return ::syscall(SYS_shmget, 1, 4096, 0); }},
      {"shmat", [] { return ::syscall(SYS_shmat, 0, nullptr, 0); }},
      {"msgget", [] { return ::syscall(SYS_msgget, 1, 0); }},
      {"semget", [] { return ::syscall(SYS_semget, 1, 1, 0); }},
      {"mq_open", [] { return ::syscall(SYS_mq_open, "alknet-never", O_RDONLY, 0, nullptr); }},
      {"ioprio_set", [] { return ::syscall(SYS_ioprio_set, 1, ::getppid(), 0); }},
      {"syslog", [] { return ::syscall(SYS_syslog, 3, nullptr, 0); }},
      // By which a file's signals end another process.
      {"fcntl of the owner", [] { return ::syscall(SYS_fcntl, 0, F_SETOWN, ::getppid()); }},
      {"fcntl of the owners", [] { return ::syscall(SYS_fcntl, 0, F_SETOWN_EX, nullptr); }},
      {"fcntl of the signal", [] { return ::syscall(SYS_fcntl, 0, F_SETSIG, SIGKILL); }},
      {"ioctl of the owner", [] { return ::syscall(SYS_ioctl, 0, FIOSETOWN, nullptr); }},
      {"ioctl of the group", [] { return ::syscall(SYS_ioctl, 0, SIOCSPGRP, nullptr); }},
      {"ioctl that types", [] { return ::syscall(SYS_ioctl, 0, TIOCSTI, ""); }},
      // Of these the kernel reads 32 bits.
      {"prctl, wide", [] { return ::syscall(SYS_prctl, kWide | PR_SET_PDEATHSIG, 0, 0, 0, 0); }},
      {"fcntl, wide", [] { return ::syscall(SYS_fcntl, 0, kWide | F_SETOWN, ::getppid()); }},
      {"ioctl, wide", [] { return ::syscall(SYS_ioctl, 0, kWide | TIOCSTI, ""); }},
  };
  for (const NumberedAttempt& attempt : attempts) {
    EXPECT_EQ(under_kernel_filter(attempt.make), (ChildEnd{EACCES, 0})) << attempt.name;
  }
}

TEST(SeccompFilter, HidesCallsThatItDoesNotKnowFromAProcessWithKernels) {
  for (const long number : {452L, 463L, 469L, 511L}) {  // fchmodat2, setxattrat, file_setattr
    const ChildEnd end = end_of_child([&] {
      filter_for_kernels();
      ::_exit(::syscall(number, -1, nullptr, 0, nullptr, 0, 0) >= 0 ? 0 : errno);
    });
    EXPECT_EQ(end, (ChildEnd{ENOSYS, 0})) << number;
  }
}

TEST(SeccompFilter, LeavesAProcessWithKernelsWhatDriversNeed) {
  const ChildEnd end = end_of_child([] {
    filter_for_kernels();
    bool ran = false;
    std::thread([&] { ran = true; }).join();
    const bool opens = ::open("/dev/null", O_RDWR) >= 0;
    const bool maps = map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE) != MAP_FAILED;
    const int memory = ::memfd_create("device", 0);
    const bool shares = ::ftruncate(memory, 4096) == 0;
    const bool asks = ::syscall(SYS_ioctl, 0, 0, nullptr) == 0 || errno != EACCES;
    ::_exit(ran && opens && maps && shares && asks && ::kill(::getpid(), 0) == 0 ? 0 : 1);
  });
  EXPECT_EQ(end, (ChildEnd{0, 0}));
}

/// Makes this process one whose kernel knows no filters: seccomp() and prctl() fail, by a filter.
void lose_seccomp() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

TEST(SeccompFilter, IsAnErrorWithARemedyWhereTheKernelHasNone) {
  const ChildEnd end = end_of_child([] {
    lose_seccomp();
    const Error error = error_of([] { filter_for_scripts(); });
    const bool says =
        error.code_name() == "unsupported" && error.message().find("CONFIG_SECCOMP_FILTER") != std::string::npos;
    ::_exit(says ? 0 : 1);
  });
  EXPECT_EQ(end, (ChildEnd{0, 0}));
}

TEST(SeccompFilter, ListsWhatItAllowsAndDeniesInOrderAndWithReasons) {
  std::string_view before;
  for (const FilteredCall& call : allowed_calls()) {
    EXPECT_LT(before, call.name);
    EXPECT_FALSE(call.why.empty()) << call.name;
    before = call.name;
  }
  before = {};
  for (const FilteredCall& call : denied_calls()) {
    EXPECT_LT(before, call.name);
    EXPECT_FALSE(call.why.empty()) << call.name;
    before = call.name;
  }
}

}  // namespace
}  // namespace alknet
