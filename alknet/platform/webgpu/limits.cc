#include "alknet/platform/webgpu/limits.h"

#include <algorithm>

namespace alknet::platform::webgpu {
namespace {

// https://www.w3.org/TR/webgpu/#limits
constexpr StandardLimit kLimits[] = {
    {"maxTextureDimension1D", 8192},
    {"maxTextureDimension2D", 8192},
    {"maxTextureDimension3D", 2048},
    {"maxTextureArrayLayers", 256},
    {"maxBindGroups", 4},
    {"maxBindGroupsPlusVertexBuffers", 24},
    {"maxImmediateSize", 64},
    {"maxBindingsPerBindGroup", 1000},
    {"maxDynamicUniformBuffersPerPipelineLayout", 8},
    {"maxDynamicStorageBuffersPerPipelineLayout", 4},
    {"maxSampledTexturesPerShaderStage", 16},
    {"maxSamplersPerShaderStage", 16},
    {"maxStorageBuffersPerShaderStage", 8},
    {"maxStorageBuffersInVertexStage", 8, false, "maxStorageBuffersPerShaderStage"},
    {"maxStorageBuffersInFragmentStage", 8, false, "maxStorageBuffersPerShaderStage"},
    {"maxStorageTexturesPerShaderStage", 4},
    {"maxStorageTexturesInVertexStage", 4, false, "maxStorageTexturesPerShaderStage"},
    {"maxStorageTexturesInFragmentStage", 4, false, "maxStorageTexturesPerShaderStage"},
    {"maxUniformBuffersPerShaderStage", 12},
    {"maxUniformBufferBindingSize", 65536},
    {"maxStorageBufferBindingSize", 134217728},
    {"minUniformBufferOffsetAlignment", 256, true},
    {"minStorageBufferOffsetAlignment", 256, true},
    {"maxVertexBuffers", 8},
    {"maxBufferSize", 268435456},
    {"maxVertexAttributes", 16},
    {"maxVertexBufferArrayStride", 2048},
    {"maxInterStageShaderVariables", 16},
    {"maxColorAttachments", 8},
    {"maxColorAttachmentBytesPerSample", 32},
    {"maxComputeWorkgroupStorageSize", 16384},
    {"maxComputeInvocationsPerWorkgroup", 256},
    {"maxComputeWorkgroupSizeX", 256},
    {"maxComputeWorkgroupSizeY", 256},
    {"maxComputeWorkgroupSizeZ", 64},
    {"maxComputeWorkgroupsPerDimension", 65535},
};

}  // namespace

std::span<const StandardLimit> standard_limits() { return kLimits; }

std::uint64_t adapter_limit(std::span<const gpu::Limit> limits, const StandardLimit& limit) {
  const std::string_view name = limit.same_as.empty() ? limit.name : limit.same_as;
  return gpu::limit_value(limits, name);
}

}  // namespace alknet::platform::webgpu
