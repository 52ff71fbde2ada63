#include "alknet/runtime/helper_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "alknet/base/confinement.h"
#include "alknet/call/descriptor_transport.h"
#include "alknet/runtime/error.h"

namespace alknet::runtime {

namespace {

/// What becomes of the child's descriptors and signals.
class SpawnPlan {
 public:
  SpawnPlan(int link, bool diagnostics) {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&files_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (!diagnostics) ::posix_spawn_file_actions_addopen(&files_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files_, link, kLinkDescriptor);
    ::posix_spawn_file_actions_addclosefrom_np(&files_, kLinkDescriptor + 1);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    // A group of its own: Ctrl+C at the terminal is the host's affair.
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

/// Returns when the process has ended, or `patience` is over.
void wait_for_end(pid_t process, std::chrono::milliseconds patience) {
  const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  if (descriptor < 0) return;  // an old kernel: then without patience
  pollfd end{descriptor, POLLIN, 0};
  ::poll(&end, 1, static_cast<int>(patience.count()));
  ::close(descriptor);
}

}  // namespace

std::string HelperEnd::text() const {
  if (signal == 0) return fmt::format("left with status {}", status);
  return fmt::format("was ended by {} ({})", signal_name(), ::strsignal(signal));
}

std::string HelperEnd::signal_name() const {
  if (signal == 0) return {};
  const char* abbreviation = ::sigabbrev_np(signal);
  return abbreviation != nullptr ? fmt::format("SIG{}", abbreviation) : fmt::format("signal {}", signal);
}

std::filesystem::path helper_program(std::string_view name, const char* variable) {
  const char* chosen = std::getenv(variable);
  std::error_code unreadable;
  const auto path = chosen != nullptr && *chosen != '\0'
                        ? std::filesystem::path(chosen)
                        : std::filesystem::read_symlink("/proc/self/exe", unreadable).parent_path() / name;
  if (std::filesystem::is_regular_file(path, unreadable)) return path;
  throw Error(RuntimeError::kSandboxFailed,
              fmt::format("[sandbox] the helper program {} is missing: build it (target {}) or "
                          "name it by {}",
                          path.string(), name, variable));
}

HelperProcess::HelperProcess(const HelperProgram& program) {
  const auto [ours, theirs] = call::make_socket_pair();
  std::vector<std::string> words{program.path.string()};
  words.insert(words.end(), program.arguments.begin(), program.arguments.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::vector<std::string> settings = program.environment;
  std::vector<char*> environment;
  for (std::string& setting : settings) environment.push_back(setting.data());
  environment.push_back(nullptr);
  const SpawnPlan plan(theirs, program.diagnostics);
  const int error = ::posix_spawn(&process_, words.front().c_str(), &plan.files_, &plan.attributes_, arguments.data(),
                                  environment.data());
  ::close(theirs);
  if (error != 0) {
    ::close(ours);
    process_ = -1;
    throw io_error("starting a helper", words.front(), error);
  }
  link_ = ours;
}

HelperProcess::~HelperProcess() {
  reap();
  if (link_ >= 0) ::close(link_);
}

HelperProcess::HelperProcess(HelperProcess&& other) noexcept
    : process_(std::exchange(other.process_, -1)),
      link_(std::exchange(other.link_, -1)),
      killed_(other.killed_),
      end_(other.end_) {}

HelperProcess& HelperProcess::operator=(HelperProcess&& other) noexcept {
  std::swap(process_, other.process_);
  std::swap(link_, other.link_);
  std::swap(killed_, other.killed_);
  std::swap(end_, other.end_);
  return *this;
}

int HelperProcess::take_link() { return std::exchange(link_, -1); }

void HelperProcess::kill() {
  if (ended()) return;
  killed_ = true;
  ::kill(process_, SIGKILL);
}

bool HelperProcess::ended() const {
  if (process_ <= 0) return true;
  siginfo_t info{};
  const int result = ::waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOHANG | WNOWAIT);
  return result != 0 || info.si_pid != 0;
}

HelperEnd HelperProcess::reap(std::chrono::milliseconds patience) {
  if (process_ <= 0) return end_;
  if (patience.count() > 0 && !ended()) wait_for_end(process_, patience);
  kill();
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  end_ = WIFEXITED(status) ? HelperEnd{WEXITSTATUS(status), 0, false}
                           : HelperEnd{-1, WTERMSIG(status), killed_ && WTERMSIG(status) == SIGKILL};
  return end_;
}

}  // namespace alknet::runtime
