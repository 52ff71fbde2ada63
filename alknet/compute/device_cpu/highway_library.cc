// What Highway's dispatch needs of its library, which is loaded at the first kernel: when it is loaded, libhwy measures
// its timer for some 4 ms, a third of what a command takes that computes nothing.
#include <dlfcn.h>
#include <hwy/targets.h>

#include <cstdint>
#include <string>

#include "alknet/base/error.h"

namespace hwy {
namespace {

constexpr const char* kLibrary = "libhwy.so.1";

/// The function of that mangled name. Throws `unsupported` when the library lacks it.
template <typename Function>
Function* library_function(const char* name) {
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);  // stays loaded
  void* const found = library != nullptr ? ::dlsym(library, name) : nullptr;
  if (found == nullptr) {
    const char* const reason = ::dlerror();
    throw alknet::Error(alknet::BaseError::kUnsupported, std::string("cannot load Highway: ") +
                                                             (reason != nullptr ? reason : kLibrary) +
                                                             ": run bin/setup (Debian package libhwy1)");
  }
  return reinterpret_cast<Function*>(found);
}

}  // namespace

std::int64_t SupportedTargets() {
  static auto* const function = library_function<std::int64_t()>("_ZN3hwy16SupportedTargetsEv");
  return function();
}

ChosenTarget& GetChosenTarget() {
  static auto* const function = library_function<ChosenTarget&()>("_ZN3hwy15GetChosenTargetEv");
  return function();
}

}  // namespace hwy
