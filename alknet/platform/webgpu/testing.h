#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "alknet/platform/webgpu/navigator_gpu.h"

namespace alknet::platform::webgpu {

/// Runs a module in an isolate of its own with an event loop and `navigator.gpu` until it and what it awaits are done.
/// It imports by relative path; "three" and "three/webgpu" are the pinned package's. What it threw, or an empty text.
/// `lose` is what its function `loseDevice` does.
std::string run_script(const std::filesystem::path& script, WebGpuOptions options, std::function<void()> lose);

}  // namespace alknet::platform::webgpu
