#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

/// For tests: what becomes of a process that does something final.

namespace alknet {

/// How a child of this process ended.
struct ChildEnd {
  int status = -1;  ///< that it left with
  int signal = 0;   ///< that ended it

  bool operator==(const ChildEnd&) const = default;
};

/// Runs `body` in a child, which leaves with status 0 after it, 99 when it throws.
template <typename Body>
ChildEnd end_of_child(const Body& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      body();
    } catch (...) {
      ::_exit(99);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? ChildEnd{WEXITSTATUS(status), 0} : ChildEnd{-1, WTERMSIG(status)};
}

}  // namespace alknet
