#include "alknet/runtime/seccomp.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <string>
#include <vector>

#include "alknet/base/testing.h"
#include "alknet/runtime/child_test_support.h"

namespace alknet::runtime {
namespace {

struct Attempt {
  const char* name;
  void (*make)();
};

void* map(int protection, int flags) { return ::mmap(nullptr, 4096, protection, flags | MAP_ANONYMOUS, -1, 0); }

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

TEST(SeccompFilter, RefusesSocketsAndProgramsToAProcessWithKernels) {
  const ChildEnd end = end_of_child([] {
    filter_for_kernels();
    const bool refused = ::socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EACCES;
    const bool opens = ::open("/dev/null", O_RDONLY) >= 0;
    ::_exit(refused && opens ? 0 : 1);
  });
  EXPECT_EQ(end, (ChildEnd{0, 0}));
  const ChildEnd program = end_of_child([] {
    filter_for_kernels();
    ::syscall(SYS_execve, "/bin/true", nullptr, nullptr);
  });
  EXPECT_EQ(program.signal, SIGSYS);
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
    const bool says = error.code_name() == "sandbox_unavailable" &&
                      error.message().find("CONFIG_SECCOMP_FILTER") != std::string::npos;
    ::_exit(says ? 0 : 1);
  });
  EXPECT_EQ(end, (ChildEnd{0, 0}));
}

TEST(SeccompFilter, ListsWhatItAllowsInOrderAndWithReasons) {
  std::string_view before;
  for (const AllowedCall& call : allowed_calls()) {
    EXPECT_LT(before, call.name);
    EXPECT_FALSE(call.why.empty()) << call.name;
    before = call.name;
  }
}

}  // namespace
}  // namespace alknet::runtime
