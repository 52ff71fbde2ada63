#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>
#include <string_view>

#include "alknet/runtime/confinement.h"
#include "alknet/runtime/error.h"
#include "alknet/runtime/helper_process.h"
#include "alknet/runtime/seccomp.h"
#include "apps/sandbox/probe.h"
#include "apps/sandbox/service.h"

// alknet-sandbox: runs untrusted scripts for a host, which starts it with one end of a socket pair as descriptor 3.
// It has no environment, no files, no network, and can ask the kernel for little more than memory.

namespace alknet::sandbox {
namespace {

constexpr std::uint64_t kDescriptors = 16;  // the loop's own, the link, /dev/null three times
constexpr std::string_view kUsage =
    "alknet-sandbox runs untrusted scripts for alknet, which starts it; see docs/sandbox.md.\n"
    "  --memory=BYTES  how much it may grow\n"
    "  --probe=NAME    ask for something forbidden, which must end it by SIGSYS:";

struct Settings {
  std::uint64_t memory = std::uint64_t{256} << 20;
  std::string_view probe;
};

/// What follows `option` in `word`, or null.
const char* after(const char* word, std::string_view option) {
  return std::string_view(word).starts_with(option) ? word + option.size() : nullptr;
}

bool read_settings(int argc, char** argv, Settings& settings) {
  for (int i = 1; i < argc; ++i) {
    if (const char* bytes = after(argv[i], "--memory=")) {
      const std::string_view text(bytes);
      const auto end = text.data() + text.size();
      if (std::from_chars(text.data(), end, settings.memory).ptr != end) return false;
    } else if (const char* name = after(argv[i], "--probe=")) {
      settings.probe = name;
    } else {
      return false;
    }
  }
  return argc > 1;
}

/// Sanitizers keep freed memory and shadows of what is used.
constexpr std::uint64_t growth(std::uint64_t memory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 8 * memory;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return 8 * memory;
#else
  return memory;
#endif
#else
  return memory;
#endif
}

[[noreturn]] void out_of_memory() { ::_exit(runtime::kStatusOutOfMemory); }

int run(const Settings& settings) {
  std::set_new_handler(out_of_memory);
  // Scripts see one time zone, and nothing reads the machine's once files are denied.
  ::setenv("TZ", "UTC0", 1);
  ::tzset();
  runtime::close_other_descriptors();
  runtime::confine_process(kDescriptors);
  Loop loop;
  Service service(loop);
  if (settings.probe.empty()) service.serve(runtime::kLinkDescriptor);
  runtime::limit_memory_growth(growth(settings.memory));
  runtime::filter_for_scripts();
  if (!settings.probe.empty()) return probe(settings.probe);
  loop.run();
  return 0;
}

int main(int argc, char** argv) {
  Settings settings;
  if (!read_settings(argc, argv, settings)) {
    std::fprintf(stderr, "%s", std::string(kUsage).c_str());
    for (const std::string_view name : probe_names()) std::fprintf(stderr, " %s", std::string(name).c_str());
    std::fprintf(stderr, "\n");
    return 2;
  }
  try {
    return run(settings);
  } catch (const Error& error) {
    std::fprintf(stderr, "alknet-sandbox: %s\n", error.what());
    return error.code() == runtime::RuntimeError::kSandboxUnavailable ? runtime::kStatusUnsupported
                                                                      : runtime::kStatusFailed;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "alknet-sandbox: %s\n", error.what());
    return runtime::kStatusFailed;
  }
}

}  // namespace
}  // namespace alknet::sandbox

int main(int argc, char** argv) {
  const int status = alknet::sandbox::main(argc, argv);
  // What exit() would run (leak checks of sanitizers) needs what the filter denies.
  ::_exit(status);
}
