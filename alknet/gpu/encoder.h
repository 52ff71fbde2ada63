#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/gpu/buffer.h"
#include "alknet/gpu/pipeline.h"

namespace alknet::gpu {

class Device;
class UniformRing;

struct EncoderOptions {
  std::string_view label = {};  ///< Named in errors of the whole submission.
  /// Measures each dispatch by timestamp queries (feature "timestamp-query", else `feature_missing`). Each dispatch
  /// then gets a pass of its own, which costs some microseconds.
  bool timing = false;
};

/// Records GPU work: many dispatches go into one compute pass, the whole into one submission. Made by Device::encoder,
/// consumed by Device::submit; dropped without, nothing runs. Used by one thread at a time.
///
/// Work runs in the order recorded, and each dispatch sees what earlier ones wrote. Everything WebGPU would refuse
/// later is checked at the call, so the error names the kernel: workgroup counts, bind group, ranges, destroyed things.
class Encoder {
 public:
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;
  ~Encoder();

  /// Runs a kernel. `dynamic_offsets` has one entry a kDynamicUniform binding, in binding order. `label` names this
  /// dispatch in timings and errors instead of the kernel's name; it must stay alive until submit.
  /// Throws `limit_exceeded` (more than Limits::max_workgroups_per_dimension), `validation_failed` (bind group of
  /// another layout or device), `destroyed`.
  void dispatch(const Pipeline& pipeline, const BindGroup& bind_group, Workgroups workgroups,
                std::span<const std::uint32_t> dynamic_offsets = {}, std::string_view label = {});

  /// As dispatch, with the three u32 workgroup counts read from `counts` (usage kIndirect) at `offset`, a multiple
  /// of 4.
  void dispatch_indirect(const Pipeline& pipeline, const BindGroup& bind_group, const Buffer& counts,
                         std::uint64_t offset, std::span<const std::uint32_t> dynamic_offsets = {},
                         std::string_view label = {});

  /// Copies bytes between distinct buffers. Offsets and size are multiples of 4 and within `allocated_size`.
  void copy(const Buffer& source, std::uint64_t source_offset, const Buffer& target, std::uint64_t target_offset,
            std::uint64_t bytes);

  /// Fills bytes with zeros. Offset and size are multiples of 4 and within `allocated_size`.
  void clear(const Buffer& buffer, std::uint64_t offset, std::uint64_t bytes);

  /// Places a parameter block in the ring and returns its dynamic offset for the next dispatch. Submitting uploads the
  /// ring. When the ring is full, the work recorded so far is submitted and recording goes on.
  std::uint32_t push_uniform(UniformRing& ring, std::span<const std::byte> block);

  /// Dispatches recorded so far.
  std::size_t dispatch_count() const;

  struct State;
  explicit Encoder(std::unique_ptr<State> state);

 private:
  friend class Device;

  std::unique_ptr<State> state_;
};

/// Time that one dispatch took on the device.
struct KernelTime {
  std::string name;  ///< The dispatch's label, else the kernel's name.
  std::chrono::nanoseconds duration{0};
};

/// Work handed to the device by Device::submit. Dropping it does not stop the work. Thread-safe.
class Submission {
 public:
  Submission() = default;

  /// Blocks until the work is done, without polling. Throws `device_lost`.
  void wait() const;

  /// Times of the dispatches in order, when EncoderOptions::timing was set (else empty). Blocks until the work is done.
  std::vector<KernelTime> timings() const;

  struct State;
  explicit Submission(std::shared_ptr<DeviceState> device, std::shared_ptr<State> timing = nullptr);

 private:
  std::shared_ptr<DeviceState> device_;
  std::shared_ptr<State> timing_;
};

}  // namespace alknet::gpu
