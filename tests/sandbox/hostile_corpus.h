#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/loop.h"
#include "alknet/call/dispatcher.h"
#include "alknet/compute/operations/service.h"
#include "alknet/runtime/sandbox_host.h"

namespace alknet::hostile {

/// A script of tests/hostile_scripts. Its first two lines are comments: what it tries, and the outcomes that are right,
/// `// expects: CODE...` of completed, TIMEOUT, RESOURCE_EXHAUSTED and SCRIPT_ERROR. A third, `// allows: NAME...`, is
/// the operations that it may call.
struct Script {
  std::string name;
  std::string tries;
  std::vector<std::string> expects;
  std::vector<std::string> allows;
  std::string source;
};

/// Its name, in reports of tests.
inline void PrintTo(const Script& script, std::ostream* out) { *out << script.name; }

/// All of a folder, by name. Throws `invalid_argument` for one whose first lines are not so.
std::vector<Script> scripts_in(const std::filesystem::path& folder, std::string_view extension = ".js");

/// Of this process.
std::uint64_t resident_bytes();

/// What became of one.
struct Outcome {
  std::string code;  ///< completed, or the code in capitals
  std::string what;  ///< the limit or the message, short
  std::chrono::microseconds took{};
  std::uint64_t host_before = 0, host_after = 0;  ///< resident bytes of this process
};

/// A host on the loop of the calling thread: an operation `canary/sing` that no script may call, `open/whoami`, which
/// says who calls it and for whom, those of tensors and kernels, and a tensor of somebody else, `h1`.
class Host {
 public:
  explicit Host(std::filesystem::path helper = {});
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// Runs a script under a deadline of 100 ms in a helper that was waiting, until it is stopped and its helper is gone.
  Outcome run(const Script& script, std::chrono::milliseconds deadline = std::chrono::milliseconds(100));

  /// Whether the host still answers: its own operation, and an honest script in a new sandbox.
  bool unharmed();

  /// From the start of a helper process to its first answer, in seconds: the median of some.
  double seconds_to_ready();

  runtime::SandboxHost& sandboxes() { return *host_; }

 private:
  void wait_for_spare();
  Message call(std::string operation, Json input);  // as its own program

  Loop loop_;
  compute::ComputeService service_;
  std::shared_ptr<call::Registry> registry_ = std::make_shared<call::Registry>();
  call::Dispatcher dispatcher_;
  std::shared_ptr<call::Owner> owner_;
  Json tensor_;  // its own
  std::unique_ptr<runtime::SandboxHost> host_;
};

}  // namespace alknet::hostile
