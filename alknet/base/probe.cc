#include "alknet/base/probe.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>

namespace alknet {

namespace {

struct Probe {
  std::string_view name;
  long (*attempt)(const char* file);
};

constexpr const char* kSomeFile = "/etc/passwd";

// By syscall(), as foreign code would: libc's functions may use other calls.
constexpr Probe kProbes[] = {
    {"open", [](const char* file) { return ::syscall(SYS_openat, AT_FDCWD, file, O_RDONLY); }},
    {"write", [](const char* file) { return ::syscall(SYS_openat, AT_FDCWD, file, O_WRONLY); }},
    {"create-file",
     [](const char*) { return ::syscall(SYS_openat, AT_FDCWD, "/tmp/alknet-probe", O_WRONLY | O_CREAT, 0600); }},
    {"socket", [](const char*) { return ::syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }},
    {"connect", [](const char*) { return ::syscall(SYS_connect, 3, nullptr, 0); }},
    {"clone", [](const char*) { return ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0); }},
    {"execve", [](const char*) { return ::syscall(SYS_execve, "/bin/true", nullptr, nullptr); }},
    {"ptrace", [](const char*) { return ::syscall(SYS_ptrace, PTRACE_TRACEME, 0, nullptr, nullptr); }},
    {"kill", [](const char*) { return ::syscall(SYS_kill, ::getppid(), 0); }},
    {"io-uring", [](const char*) { return ::syscall(SYS_io_uring_setup, 1, nullptr); }},
    {"bpf", [](const char*) { return ::syscall(SYS_bpf, 0, nullptr, 0); }},
    {"raise-limit",
     [](const char*) {
       const rlimit more{RLIM_INFINITY, RLIM_INFINITY};
       return ::syscall(SYS_prlimit64, 0, RLIMIT_DATA, &more, nullptr);
     }},
    {"exec-mmap",
     [](const char*) {
       return ::syscall(SYS_mmap, nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
     }},
};

}  // namespace

std::vector<std::string_view> probe_names() {
  std::vector<std::string_view> names;
  for (const Probe& each : kProbes) names.push_back(each.name);
  return names;
}

int probe(std::string_view name) {
  const std::size_t colon = std::min(name.find(':'), name.size());
  const std::string file(colon < name.size() ? name.substr(colon + 1) : kSomeFile);
  for (const Probe& each : kProbes) {
    if (each.name == name.substr(0, colon)) return each.attempt(file.c_str()) >= 0 ? 0 : 1;
  }
  return -1;
}

}  // namespace alknet
