#include "alknet/gpu/glsl_compiler.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/gpu/error.h"
#include "alknet/gpu/glsl_module.h"

namespace alknet::gpu {
namespace {

using Compile = decltype(&alknet_compile_glsl);

/// Beside the program, else where it was built. The library stays loaded.
Compile load_compiler(const std::string& kernel) {
  const std::filesystem::path built = ALKNET_GLSL_MODULE;
  std::error_code unreadable;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", unreadable);
  std::string failures;
  for (const auto& path : {program.parent_path() / built.filename(), built}) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* symbol = library != nullptr ? dlsym(library, "alknet_compile_glsl") : nullptr;
    if (symbol != nullptr) return reinterpret_cast<Compile>(symbol);
    const char* problem = dlerror();
    failures += fmt::format("{}{}", failures.empty() ? "" : "; ", problem != nullptr ? problem : path.c_str());
  }
  throw Error(
      GpuError::kFeatureMissing,
      fmt::format("Kernel \"{}\" is GLSL, whose compiler cannot be loaded: {}. Put {} beside the program, or give "
                  "the kernel as WGSL",
                  kernel, failures, built.filename().string()),
      JsonObject{{"kernel", kernel}, {"feature", "glsl"}});
}

}  // namespace

GlslResult compile_glsl(const KernelSource& source) {
  std::string text;
  const auto take = [](void* target, const char* data, std::size_t bytes) noexcept {
    static_cast<std::string*>(target)->assign(data, bytes);
  };
  const int result = load_compiler(source.name)(source.code.data(), source.code.size(), source.name.c_str(),
                                                source.entry.c_str(), take, &text);
  if (result < 0) throw Error(BaseError::kOutOfMemory, "the GLSL compiler found no memory");
  return result == 1 ? GlslResult{std::move(text), {}} : GlslResult{{}, std::move(text)};
}

}  // namespace alknet::gpu
