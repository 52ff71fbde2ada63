#include "alknet/gpu/glsl_compiler.h"

#include <shaderc/shaderc.h>

#include <memory>

#include "alknet/base/error.h"

namespace alknet::gpu {

GlslResult compile_glsl(const KernelSource& source) {
  const std::unique_ptr<shaderc_compiler, decltype(&shaderc_compiler_release)> compiler(shaderc_compiler_initialize(),
                                                                                        shaderc_compiler_release);
  const std::unique_ptr<shaderc_compile_options, decltype(&shaderc_compile_options_release)> options(
      shaderc_compile_options_initialize(), shaderc_compile_options_release);
  if (!compiler || !options) throw Error(BaseError::kOutOfMemory, "the GLSL compiler found no memory");
  // From newer SPIR-V naga does not read that a buffer is `readonly`.
  shaderc_compile_options_set_target_env(options.get(), shaderc_target_env_vulkan, shaderc_env_version_vulkan_1_0);
  const std::unique_ptr<shaderc_compilation_result, decltype(&shaderc_result_release)> result(
      shaderc_compile_into_spv(compiler.get(), source.code.data(), source.code.size(), shaderc_compute_shader,
                               source.name.c_str(), source.entry.c_str(), options.get()),
      shaderc_result_release);
  if (!result) throw Error(BaseError::kOutOfMemory, "the GLSL compiler found no memory");
  if (shaderc_result_get_compilation_status(result.get()) == shaderc_compilation_status_success) {
    return {std::string(shaderc_result_get_bytes(result.get()), shaderc_result_get_length(result.get())), {}};
  }
  const char* message = shaderc_result_get_error_message(result.get());
  return {{}, message != nullptr ? message : "the GLSL compiler gave no reason"};
}

}  // namespace alknet::gpu
