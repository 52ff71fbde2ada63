#include "alknet/gpu/glsl_module.h"

#include <shaderc/shaderc.h>

#include <cstring>
#include <memory>

int alknet_compile_glsl(const char* code, std::size_t size, const char* name, const char* entry,
                        void (*take)(void* target, const char* data, std::size_t bytes), void* target) {
  const std::unique_ptr<shaderc_compiler, decltype(&shaderc_compiler_release)> compiler(shaderc_compiler_initialize(),
                                                                                        shaderc_compiler_release);
  const std::unique_ptr<shaderc_compile_options, decltype(&shaderc_compile_options_release)> options(
      shaderc_compile_options_initialize(), shaderc_compile_options_release);
  if (!compiler || !options) return -1;
  // From newer SPIR-V naga does not read that a buffer is `readonly`.
  shaderc_compile_options_set_target_env(options.get(), shaderc_target_env_vulkan, shaderc_env_version_vulkan_1_0);
  const std::unique_ptr<shaderc_compilation_result, decltype(&shaderc_result_release)> result(
      shaderc_compile_into_spv(compiler.get(), code, size, shaderc_compute_shader, name, entry, options.get()),
      shaderc_result_release);
  if (!result) return -1;
  const bool compiled = shaderc_result_get_compilation_status(result.get()) == shaderc_compilation_status_success;
  if (compiled) {
    take(target, shaderc_result_get_bytes(result.get()), shaderc_result_get_length(result.get()));
  } else {
    const char* message = shaderc_result_get_error_message(result.get());
    if (message == nullptr || *message == '\0') message = "the GLSL compiler gave no reason";
    take(target, message, std::strlen(message));
  }
  return compiled ? 1 : 0;
}
