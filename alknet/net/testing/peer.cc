#include "alknet/net/testing/peer.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "alknet/base/error.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to the program

namespace alknet::net::peer_testing {

namespace {

constexpr const char* kPython = ALKNET_SOURCE_DIR "/.deps/python/bin/python3";
constexpr const char* kFolder = ALKNET_SOURCE_DIR "/alknet/net/testing/";

/// A folder that goes with the test program.
struct TemporaryFolder {
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "alknet_net_XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

}  // namespace

bool has_python_peer() {
  if (access(kPython, X_OK) == 0) return true;
  std::cout << "skipped: " << kPython << " is missing; bin/setup installs it\n";
  return false;
}

PythonPeer::PythonPeer(const std::string& name, const std::vector<std::string>& arguments) {
  const std::string script = kFolder + name;
  std::vector<std::string> texts{kPython, "-B", "-u", script};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  int ends[2];
  int lifeline[2];
  if (pipe2(ends, O_CLOEXEC) != 0 || pipe2(lifeline, O_CLOEXEC) != 0) throw io_error("pipe", name, errno);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, lifeline[0], 0);
  const int failed = posix_spawn(&process_, kPython, &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  close(lifeline[0]);
  output_ = ends[0];
  lifeline_ = lifeline[1];
  if (failed != 0) throw io_error("run", script, failed);
  first_line_ = next_line();
}

PythonPeer::~PythonPeer() {
  close(output_);
  close(lifeline_);
  if (process_ > 0) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
}

std::string PythonPeer::next_line() {
  while (buffered_.find('\n') == std::string::npos) {
    char piece[4096];
    const ssize_t size = read(output_, piece, sizeof piece);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return std::exchange(buffered_, {});
    buffered_.append(piece, static_cast<std::size_t>(size));
  }
  const auto end = buffered_.find('\n');
  std::string line = buffered_.substr(0, end);
  buffered_.erase(0, end + 1);
  return line;
}

int PythonPeer::wait() {
  int status = 0;
  waitpid(process_, &status, 0);
  process_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::filesystem::path certificates() {
  static const TemporaryFolder folder;
  static const bool made = [] {
    if (!has_python_peer()) return false;
    PythonPeer maker("make_certificates.py", {folder.path.string()});
    if (maker.wait() == 0) return true;
    std::cout << "skipped: " << maker.first_line() << "\n";
    return false;
  }();
  return made ? folder.path : std::filesystem::path();
}

}  // namespace alknet::net::peer_testing
