#include "alknet/gpu/error.h"

#include "alknet/base/error.h"

namespace alknet::gpu {

const std::error_category& gpu_category() noexcept {
  static const NamedCategory<11> kCategory(
      "gpu", {"no_provider", "no_adapter", "device_refused", "device_lost", "destroyed", "out_of_memory",
              "validation_failed", "shader_invalid", "limit_exceeded", "feature_missing", "timeout"});
  return kCategory;
}

}  // namespace alknet::gpu
