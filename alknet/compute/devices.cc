#include "alknet/compute/devices.h"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <mutex>

#include "alknet/base/error.h"
#include "alknet/compute/device_cpu/cpu_backend.h"
#include "alknet/compute/device_gpu/gpu_backend.h"
#include "alknet/compute/error.h"
#include "alknet/gpu/instance.h"
#include "alknet/gpu/shared_devices.h"

namespace alknet::compute {

struct Devices::State {
  explicit State(const Options& options) : threads(options.threads), gpus(options.gpus) {
    if (gpus == nullptr) gpus = std::make_shared<gpu::SharedDevices>(device_options(options));
  }

  static gpu::DeviceOptions device_options(const Options& options) {
    gpu::DeviceOptions result;
    result.robust = options.robust;
    result.label = "alknet";
    return result;
  }

  /// The id that `name` stands for. Looks at GPUs only when it must: loading their library takes a while.
  std::string resolve(std::string_view name) {
    if (name == "cpu") return "cpu";
    if (name.empty()) {
      if (!gpu::machine_has_gpu()) return "cpu";
      const auto survey = gpu::survey();
      for (const auto& adapter : survey.adapters) {
        if (adapter.usable && adapter.type == gpu::AdapterType::kDiscrete) return adapter.id;
      }
      return "cpu";
    }
    std::string known = "cpu";
    const gpu::Instance instance = gpus->instance();
    for (const auto& adapter : instance.adapters()) {
      if (adapter.id == name || name == "gpu") return adapter.id;
      known += ", " + adapter.id;
    }
    const std::string& reason = instance.reason();
    throw Error(ComputeError::kUnknownDevice, fmt::format("there is no device \"{}\"; this machine has {}{}{}", name,
                                                          known, reason.empty() ? "" : ". No GPU: ", reason));
  }

  std::shared_ptr<Backend> make(const std::string& id) {
    if (id == "cpu") return make_cpu_backend({threads});
    auto device = std::make_shared<gpu::Device>(gpus->open(id));
    GpuBackendOptions backend_options;
    backend_options.id = id;
    return make_gpu_backend(std::move(device), backend_options);
  }

  std::size_t threads;
  std::shared_ptr<gpu::SharedDevices> gpus;
  std::mutex mutex;  // guards what follows
  std::map<std::string, std::shared_ptr<Backend>, std::less<>> open;
  std::chrono::nanoseconds opening{};
};

Devices::Devices() : Devices(Options()) {}
Devices::Devices(const Options& options) : state_(std::make_unique<State>(options)) {}
Devices::~Devices() = default;

std::shared_ptr<Backend> Devices::open(std::string_view name) {
  const std::lock_guard lock(state_->mutex);
  const auto began = std::chrono::steady_clock::now();
  const std::string id = state_->resolve(name);
  auto& backend = state_->open[id];
  if (!backend || backend->lost()) backend = state_->make(id);
  state_->opening += std::chrono::steady_clock::now() - began;
  return backend;
}

std::chrono::nanoseconds Devices::opening_time() const {
  const std::lock_guard lock(state_->mutex);
  return state_->opening;
}

}  // namespace alknet::compute
