#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alknet/gpu/device.h"
#include "alknet/gpu/instance.h"
#include "alknet/runtime/value.h"

namespace alknet::platform::webgpu {

struct Coverage;

/// Where `navigator.gpu` gets its adapters and devices. Both functions are called on the isolate's thread, when script
/// asks for an adapter or a device, not before; an Error that they throw makes the promise null or rejects it.
struct WebGpuOptions {
  std::function<gpu::Instance()> instance;

  /// The program's own device of an adapter, by its id: what `requestDevice` gives a view of. It should be robust and
  /// have the features of `feature_list`: what it lacks, script cannot have. Null: each gets its own.
  std::function<gpu::Device(const std::string& id)> device = {};

  /// For tests: notes what script uses. Null: nothing is noted. Outlives the isolate.
  Coverage* coverage = nullptr;
};

/// Defines the standard WebGPU API (https://www.w3.org/TR/webgpu/) in a realm: `navigator.gpu` and the globals
/// (GPUBufferUsage, GPUDevice, ...), made when first touched. Only for scripts that may use the GPU.
void install_webgpu(runtime::Realm realm, WebGpuOptions options);

/// The features that WebGPU has, by their names: what a device to be shared with scripts should be made with, where the
/// adapter has them.
std::vector<std::string> feature_list();

/// A GPUDevice that is a view of `device`, as `requestDevice` would give.
runtime::Value wrap_device(runtime::Realm realm, const gpu::Device& device);

/// Who owns the memory of a GPUBuffer that wrap_buffer made.
class BufferOwner {
 public:
  virtual ~BufferOwner() = default;
};

/// Memory of the program that script may see as a GPUBuffer.
struct SharedBuffer {
  std::shared_ptr<const gpu::Buffer> buffer;
  std::uint64_t size = 0;  ///< Bytes that script sees, a multiple of 4; 0: all.
  std::shared_ptr<const BufferOwner> owner = {};
};

/// A GPUBuffer over the memory of `shared`, which is not copied and stays alive as long as the object. `device` is a
/// GPUDevice of the same device (else Error `invalid_argument`). Destroying the GPUBuffer ends the view only.
runtime::Value wrap_buffer(const runtime::Value& device, SharedBuffer shared);

/// Ends the view of a wrap_buffer: calls that use it cause a GPUValidationError that says `why`, and its memory is
/// destroyed as soon as its owner lets it go. Nothing for other objects.
void revoke_buffer(const runtime::Value& object, std::string why);

/// The buffer below a GPUBuffer (a WGPUBuffer). `object` keeps it alive.
struct NativeBuffer {
  void* buffer = nullptr;   ///< Null: `object` is no GPUBuffer, or one that cannot be used any more.
  std::uint64_t size = 0;   ///< Bytes.
  std::uint64_t usage = 0;  ///< WebGPU's flags.
  bool mapped = false;      ///< Or about to be.
  gpu::Device device = {};
  SharedBuffer shared = {};  ///< Of a view of wrap_buffer.
};
NativeBuffer unwrap_buffer(const runtime::Value& object);

/// From now on `destroy` of the GPUBuffer, or of its device, does not free the memory: somebody else uses it too.
void keep_memory(const runtime::Value& object);

}  // namespace alknet::platform::webgpu
