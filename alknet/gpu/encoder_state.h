#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/gpu/device_state.h"
#include "alknet/gpu/encoder.h"
#include "alknet/gpu/timing.h"

namespace alknet::gpu {

/// A recording under way. Kept by the device after use, so that its vectors keep their memory.
struct Encoder::State {
  struct Dispatch {
    std::shared_ptr<const Pipeline::State> pipeline;
    std::shared_ptr<const BindGroup::State> group;
    std::string_view label;
    std::string_view name() const { return label.empty() ? std::string_view(pipeline->name) : label; }
  };

  std::shared_ptr<DeviceState> device;
  std::string label;
  Handle<WGPUCommandEncoder> encoder;
  Handle<WGPUComputePassEncoder> pass;
  const Pipeline::State* pipeline = nullptr;  // set in the pass, as the group; alive in `dispatches`
  const BindGroup::State* group = nullptr;
  std::vector<Dispatch> dispatches;
  std::vector<UniformRing*> rings;
  std::unique_ptr<TimingRecorder> timing;

  /// Opens a pass where none is open, or a new one with timestamps when timing.
  void open_pass();
  void close_pass();
  WGPUCommandEncoder commands();

  /// Hands what was recorded to the queue; recording may go on. The device's mutex is held.
  void submit();

  /// Throws `destroyed` when a buffer of a recorded dispatch is.
  void check_buffers() const;

  /// Drops everything recorded and the hold on the device.
  void reset();
};

struct Submission::State {
  std::shared_ptr<DeviceState> device;
  StagingBuffer staging;
  std::mutex mutex;
  bool read = false;
  std::vector<KernelTime> times;  // named at once, measured when read
};

/// Reads the timestamps of a finished submission into `times`.
void read_timestamps(Submission::State& timing);

}  // namespace alknet::gpu
