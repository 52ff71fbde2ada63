#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace alknet::runtime {

struct HelperProgram {
  std::filesystem::path path;
  std::vector<std::string> arguments = {};

  /// Whether what it says on standard error is seen; else it goes to /dev/null.
  bool diagnostics = false;

  std::vector<std::string> environment = {};  ///< "NAME=value"; nothing else of this process's own
};

/// How a helper process ended.
struct HelperEnd {
  int status = 0;       ///< that it left with; -1 when a signal ended it
  int signal = 0;       ///< that ended it; 0 when it left by itself
  bool killed = false;  ///< it was `kill` or `reap` that ended it

  /// "SIGSYS"; empty without a signal.
  std::string signal_name() const;

  /// "left with status 3", "was ended by SIGSYS (Bad system call)".
  std::string text() const;
};

/// The program of that name beside the running one; `variable`, when it is set, names another. Throws `sandbox_failed`.
std::filesystem::path helper_program(std::string_view name, const char* variable);

/// A process that works for this one: a child with the environment that its
/// program says, whose descriptors are /dev/null and, as number
/// kLinkDescriptor, one end of a socket pair. Destroying it kills and reaps it. One thread at a time; the child ends
/// with the thread that started it.
class HelperProcess {
 public:
  /// Throws `io_error`.
  explicit HelperProcess(const HelperProgram& program);
  ~HelperProcess();
  HelperProcess(HelperProcess&& other) noexcept;
  HelperProcess& operator=(HelperProcess&& other) noexcept;

  /// Our end of the pair, which the caller takes over. Once.
  int take_link();

  pid_t id() const { return process_; }

  /// Ends it now (SIGKILL); it need not have been reaped. Idempotent.
  void kill();

  /// Whether it ended already. It need not be reaped for that.
  bool ended() const;

  /// Waits for its end and says how it was; kills it when it lives after `patience`. An end of its own accord that came
  /// first counts: one that has closed its link to go needs a moment to be gone.
  HelperEnd reap(std::chrono::milliseconds patience = {});

 private:
  pid_t process_ = -1;
  int link_ = -1;
  bool killed_ = false;
  HelperEnd end_;
};

}  // namespace alknet::runtime
