#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alknet/gpu/instance.h"
#include "alknet/platform/webgpu/binding.h"
#include "alknet/platform/webgpu/object.h"

namespace alknet::platform::webgpu {

/// A GPUAdapter.
class AdapterObject final : public GpuObject {
 public:
  AdapterObject(gpu::Instance from, gpu::AdapterInfo what)
      : GpuObject(interface_named("GPUAdapter"), nullptr, nullptr), instance(std::move(from)), info(std::move(what)) {}

  gpu::Instance instance;
  gpu::AdapterInfo info;
  bool consumed = false;  ///< A device was made of it.
};

/// GPUSupportedFeatures or WGSLLanguageFeatures: a set of names, in a JavaScript Set underneath.
runtime::Value make_name_set(Binding& binding, std::string_view interface, std::span<const std::string> names);

/// A GPUSupportedLimits.
using LimitValue = std::pair<std::string_view, std::uint64_t>;
runtime::Value make_limits(Binding& binding, std::span<const LimitValue> limits);

/// A GPUAdapterInfo.
runtime::Value make_adapter_info(Binding& binding, const gpu::AdapterInfo& info);

/// The features of a list that WebGPU knows.
std::vector<std::string> standard_features(std::span<const std::string> features);

/// The GPUDevice for a view of `device`, with the features and limits that it is to show.
runtime::Value make_device(Binding& binding, const gpu::Device& device, std::span<const std::string> features,
                           std::span<const LimitValue> limits, const std::string& label,
                           const std::string& queue_label);

}  // namespace alknet::platform::webgpu
