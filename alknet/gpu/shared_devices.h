#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "alknet/gpu/device.h"
#include "alknet/gpu/instance.h"

namespace alknet::gpu {

/// The devices that a process has: one an adapter, which all who ask for it share. Nothing is loaded before somebody
/// asks; a device that was lost is made anew. Thread-safe.
class SharedDevices {
 public:
  /// `options` are those of every device.
  explicit SharedDevices(DeviceOptions options) : options_(std::move(options)) {}

  /// The WebGPU library. Throws what loading throws.
  Instance instance();

  /// The device of an adapter by its id ("gpu:0"). Throws what Instance::acquire throws.
  Device open(std::string_view id);

 private:
  const Instance& loaded();

  const DeviceOptions options_;
  std::mutex mutex_;  // guards what follows
  std::optional<Instance> instance_;
  std::map<std::string, Device, std::less<>> devices_;
};

}  // namespace alknet::gpu
