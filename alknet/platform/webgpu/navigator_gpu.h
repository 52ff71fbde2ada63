#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "alknet/gpu/device.h"
#include "alknet/gpu/instance.h"
#include "alknet/runtime/value.h"

namespace alknet::platform::webgpu {

struct Coverage;

/// Where `navigator.gpu` gets its adapters and devices. Both functions are called on the isolate's thread, when script
/// asks for an adapter or a device, not before; an Error that they throw makes the promise null or rejects it.
struct WebGpuOptions {
  std::function<gpu::Instance()> instance;

  /// The program's own device of an adapter, by its id: what `requestDevice` gives a view of. Null: each gets its own.
  std::function<gpu::Device(const std::string& id)> device = {};

  /// For tests: notes what script uses. Null: nothing is noted. Outlives the isolate.
  Coverage* coverage = nullptr;
};

/// Defines the standard WebGPU API (https://www.w3.org/TR/webgpu/) in a realm: `navigator.gpu` and the globals
/// (GPUBufferUsage, GPUDevice, ...), made when first touched. Only for scripts that may use the GPU.
void install_webgpu(runtime::Realm realm, WebGpuOptions options);

/// A GPUBuffer over the memory of `buffer`, which is not copied and stays alive as long as the object. `device` is a
/// GPUDevice of the same device (else Error `invalid_argument`). `usage` is what script may use it for, of what it was
/// made with: WebGPU's flags, 0 for all. Destroying the GPUBuffer does not free the memory.
runtime::Value wrap_buffer(const runtime::Value& device, const std::shared_ptr<const gpu::Buffer>& buffer);

/// A GPUDevice that is a view of `device`, as `requestDevice` would give.
runtime::Value wrap_device(runtime::Realm realm, const gpu::Device& device);

/// The buffer below a GPUBuffer (a WGPUBuffer), and its size in bytes. `object` keeps it alive.
struct NativeBuffer {
  void* buffer = nullptr;  ///< Null: `object` is no GPUBuffer, or an invalid one.
  std::uint64_t size = 0;
  gpu::Device device;
};
NativeBuffer unwrap_buffer(const runtime::Value& object);

}  // namespace alknet::platform::webgpu
