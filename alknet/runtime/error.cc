#include "alknet/runtime/error.h"

namespace alknet::runtime {

const std::error_category& runtime_category() noexcept {
  static const NamedCategory<11> category(
      "runtime", {"script_threw", "timeout", "memory_limit", "limit", "module_not_found", "module_invalid",
                  "permission_denied", "closed", "sandbox_unavailable", "sandbox_failed", "sandbox_died"});
  return category;
}

}  // namespace alknet::runtime
