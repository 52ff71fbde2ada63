#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/gpu/adapter.h"
#include "alknet/gpu/buffer.h"
#include "alknet/gpu/encoder.h"
#include "alknet/gpu/error.h"
#include "alknet/gpu/pipeline.h"

namespace alknet::gpu {

/// What the device is for.
enum class DeviceIntent {
  kComputeOnly,
};

struct DeviceOptions {
  DeviceIntent intent = DeviceIntent::kComputeOnly;
  /// true: kernels cannot reach outside their buffers whatever they do; needed for anybody else's WGSL.
  /// false: no bounds checks in kernels, and experimental features on; only for kernels that alknet generates.
  bool robust = true;
  std::string label = {};
  /// Features to have besides those that kernels make use of, where the adapter has them ("texture-compression-bc").
  std::vector<std::string> features = {};
};

/// The limits that callers compute with; the full list is Device::limits.
struct Limits {
  std::uint64_t max_buffer_size = 0;                 ///< Bytes.
  std::uint64_t max_storage_binding_size = 0;        ///< Bytes.
  std::uint64_t max_uniform_binding_size = 0;        ///< Bytes.
  std::uint32_t min_storage_offset_alignment = 256;  ///< Bytes.
  std::uint32_t min_uniform_offset_alignment = 256;  ///< Bytes.
  std::uint32_t max_storage_buffers = 8;             ///< Storage bindings of one kernel.
  std::uint32_t max_bindings = 1000;                 ///< Bindings of one group.
  std::uint32_t max_workgroup_storage = 0;           ///< Bytes of var<workgroup>.
  std::uint32_t max_workgroup_invocations = 0;
  std::uint32_t max_workgroup_size_x = 0;
  std::uint32_t max_workgroup_size_y = 0;
  std::uint32_t max_workgroup_size_z = 0;
  std::uint32_t max_workgroups_per_dimension = 0;
};

/// A readback under way: made by Device::readback_async. Move-only; dropping it abandons the bytes.
class PendingReadback {
 public:
  PendingReadback();
  ~PendingReadback();
  PendingReadback(PendingReadback&&) noexcept;
  PendingReadback& operator=(PendingReadback&&) noexcept;

  /// Blocks until the bytes are there and copies them out; `target` has the size asked for. Once only.
  void wait(std::span<std::byte> target);

  struct State;
  explicit PendingReadback(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

/// A WebGPU device: memory, kernels and one queue. Made by Instance::acquire.
///
/// A cheap handle: copies are the same device, which lives as long as a Device, Buffer, BindGroup or
/// Submission of it does. Thread-safe: any member may be called from any thread (an Encoder, PendingReadback or
/// UniformRing belongs to one thread at a time); waiting blocks no other thread.
///
/// Every member may throw, besides what it names: `device_lost` once the device is lost (all pending work and every
/// later call fail so; acquire a new device), `destroyed` after `destroy`, `validation_failed` for an object of another
/// device. Nothing WebGPU refuses is silent and nothing ends the process.
class Device {
 public:
  Device() = default;
  explicit operator bool() const { return state_ != nullptr; }
  friend bool operator==(const Device& a, const Device& b) { return a.state_ == b.state_; }

  // ---- What it is -------------------------------------------------------------------------------------------------
  const AdapterInfo& adapter() const;
  std::string_view provider() const;  ///< "dawn", "wgpu".
  bool robust() const;
  const std::string& label() const;
  const Limits& limits() const;
  std::span<const Limit> all_limits() const;      ///< Every limit granted, under WebGPU's names.
  std::span<const std::string> features() const;  ///< Every feature granted, sorted ("shader-f16", "subgroups").
  bool has_feature(std::string_view feature) const;
  bool has_mappable_buffers() const;  ///< Whether BufferUsage::kHostVisible is possible.

  // ---- Memory -----------------------------------------------------------------------------------------------------
  /// Memory of `bytes` (0 is allowed), zero-filled. Throws `limit_exceeded`, `out_of_memory`, `feature_missing`.
  Buffer create_buffer(std::uint64_t bytes, BufferUsage usage = BufferUsage::kStorage,
                       std::string_view label = {}) const;

  /// Memory that holds a copy of `contents`: the fast way to upload weights.
  Buffer create_buffer(std::span<const std::byte> contents, BufferUsage usage = BufferUsage::kStorage,
                       std::string_view label = {}) const;

  /// Copies bytes into a buffer, in order with submissions; returns when `bytes` may be reused. `offset` is a multiple
  /// of 4; any size is allowed (up to 3 bytes after the last one, within the buffer, are zeroed). Large writes go in
  /// chunks, so the memory that stages them stays bounded. Throws `validation_failed` outside the buffer.
  void write_buffer(const Buffer& buffer, std::uint64_t offset, std::span<const std::byte> bytes) const;

  /// Copies bytes of a buffer out, after all work submitted so far. `offset` is a multiple of 4, any size is allowed.
  void readback(const Buffer& buffer, std::uint64_t offset, std::span<std::byte> target) const;

  /// As readback, without waiting. Meant for small results: it stages all bytes at once.
  PendingReadback readback_async(const Buffer& buffer, std::uint64_t offset, std::uint64_t bytes) const;

  // ---- Kernels ----------------------------------------------------------------------------------------------------
  /// Compiles a kernel, or returns the one compiled before from an equal source. Throws `shader_invalid` with the
  /// kernel's name and the compiler's messages (details: `kernel`, `line`, `column`, `messages`).
  Pipeline compile_shader(const KernelSource& source) const;

  /// Compiles many kernels at the same time on the provider's threads; results in order. The first failure is thrown.
  std::vector<Pipeline> compile_shaders(std::span<const KernelSource> sources) const;

  /// Pipelines compiled so far (cache entries): for tests and statistics.
  std::size_t pipeline_count() const;

  /// Binds buffers 0, 1, 2, ... to the kernel's group 0. Throws `validation_failed` (count, alignment, range, usage),
  /// `limit_exceeded`, `destroyed`.
  BindGroup create_bind_group(const Pipeline& pipeline, std::span<const Binding> bindings) const;

  // ---- Work -------------------------------------------------------------------------------------------------------
  Encoder encoder(const EncoderOptions& options = {}) const;

  /// Hands recorded work to the device; runs after everything submitted before.
  Submission submit(Encoder&& encoder) const;

  /// One dispatch, submitted at once: the short form for kernels used alone.
  Submission dispatch(const Pipeline& pipeline, std::span<const Binding> bindings, Workgroups workgroups) const;

  /// Blocks until all work submitted so far is done, without polling. Throws `timeout` after `limit`.
  void wait(std::chrono::nanoseconds limit = std::chrono::nanoseconds::max()) const;

  // ---- End --------------------------------------------------------------------------------------------------------
  /// Whether the device was lost (not: destroyed).
  bool lost() const;

  /// Frees everything the device holds now; pending work fails with `destroyed`. Also for other handles of it.
  void destroy() const;

  /// Makes the device lost as a driver reset would: to test how callers cope.
  void lose(std::string_view message) const;

  const std::shared_ptr<DeviceState>& state() const { return state_; }
  explicit Device(std::shared_ptr<DeviceState> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<DeviceState> state_;
};

}  // namespace alknet::gpu
