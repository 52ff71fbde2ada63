#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace alknet {

/// What a host tells its helper on the command line.
struct HelperSettings {
  std::uint64_t memory = std::uint64_t{256} << 20;  ///< --memory=BYTES: how much it may grow
  std::string device = {};                          ///< --device=NAME: where it computes, if it does
  std::string probe = {};                           ///< --probe=NAME: ask for something forbidden (probe.h)
};

/// A helper program (apps/sandbox, apps/worker), which a host starts with its link as descriptor kLinkDescriptor.
struct HelperProgramMain {
  std::string_view name;
  std::string_view purpose;  ///< one sentence, for whoever starts it by hand

  /// Confines the process and serves until the link ends; what it returns is the status.
  int (*run)(const HelperSettings& settings);
};

/// `main` of such a program. Memory that cannot be had, a machine that cannot confine it and other failures are the
/// statuses of confinement.h; arguments that it does not know give 2. Does not return: what exit() would run needs what
/// filters deny.
[[noreturn]] void helper_main(int argc, char** argv, const HelperProgramMain& program);

/// `bytes` of memory as a process of this build needs them: sanitizers keep freed memory and shadows of what is used.
std::uint64_t memory_of_build(std::uint64_t bytes);

}  // namespace alknet
