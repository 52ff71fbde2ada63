// GPU and GPUAdapter: from navigator.gpu to a device.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "alknet/platform/webgpu/adapter_object.h"
#include "alknet/platform/webgpu/errors.h"
#include "alknet/platform/webgpu/limits.h"
#include "alknet/platform/webgpu/own_structs.h"

namespace alknet::platform::webgpu {

using runtime::Realm;
using runtime::Value;

namespace {

std::span<const EnumValue> feature_names() {
  static const auto kRow = std::ranges::find(kEnums, "GPUFeatureName", &EnumRow::name);
  return rows(kEnumValues, kRow->values);
}

// The adapter that the options mean: the first, the first that saves power, or the software one.
const gpu::AdapterInfo* choose_adapter(std::span<const gpu::AdapterInfo> adapters,
                                       const OwnRequestAdapterOptions& options) {
  const bool software = options.forceFallbackAdapter != WGPU_FALSE;
  const bool saving = options.powerPreference == WGPUPowerPreference_LowPower;
  const gpu::AdapterInfo* chosen = nullptr;
  for (const gpu::AdapterInfo& adapter : adapters) {
    if (!adapter.usable || (software && adapter.type != gpu::AdapterType::kSoftware)) continue;
    const bool better = saving && adapter.type == gpu::AdapterType::kIntegrated;
    if (chosen == nullptr || (better && chosen->type != gpu::AdapterType::kIntegrated)) chosen = &adapter;
  }
  return chosen;
}

std::vector<LimitValue> limits_of(const gpu::AdapterInfo& info) {
  std::vector<LimitValue> result;
  for (const StandardLimit& limit : standard_limits())
    result.emplace_back(limit.name, adapter_limit(info.limits, limit));
  return result;
}

Value request_adapter(Call& call) {
  const auto& options = *call.pointer<OwnRequestAdapterOptions>(1);
  const std::string_view level = gpu::text_of(options.featureLevel);
  const Value null = call.realm.null();
  if (level != "core" && level != "compatibility") return resolved_promise(call.realm, null);
  try {
    const gpu::Instance& instance = call.binding.instance();
    const gpu::AdapterInfo* info = choose_adapter(instance.adapters(), options);
    if (info == nullptr) return resolved_promise(call.realm, null);
    auto object = std::make_unique<AdapterObject>(instance, *info);
    object->set_attribute("features",
                          make_name_set(call.binding, "GPUSupportedFeatures", standard_features(info->features)));
    object->set_attribute("limits", make_limits(call.binding, limits_of(*info)));
    object->set_attribute("info", make_adapter_info(call.binding, *info));
    return resolved_promise(call.realm, call.binding.make(std::move(object)));
  } catch (const runtime::ScriptError&) {
    throw;
  } catch (const Error&) {
    return resolved_promise(call.realm, null);  // no WebGPU library: as on a machine without a GPU
  }
}

Value preferred_canvas_format(Call& call) {
  call.binding.touch("GPUTextureFormat", "rgba8unorm");
  return call.realm.string("rgba8unorm");
}

// The limits that a device gets for `wanted`; refuses what the adapter has not.
std::vector<LimitValue> granted_limits(const Call& call, const gpu::AdapterInfo& info,
                                       std::span<const OwnLimitEntry> wanted) {
  std::vector<LimitValue> result;
  for (const StandardLimit& limit : standard_limits()) {
    const std::uint64_t best = adapter_limit(info.limits, limit);
    result.emplace_back(limit.name, limit.alignment ? std::max(limit.value, best) : std::min(limit.value, best));
  }
  for (const OwnLimitEntry& entry : wanted) {
    const std::string_view name = gpu::text_of(entry.key);
    const auto standard = std::ranges::find(standard_limits(), name, &StandardLimit::name);
    const auto refuse = [&](const std::string& why) {
      throw dom_exception(call.realm, "OperationError",
                          fmt::format("GPUAdapter.requestDevice: descriptor.requiredLimits.{} {}", name, why));
    };
    if (standard == standard_limits().end()) refuse("is no limit of WebGPU");
    const std::uint64_t best = adapter_limit(info.limits, *standard);
    const bool better = standard->alignment ? entry.value < best : entry.value > best;
    if (better) refuse(fmt::format("is {}; the adapter has {}", entry.value, best));
    if (standard->alignment && !std::has_single_bit(entry.value)) refuse("is no power of 2");
    std::uint64_t& granted = std::ranges::find(result, name, &LimitValue::first)->second;
    granted = standard->alignment ? std::min(granted, entry.value) : std::max(granted, entry.value);
  }
  return result;
}

// The device that others use too may have less than its adapter, and gets no more.
void require_shared(const Call& call, const gpu::Device& device, std::span<const std::string> features,
                    std::span<const LimitValue> limits) {
  const auto refuse = [&](const std::string& what) {
    throw dom_exception(call.realm, "OperationError",
                        "GPUAdapter.requestDevice: the device that this program shares has not " + what);
  };
  for (const std::string& name : features) {
    if (name != "core-features-and-limits" && !device.has_feature(name)) refuse(fmt::format("the feature '{}'", name));
  }
  for (const StandardLimit& limit : standard_limits()) {
    const std::uint64_t wanted = std::ranges::find(limits, limit.name, &LimitValue::first)->second;
    const std::uint64_t there = adapter_limit(device.all_limits(), limit);
    const bool enough = limit.alignment ? there <= wanted : there >= wanted;
    if (!enough) refuse(fmt::format("{} {}: it is {}", limit.name, wanted, there));
  }
}

Value request_device(Call& call) {
  auto& adapter = static_cast<AdapterObject&>(call.object);
  const auto& descriptor = *call.pointer<OwnDeviceDescriptor>(1);
  std::vector<std::string> features = {"core-features-and-limits"};
  for (const WGPUFeatureName number : std::span(descriptor.requiredFeatures, descriptor.requiredFeatureCount)) {
    const auto row = std::ranges::find(feature_names(), static_cast<std::uint32_t>(number), &EnumValue::number);
    const std::string name(row->text);
    if (name != "core-features-and-limits" && !adapter.info.has_feature(name)) {
      return rejected_promise(call.realm, call.realm.type_error(fmt::format(
                                              "GPUAdapter.requestDevice: the adapter has not the feature '{}'", name)));
    }
    if (std::ranges::find(features, name) == features.end()) features.push_back(name);
  }
  const std::vector<LimitValue> limits =
      granted_limits(call, adapter.info, {descriptor.requiredLimits, descriptor.requiredLimitCount});
  if (adapter.consumed) {
    return rejected_promise(call.realm,
                            dom_exception(call.realm, "OperationError",
                                          "GPUAdapter.requestDevice: a device was made of this adapter already"));
  }
  adapter.consumed = true;
  const WebGpuOptions& options = call.binding.options();
  try {
    gpu::Device device;
    if (options.device) device = options.device(adapter.info.id);
    if (device && !device.lost()) {
      require_shared(call, device, features, limits);
    } else {
      gpu::DeviceOptions own;
      own.label = call.converter.label;
      own.features = features;
      device = adapter.instance.acquire(adapter.info.id, own);
    }
    const Value queue = call.arguments[0].is_object() ? call.arguments[0].get("defaultQueue") : Value();
    const Value label = queue.is_object() ? queue.get("label") : Value();
    return resolved_promise(call.realm, make_device(call.binding, device, features, limits, call.converter.label,
                                                    label.is_undefined() ? std::string() : label.to_string()));
  } catch (const runtime::ScriptError&) {
    throw;
  } catch (const Error& error) {
    return rejected_promise(call.realm, dom_exception(call.realm, "OperationError", error.message()));
  }
}

constexpr SpecialMethod kAdapterMethods[] = {
    {"GPU.requestAdapter", request_adapter},
    {"GPU.getPreferredCanvasFormat", preferred_canvas_format},
    {"GPUAdapter.requestDevice", request_device},
};

}  // namespace

std::span<const SpecialMethod> adapter_methods() { return kAdapterMethods; }

std::vector<std::string> feature_list() {
  std::vector<std::string> result;
  for (const EnumValue& value : feature_names()) result.emplace_back(value.text);
  return result;
}

std::vector<std::string> standard_features(std::span<const std::string> features) {
  std::vector<std::string> result = {"core-features-and-limits"};
  for (const EnumValue& value : feature_names()) {
    const bool has = std::ranges::find(features, value.text) != features.end();
    if (has && value.text != result.front()) result.emplace_back(value.text);
  }
  return result;
}

Value make_limits(Binding& binding, std::span<const LimitValue> limits) {
  auto object = std::make_unique<GpuObject>(interface_named("GPUSupportedLimits"), nullptr, nullptr);
  for (const auto& [name, value] : limits)
    object->set_attribute(name, binding.realm().number(static_cast<double>(value)));
  return binding.make(std::move(object));
}

Value make_adapter_info(Binding& binding, const gpu::AdapterInfo& info) {
  const Realm realm = binding.realm();
  auto object = std::make_unique<GpuObject>(interface_named("GPUAdapterInfo"), nullptr, nullptr);
  object->set_attribute("vendor", realm.string(info.vendor));
  object->set_attribute("architecture", realm.string(info.architecture));
  object->set_attribute("device", realm.string(info.name));
  object->set_attribute("description", realm.string(info.driver));
  object->set_attribute("subgroupMinSize", realm.number(info.subgroup_min_size == 0 ? 4 : info.subgroup_min_size));
  object->set_attribute("subgroupMaxSize", realm.number(info.subgroup_max_size == 0 ? 128 : info.subgroup_max_size));
  object->set_attribute("isFallbackAdapter", realm.boolean(info.type == gpu::AdapterType::kSoftware));
  return binding.make(std::move(object));
}

Value wrap_device(Realm realm, const gpu::Device& device) {
  Binding& binding = bound_to(realm.global().get("navigator").get("gpu").get("constructor"));
  std::vector<LimitValue> limits;
  for (const StandardLimit& limit : standard_limits()) {
    limits.emplace_back(limit.name, adapter_limit(device.all_limits(), limit));
  }
  return make_device(binding, device, standard_features(device.features()), limits, device.label(), "");
}

}  // namespace alknet::platform::webgpu
