#pragma once

#include <string>
#include <string_view>

#include "alknet/compute/generate/kernel_spec.h"

namespace alknet::compute {

/// Prints kernels in one language. Implementations are immutable and thread-safe.
class ShaderGenerator {
 public:
  virtual ~ShaderGenerator() = default;

  /// "wgsl", "glsl", "cpp".
  virtual std::string_view language() const = 0;

  /// Source text of `spec`; equal specs give equal text. Throws Error `unsupported` for a dtype or pattern that the
  /// language cannot express here.
  virtual std::string generate(const KernelSpec& spec) const = 0;
};

}  // namespace alknet::compute
