#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace alknet::bench::soak {

/// This program once more, in a process of its own, which dies with us.
class Child {
 public:
  explicit Child(const std::vector<std::string>& arguments);

  /// Kills it when it still runs.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }

  /// The next line that it prints, without its end; throws when there is none.
  std::string line();

  /// SIGKILL: no destructor of it runs.
  void kill();

  /// Waits for its end and gives its exit status, -1 when a signal ended it.
  int wait();

 private:
  pid_t pid_ = 0;  // 0: it has ended
  std::FILE* output_ = nullptr;
};

/// Lets this process, and its children, have as many files open as the system lets it.
void raise_file_limit();

}  // namespace alknet::bench::soak
