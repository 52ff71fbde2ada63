#pragma once

#include <webgpu.h>

#include <cstddef>
#include <cstdint>

namespace alknet::runtime {
class Value;
}

// Structures in the manner of webgpu.h for dictionaries that it has none for, or has only the members in `base` for.
// alknet-webidlgen reads this file. Zeros are right for absent members.

namespace alknet::platform::webgpu {

using ScriptValue = runtime::Value;

struct OwnRequestAdapterOptions {
  WGPUStringView featureLevel;
  WGPUPowerPreference powerPreference;
  WGPUBool forceFallbackAdapter;
};

// As WGPUConstantEntry, with an integer.
struct OwnLimitEntry {
  WGPUChainedStruct* nextInChain;
  WGPUStringView key;
  uint64_t value;
};

struct OwnDeviceDescriptor {
  WGPUStringView label;
  size_t requiredFeatureCount;
  WGPUFeatureName const* requiredFeatures;
  size_t requiredLimitCount;
  OwnLimitEntry const* requiredLimits;
};

struct OwnShaderModuleDescriptor {
  WGPUShaderModuleDescriptor base;
  WGPUStringView code;
};

struct OwnTextureViewDescriptor {
  WGPUTextureViewDescriptor base;
  WGPUStringView swizzle;
};

struct OwnRenderPassDescriptor {
  WGPURenderPassDescriptor base;
  uint64_t maxDrawCount;
};

struct OwnCanvasToneMapping {
  WGPUStringView mode;
};

struct OwnCanvasConfiguration {
  ScriptValue const* device;
  WGPUTextureFormat format;
  WGPUTextureUsage usage;
  size_t viewFormatCount;
  WGPUTextureFormat const* viewFormats;
  WGPUStringView colorSpace;
  OwnCanvasToneMapping toneMapping;
  WGPUStringView alphaMode;
};

struct OwnCopyExternalImageSourceInfo {
  ScriptValue const* source;
  WGPUOrigin3D origin;
  WGPUBool flipY;
};

struct OwnCopyExternalImageDestInfo {
  WGPUTexelCopyTextureInfo base;
  WGPUStringView colorSpace;
  WGPUBool premultipliedAlpha;
};

struct OwnUncapturedErrorEventInit {
  WGPUBool bubbles;
  WGPUBool cancelable;
  WGPUBool composed;
  ScriptValue const* error;
};

struct OwnPipelineErrorInit {
  WGPUStringView reason;
};

}  // namespace alknet::platform::webgpu
