#pragma once

#include <set>
#include <string>
#include <vector>

namespace alknet::platform::webgpu {

/// Which members of webgpu.idl script has used, as "GPUBuffer.mapAsync", "GPUBufferDescriptor.size",
/// "GPUTextureFormat.r8unorm", "GPUBufferUsage.MAP_READ": for the test that wants every one exercised.
struct Coverage {
  std::set<std::string> touched;
};

/// Every member that there is, sorted.
std::vector<std::string> all_members();

}  // namespace alknet::platform::webgpu
