#pragma once

#include <memory>

#include "alknet/gpu/provider.h"

namespace alknet::gpu {

/// wgpu-native (Firefox's WebGPU with a C interface). `library` is a handle of dlopen that stays open.
///
/// It ends the process where Dawn returns an error in several places (docs/gpu.md lists them), so it never serves
/// callers who are not trusted. It knows no futures: callbacks run inside `wgpuDevicePoll`, and pipelines are made at
/// once. It takes SPIR-V and GLSL beside WGSL.
std::unique_ptr<const Dialect> make_wgpu_dialect(void* library);

}  // namespace alknet::gpu
