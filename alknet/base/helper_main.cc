#include "alknet/base/helper_main.h"

#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <exception>
#include <new>

#include "alknet/base/confinement.h"
#include "alknet/base/error.h"
#include "alknet/base/probe.h"

namespace alknet {

namespace {

constexpr int kStatusUsage = 2;

/// What follows `option` in `word`, or null.
const char* after(const char* word, std::string_view option) {
  return std::string_view(word).starts_with(option) ? word + option.size() : nullptr;
}

bool read_settings(int argc, char** argv, HelperSettings& settings) {
  for (int i = 1; i < argc; ++i) {
    if (const char* bytes = after(argv[i], "--memory=")) {
      const std::string_view text(bytes);
      const auto* end = text.data() + text.size();
      if (std::from_chars(text.data(), end, settings.memory).ptr != end) return false;
    } else if (const char* device = after(argv[i], "--device=")) {
      settings.device = device;
    } else if (const char* name = after(argv[i], "--probe=")) {
      settings.probe = name;
    } else {
      return false;
    }
  }
  return argc > 1;
}

int print_usage(const HelperProgramMain& program) {
  std::string text(program.name);
  text.append(" ").append(program.purpose);
  text +=
      "\n  --memory=BYTES  how much it may grow\n  --device=NAME   where it computes, if it does\n"
      "  --probe=NAME    ask for something forbidden, which must be refused or end it by SIGSYS:";
  for (const std::string_view name : probe_names()) text.append(" ").append(name);
  std::fprintf(stderr, "%s\n", text.c_str());
  return kStatusUsage;
}

[[noreturn]] void out_of_memory() { ::_exit(kStatusOutOfMemory); }

int run(const HelperSettings& settings, const HelperProgramMain& program) {
  const auto say = [&](const char* what) { std::fprintf(stderr, "%s: %s\n", std::string(program.name).c_str(), what); };
  try {
    std::set_new_handler(out_of_memory);
    return program.run(settings);
  } catch (const Error& error) {
    say(error.what());
    return error.code() == BaseError::kUnsupported ? kStatusUnsupported : kStatusFailed;
  } catch (const std::exception& error) {
    say(error.what());
    return kStatusFailed;
  }
}

}  // namespace

void helper_main(int argc, char** argv, const HelperProgramMain& program) {
  HelperSettings settings;
  ::_exit(read_settings(argc, argv, settings) ? run(settings, program) : print_usage(program));
}

std::uint64_t memory_of_build(std::uint64_t bytes) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 8 * bytes;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return 8 * bytes;
#else
  return bytes;
#endif
#else
  return bytes;
#endif
}

}  // namespace alknet
