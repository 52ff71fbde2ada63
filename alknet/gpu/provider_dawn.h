#pragma once

#include <memory>

#include "alknet/gpu/provider.h"

namespace alknet::gpu {

/// Dawn (Chromium's WebGPU). `library` is a handle of dlopen that stays open.
///
/// Two generations are known. The newer agrees with `webgpu.h`; the older (it exports wgpuGetInstanceCapabilities) has
/// another instance descriptor, another work-done callback (no message) and other numbers for features. Experimental
/// features have other numbers in every version, so they are identified by name at run time.
std::unique_ptr<const Dialect> make_dawn_dialect(void* library);

}  // namespace alknet::gpu
