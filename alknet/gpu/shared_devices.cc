#include "alknet/gpu/shared_devices.h"

namespace alknet::gpu {

const Instance& SharedDevices::loaded() {
  if (!instance_) instance_.emplace();
  return *instance_;
}

Instance SharedDevices::instance() {
  const std::lock_guard lock(mutex_);
  return loaded();
}

Device SharedDevices::open(std::string_view id) {
  const std::lock_guard lock(mutex_);
  Device& device = devices_[std::string(id)];
  if (!device || device.lost()) device = loaded().acquire(id, options_);
  return device;
}

}  // namespace alknet::gpu
