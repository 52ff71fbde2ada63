#include "alknet/base/probe.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

namespace alknet {

namespace {

struct Probe {
  std::string_view name;
  long (*attempt)();
};

// By syscall(), as foreign code would: libc's functions may use other calls.
constexpr Probe kProbes[] = {
    {"open", [] { return ::syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY); }},
    {"create-file", [] { return ::syscall(SYS_openat, AT_FDCWD, "/tmp/alknet-probe", O_WRONLY | O_CREAT, 0600); }},
    {"socket", [] { return ::syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }},
    {"connect", [] { return ::syscall(SYS_connect, 3, nullptr, 0); }},
    {"clone", [] { return ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0); }},
    {"execve", [] { return ::syscall(SYS_execve, "/bin/true", nullptr, nullptr); }},
    {"ptrace", [] { return ::syscall(SYS_ptrace, PTRACE_TRACEME, 0, nullptr, nullptr); }},
    {"kill", [] { return ::syscall(SYS_kill, ::getppid(), 0); }},
    {"io-uring", [] { return ::syscall(SYS_io_uring_setup, 1, nullptr); }},
    {"bpf", [] { return ::syscall(SYS_bpf, 0, nullptr, 0); }},
    {"raise-limit",
     [] {
       const rlimit more{RLIM_INFINITY, RLIM_INFINITY};
       return ::syscall(SYS_prlimit64, 0, RLIMIT_DATA, &more, nullptr);
     }},
    {"exec-mmap",
     [] { return ::syscall(SYS_mmap, nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }},
};

}  // namespace

std::vector<std::string_view> probe_names() {
  std::vector<std::string_view> names;
  for (const Probe& each : kProbes) names.push_back(each.name);
  return names;
}

int probe(std::string_view name) {
  for (const Probe& each : kProbes) {
    if (each.name == name) return each.attempt() >= 0 ? 0 : 1;
  }
  return -1;
}

}  // namespace alknet
