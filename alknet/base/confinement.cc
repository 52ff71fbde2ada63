#include "alknet/base/confinement.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <string>
#include <string_view>

#include "alknet/base/descriptor.h"
#include "alknet/base/error.h"
#include "alknet/base/files.h"

namespace alknet {

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
    throw Error(BaseError::kUnsupported, "[sandbox] /proc/self/status has no VmData: mount /proc");
  }
  return kilobytes << 10U;
}

/// All that the first version of Landlock knows (Linux 5.13).
constexpr std::uint64_t kFileAccesses =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
    LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM;

/// Adds a rule to the ruleset `set`: these accesses to `path` and what is below it.
void allow(int set, const std::string& path, std::uint64_t accesses) {
  Descriptor place(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (place.get() < 0) return;  // not there
  struct stat status {};
  if (::fstat(place.get(), &status) != 0) throw io_error("fstat", path, errno);
  landlock_path_beneath_attr rule{};
  rule.allowed_access = S_ISDIR(status.st_mode) ? accesses : accesses & ~std::uint64_t{LANDLOCK_ACCESS_FS_READ_DIR};
  rule.parent_fd = place.get();
  if (rule.allowed_access == 0) return;
  if (::syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
    throw io_error("landlock", path, errno);
  }
  // /proc forgets a file that nobody has open and makes another for the same path, which the rule does not know.
  if (path.starts_with("/proc/")) static_cast<void>(place.release());
}

}  // namespace

void close_other_descriptors() {
  if (::close_range(kLinkDescriptor + 1, ~0U, 0) != 0) throw io_error("close_range", "descriptors", errno);
}

void drop_capabilities() {
  // These two need a capability themselves: without it there is nothing to take, or what is left can never be gained.
  for (unsigned long each = 0; ::prctl(PR_CAPBSET_DROP, each, 0, 0, 0) == 0; ++each) {
  }
  constexpr unsigned long kRootIsNobody = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                          SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                          SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  ::prctl(PR_SET_SECUREBITS, kRootIsNobody, 0, 0, 0);
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  ::syscall(SYS_capset, &header, sets);
  // What holds counts, not what was asked for.
  bool left = ::syscall(SYS_capget, &header, sets) != 0;
  for (const auto& set : sets) left = left || (set.effective | set.permitted | set.inheritable) != 0;
  if (left) throw Error(BaseError::kUnsupported, "[sandbox] the system leaves this process capabilities");
}

void confine_process(std::uint64_t descriptors, std::uint64_t file_bytes) {
  const pid_t host = ::getppid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::getppid() != host) ::_exit(0);  // it ended before the line above
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) throw io_error("prctl", "no_new_privs", errno);
  drop_capabilities();
  set_limit(RLIMIT_CORE, "RLIMIT_CORE", 0);
  set_limit(RLIMIT_FSIZE, "RLIMIT_FSIZE", file_bytes);
  set_limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", descriptors);
}

bool confine_files(const FileAccess& access) {
  landlock_ruleset_attr rules{};
  rules.handled_access_fs = kFileAccesses;
  // By number: the C library has no functions for them.
  const Descriptor set(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0)));
  if (set.get() < 0) return false;
  constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
  for (const std::string& path : access.read) allow(set.get(), path, kRead);
  for (const std::string& path : access.read_and_write) allow(set.get(), path, kRead | LANDLOCK_ACCESS_FS_WRITE_FILE);
  for (const std::string& path : access.list) allow(set.get(), path, LANDLOCK_ACCESS_FS_READ_DIR);
  if (::syscall(SYS_landlock_restrict_self, set.get(), 0) != 0) throw io_error("landlock", "restrict_self", errno);
  return true;
}

void limit_memory_growth(std::uint64_t bytes) { set_limit(RLIMIT_DATA, "RLIMIT_DATA", private_memory() + bytes); }

}  // namespace alknet
