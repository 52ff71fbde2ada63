#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "alknet/compute/backend.h"

namespace alknet::gpu {
class SharedDevices;
}

namespace alknet::compute {

/// The devices of this machine by name: `cpu`, and `gpu:N` for each WebGPU adapter. Devices are acquired on first use
/// and shared from then on; one that was lost is acquired anew. Thread-safe.
class Devices {
 public:
  struct Options {
    std::size_t threads = 0;  ///< Of `cpu`; 0 takes the machine's.
    /// Whether kernels check bounds by themselves; needed for shaders that others wrote. See gpu::DeviceOptions.
    bool robust = true;
    /// Where WebGPU devices come from, for a program that uses them itself too; `robust` is theirs then. Null: made
    /// here.
    std::shared_ptr<gpu::SharedDevices> gpus = {};
  };

  Devices();
  explicit Devices(const Options& options);
  ~Devices();

  /// The backend of `cpu`, `gpu` (the first adapter) or `gpu:N`; an empty name means the default: the first discrete
  /// GPU, else `cpu`. Throws Error `unknown_device` that lists what there is, or why there is no GPU.
  std::shared_ptr<Backend> open(std::string_view name);

  /// What looking for devices and acquiring them has taken so far.
  std::chrono::nanoseconds opening_time() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace alknet::compute
