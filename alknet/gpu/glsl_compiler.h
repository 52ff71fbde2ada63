#pragma once

#include <string>

#include "alknet/gpu/pipeline.h"

namespace alknet::gpu {

/// What the GLSL compiler made of a kernel.
struct GlslResult {
  std::string spirv;    ///< Bytes of SPIR-V 1.0, for Vulkan 1.0; empty when it does not compile.
  std::string message;  ///< Then: the compiler's lines, each "KERNEL:LINE: error: what".
};

/// Compiles a GLSL 450 compute shader for Vulkan to SPIR-V by shaderc. `#include` is refused. Meant for sources of the
/// local program: the compiler runs in this process. Thread-safe.
GlslResult compile_glsl(const KernelSource& source);

}  // namespace alknet::gpu
