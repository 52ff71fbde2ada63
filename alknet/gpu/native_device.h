#pragma once

#include <webgpu.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "alknet/base/function_ref.h"
#include "alknet/gpu/device.h"
#include "alknet/gpu/provider.h"

namespace alknet::gpu {

/// What a provider reported of a group of calls.
struct NativeError {
  WGPUErrorType type{};
  std::string message;
};

/// Tells a callback no more when it goes.
using LostSubscription = std::shared_ptr<void>;

/// A device as webgpu.h has it, for the layer that gives scripts all of WebGPU: objects made here are the caller's to
/// release, and the rest of this layer knows nothing of them. Cheap to copy; keeps the device open. Thread-safe.
class NativeDevice {
 public:
  explicit NativeDevice(Device device) : device_(std::move(device)) {}

  const Device& device() const { return device_; }
  WGPUDevice handle() const;
  WGPUQueue queue() const;
  const Functions& functions() const;

  /// The function of webgpu.h named `symbol`; null where the library has none.
  void* function(const char* symbol) const;

  /// The library's number of a texture format that webgpu.h numbers `standard`.
  std::uint32_t texture_format(std::uint32_t standard) const;

  /// Makes provider calls that no other thread's come between, and returns the first error that they reported. A device
  /// that is lost reports none.
  std::optional<NativeError> run(FunctionRef<void()> calls) const;

  /// Blocks until the call is done; errors of waiting count as done.
  void wait(Completion& call) const;

  /// Blocks until all work submitted so far is done or the device is lost.
  void wait_queue() const;

  /// Whether it can tell of the messages of a shader that compiles, and make pipelines beside other work.
  bool answers_later() const;

  /// Calls `callback` once, on any thread, when the device is lost, as long as the subscription lives. Not when it is
  /// lost already: see Device::lost.
  [[nodiscard]] LostSubscription on_lost(std::function<void()> callback) const;

  std::string lost_message() const;

 private:
  Device device_;
};

/// The buffer below a Buffer, which keeps owning it, and the usage that it was made with.
WGPUBuffer native_buffer(const Buffer& buffer);
WGPUBufferUsage native_usage(const Buffer& buffer);

/// A Buffer of `bytes` over a provider's buffer of `device`, of which it takes a reference and which it never destroys.
/// `owner` is kept as long as the Buffer's memory is used. All its memory counts as allocated: see
/// Buffer::allocated_size.
Buffer adopt_buffer(const Device& device, WGPUBuffer native, std::uint64_t bytes,
                    std::shared_ptr<const void> owner = nullptr);

}  // namespace alknet::gpu
