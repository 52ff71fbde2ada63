#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/gpu/device.h"
#include "alknet/gpu/handle.h"
#include "alknet/gpu/instance_state.h"
#include "alknet/gpu/staging.h"

namespace alknet::gpu {

/// What a provider reports about a device from its callbacks, on whatever thread it likes. Thread-safe.
class ErrorSink {
 public:
  struct Report {
    WGPUErrorType type{};
    std::string message;
  };

  void report(WGPUErrorType type, std::string_view message) noexcept;
  void lost(WGPUDeviceLostReason reason, std::string_view message) noexcept;

  /// The first error reported since the last call.
  std::optional<Report> take() noexcept;

  /// Calls `callback` when the device is lost, as long as what this returns lives.
  std::shared_ptr<void> subscribe(std::function<void()> callback);

  bool is_lost() const { return lost_.load(std::memory_order_acquire); }
  std::string lost_message() const;

 private:
  mutable std::mutex mutex_;
  std::optional<Report> report_;
  std::atomic<bool> has_report_{false};
  std::atomic<bool> lost_{false};
  std::string lost_message_;
  std::vector<std::weak_ptr<std::function<void()>>> subscribers_;
};

struct BindLayout;

/// A device with everything that its Buffers, Pipelines and Encoders share.
struct DeviceState : std::enable_shared_from_this<DeviceState> {
  DeviceState();
  ~DeviceState();

  std::shared_ptr<const Instance::State> instance;
  std::shared_ptr<ErrorSink> sink;
  AdapterInfo adapter;
  DeviceOptions options;
  Limits limits;
  std::vector<Limit> all_limits;
  std::vector<std::string> features;
  bool mappable_buffers = false;

  Handle<WGPUDevice> device;
  Handle<WGPUQueue> queue;
  std::atomic<bool> destroyed{false};

  // The provider guards itself; this makes its error reports belong to the call that caused them, and guards everything
  // below.
  std::mutex mutex;
  Staging staging;
  std::uint64_t small_writes = 0;  // bytes since the provider's staging memory was last let go
  std::map<std::vector<BindingKind>, std::shared_ptr<const BindLayout>> layouts;
  std::unordered_map<std::string, std::shared_ptr<const Pipeline::State>> pipelines;
  std::vector<std::unique_ptr<Encoder::State>> spare_encoders;  // their vectors keep their memory

  const Functions& functions() const { return instance->functions(); }

  UploadRing uploads;  // has a mutex of its own, taken before `mutex`

  /// Throws `device_lost` or `destroyed` when the device is gone.
  void check_alive() const;

  /// Throws what the provider reported since the last call. `subject` names the kernel or buffer in the message.
  void check_reports(std::string_view subject);

  /// Waits for a call without holding the mutex. False: the time was over.
  bool await(Completion& call, std::chrono::nanoseconds limit = std::chrono::nanoseconds::max());

  /// Waits for all work submitted so far. False: the time was over.
  bool await_queue(std::chrono::nanoseconds limit = std::chrono::nanoseconds::max());

  Error gone_error() const;

 private:
  /// Whether a wait ended with the work done (false: the time was over); throws when it failed.
  bool finish_wait(WGPUWaitStatus status) const;
};

/// Takes the device's lock for a group of provider calls; a device that is gone throws.
class ProviderCall {
 public:
  explicit ProviderCall(DeviceState& state) : state_(state), lock_(state.mutex) { state.check_alive(); }

  /// Throws what the calls so far reported.
  void check(std::string_view subject) const { state_.check_reports(subject); }

 private:
  DeviceState& state_;
  std::lock_guard<std::mutex> lock_;
};

/// Layout of a kernel's group 0 and of the pipelines that use it.
struct BindLayout {
  Handle<WGPUBindGroupLayout> group;
  Handle<WGPUPipelineLayout> pipeline;  // null when derived from a shader
  std::vector<BindingKind> kinds;       // empty when derived from a shader
};

struct Pipeline::State {
  std::string name;
  Handle<WGPUComputePipeline> pipeline;
  std::shared_ptr<const BindLayout> layout;
  std::shared_ptr<const ErrorSink> device;  // says which device it is of, without keeping it open
};

struct BindGroup::State {
  struct Dynamic {
    std::size_t buffer = 0;         // index in `buffers`
    std::uint64_t last_offset = 0;  // the largest offset that stays inside the buffer
  };
  Handle<WGPUBindGroup> group;
  std::shared_ptr<const BindLayout> layout;
  std::vector<std::shared_ptr<Buffer::State>> buffers;
  std::vector<Dynamic> dynamic;
  std::shared_ptr<const ErrorSink> device;
};

struct Buffer::State {
  std::shared_ptr<DeviceState> device;
  Handle<WGPUBuffer> buffer;
  std::uint64_t size = 0;
  std::uint64_t allocated_size = 0;
  BufferUsage usage{};
  std::string label;
  std::atomic<bool> destroyed{false};
  std::atomic<int> loans{0};          // see Buffer::lend
  std::shared_ptr<const void> owner;  // of the memory, where that is not this

  ~State();
  void release() noexcept;
  void destroy() noexcept;
  std::string describe() const;
};

/// The usage that the provider's buffer is made with.
WGPUBufferUsage provider_usage(BufferUsage usage);

/// The buffer's state; throws when it has none, belongs to another device or was destroyed.
Buffer::State& usable_state(const Buffer& buffer, const DeviceState& device);

}  // namespace alknet::gpu
