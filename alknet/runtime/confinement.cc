#include "alknet/runtime/confinement.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <string>
#include <string_view>

#include "alknet/base/files.h"
#include "alknet/runtime/error.h"

namespace alknet::runtime {

namespace {

void set_limit(__rlimit_resource resource, std::string_view name, rlim_t value) {
  const rlimit limit{value, value};
  if (::setrlimit(resource, &limit) != 0) throw io_error("setrlimit", name, errno);
}

/// Private writable memory of this process in bytes, as RLIMIT_DATA counts it.
std::uint64_t private_memory() {
  constexpr std::string_view kPath = "/proc/self/status";
  constexpr std::string_view kLine = "\nVmData:";
  const std::string status = read_file(kPath, 1U << 20U);
  const std::size_t line = status.find(kLine);
  const std::size_t digits = line == std::string::npos ? line : status.find_first_of("0123456789", line);
  std::uint64_t kilobytes = 0;
  if (digits == std::string::npos ||
      std::from_chars(status.data() + digits, status.data() + status.size(), kilobytes).ec != std::errc()) {
    throw Error(RuntimeError::kSandboxUnavailable, "[sandbox] /proc/self/status has no VmData: mount /proc");
  }
  return kilobytes << 10U;
}

}  // namespace

void close_other_descriptors() {
  if (::close_range(kLinkDescriptor + 1, ~0U, 0) != 0) throw io_error("close_range", "descriptors", errno);
}

void confine_process(std::uint64_t descriptors) {
  const pid_t host = ::getppid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::getppid() != host) ::_exit(0);  // it ended before the line above
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) throw io_error("prctl", "no_new_privs", errno);
  set_limit(RLIMIT_CORE, "RLIMIT_CORE", 0);
  set_limit(RLIMIT_FSIZE, "RLIMIT_FSIZE", 0);
  set_limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", descriptors);
}

void limit_memory_growth(std::uint64_t bytes) { set_limit(RLIMIT_DATA, "RLIMIT_DATA", private_memory() + bytes); }

}  // namespace alknet::runtime
