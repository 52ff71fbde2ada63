#include "alknet/gpu/instance.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/gpu/device_state.h"
#include "alknet/gpu/instance_state.h"
#include "alknet/gpu/vulkan_driver.h"

namespace alknet::gpu {
namespace {

// Features that kernels or this layer make use of; textures are of no use to a compute device.
constexpr std::array<std::string_view, 7> kUsefulFeatures = {
    "core-features-and-limits",
    "timestamp-query",
    "shader-f16",
    "subgroups",
    "implicit-device-synchronization",
    "buffer-map-extended-usages",
    "chromium-experimental-subgroup-matrix",
};

Limits limits_of_device(const std::vector<Limit>& limits) {
  const auto wide = [&](std::string_view name) { return limit_value(limits, name); };
  const auto narrow = [&](std::string_view name) { return static_cast<std::uint32_t>(limit_value(limits, name)); };
  Limits result;
  result.max_buffer_size = wide("maxBufferSize");
  result.max_storage_binding_size = wide("maxStorageBufferBindingSize");
  result.max_uniform_binding_size = wide("maxUniformBufferBindingSize");
  result.min_storage_offset_alignment = narrow("minStorageBufferOffsetAlignment");
  result.min_uniform_offset_alignment = narrow("minUniformBufferOffsetAlignment");
  result.max_storage_buffers = narrow("maxStorageBuffersPerShaderStage");
  result.max_bindings = narrow("maxBindingsPerBindGroup");
  result.max_workgroup_storage = narrow("maxComputeWorkgroupStorageSize");
  result.max_workgroup_invocations = narrow("maxComputeInvocationsPerWorkgroup");
  result.max_workgroup_size_x = narrow("maxComputeWorkgroupSizeX");
  result.max_workgroup_size_y = narrow("maxComputeWorkgroupSizeY");
  result.max_workgroup_size_z = narrow("maxComputeWorkgroupSizeZ");
  result.max_workgroups_per_dimension = narrow("maxComputeWorkgroupsPerDimension");
  return result;
}

struct DeviceAnswer : Completion {
  WGPUDevice device = nullptr;
  std::string message;
};

// Asks the adapter for a device with all of `features` and `limits`; the sink hears of its errors.
void request_device(const Instance::State& instance, WGPUAdapter adapter, const DeviceOptions& options,
                    std::span<const Feature> features, const RoomyLimits& limits, ErrorSink& sink,
                    DeviceAnswer& answer) {
  const Functions& functions = instance.functions();
  const auto chain = instance.provider->dialect->device_chain(options.robust, features, instance.cache.get());
  std::vector<WGPUFeatureName> numbers;
  for (const Feature& feature : features) numbers.push_back(feature.number);
  WGPUDeviceDescriptor descriptor{};
  if (chain) descriptor.nextInChain = chain->head();
  descriptor.label = view_of(options.label);
  descriptor.requiredFeatureCount = numbers.size();
  descriptor.requiredFeatures = numbers.data();
  descriptor.requiredLimits = &limits.known;
  descriptor.deviceLostCallbackInfo.mode = WGPUCallbackMode_AllowSpontaneous;
  descriptor.deviceLostCallbackInfo.userdata1 = &sink;
  descriptor.deviceLostCallbackInfo.callback = [](WGPUDevice const*, WGPUDeviceLostReason reason,
                                                  WGPUStringView message, void* user, void*) {
    static_cast<ErrorSink*>(user)->lost(reason, text_of(message));
  };
  descriptor.uncapturedErrorCallbackInfo.userdata1 = &sink;
  descriptor.uncapturedErrorCallbackInfo.callback = [](WGPUDevice const*, WGPUErrorType type, WGPUStringView message,
                                                       void* user, void*) {
    static_cast<ErrorSink*>(user)->report(type, text_of(message));
  };
  answer.done = false;
  WGPURequestDeviceCallbackInfo info{};
  info.mode = WGPUCallbackMode_WaitAnyOnly;
  info.userdata1 = &answer;
  info.callback = [](WGPURequestDeviceStatus, WGPUDevice device, WGPUStringView message, void* user, void*) {
    auto* to = static_cast<DeviceAnswer*>(user);
    to->device = device;
    to->message = text_of(message);
    to->done = true;
  };
  answer.future = functions.adapter_request_device(adapter, &descriptor, info);
  instance.provider->dialect->wait(functions, {instance.instance.get(), nullptr}, answer, UINT64_MAX);
}

std::vector<Feature> useful_features(const FoundAdapter& adapter, const DeviceOptions& options, bool experimental) {
  std::vector<Feature> result;
  for (const Feature& feature : adapter.features) {
    const bool useful = std::ranges::find(kUsefulFeatures, feature.name) != kUsefulFeatures.end() ||
                        std::ranges::find(options.features, feature.name) != options.features.end();
    if (useful && (experimental || !feature.experimental)) result.push_back(feature);
  }
  return result;
}

const FoundAdapter& find_adapter(const Instance::State& state, std::string_view id) {
  const std::string_view wanted = id == "gpu" ? std::string_view("gpu:0") : id;
  const auto found =
      std::ranges::find_if(state.found, [&](const FoundAdapter& entry) { return entry.info.id == wanted; });
  if (found != state.found.end()) return *found;
  if (state.found.empty()) throw Error(GpuError::kNoAdapter, state.reason, JsonObject{{"id", id}});
  std::string known;
  for (const FoundAdapter& entry : state.found) {
    known += fmt::format("{}{} ({})", known.empty() ? "" : ", ", entry.info.id, entry.info.name);
  }
  throw Error(GpuError::kNoAdapter, fmt::format("There is no GPU adapter \"{}\". This machine has {}", id, known),
              JsonObject{{"id", id}});
}

}  // namespace

std::string deps_directory_of(const InstanceOptions& options) {
  if (!options.deps_directory.empty()) return options.deps_directory;
  const char* value = std::getenv("ALKNET_DEPS_DIR");
  return value != nullptr && *value != '\0' ? value : ALKNET_DEPS_DIR;
}

Instance::Instance(const InstanceOptions& options) {
  const std::string deps_directory = deps_directory_of(options);
  auto state = std::make_shared<State>();
  state->provider = load_provider(provider_candidates(options.library, deps_directory));
  const Provider& provider = *state->provider;
  if (provider.dialect->takes_cache()) {
    state->cache = open_pipeline_cache(options.pipeline_cache, provider_version(provider));
  }
  state->provider_text = fmt::format("{} ({})", provider.dialect->name(), provider.path);
  const DriverSituation situation = inspect_drivers(deps_directory);
  for (const DriverSet drivers : driver_order(situation)) {
    use_drivers(drivers, situation);
    state->instance = {provider.dialect->create_instance(provider.functions), provider.functions.instance_release};
    if (!state->instance) {
      throw Error(GpuError::kNoProvider,
                  fmt::format("The WebGPU library {} cannot make an instance that waits with a time limit. Use another "
                              "version, or run bin/setup",
                              provider.path));
    }
    state->found = find_adapters(provider, state->instance.get());
    if (!state->found.empty()) break;
  }
  for (const FoundAdapter& entry : state->found) state->adapters.push_back(entry.info);
  if (state->found.empty()) state->reason = no_adapter_reason(situation);
  state_ = std::move(state);
}

const std::string& Instance::provider() const { return state_->provider_text; }
std::span<const AdapterInfo> Instance::adapters() const { return state_->adapters; }
const std::string& Instance::reason() const { return state_->reason; }
const PipelineCache* Instance::pipeline_cache() const { return state_->cache.get(); }

Device Instance::acquire(std::string_view id, const DeviceOptions& options) const {
  const FoundAdapter& found = find_adapter(*state_, id);
  const Functions& functions = state_->functions();
  const Handle<WGPUAdapter> adapter = request_adapter(*state_->provider, state_->instance.get(), found.request);
  if (!adapter) {
    throw Error(GpuError::kNoAdapter, fmt::format("The GPU adapter {} ({}) is gone", found.info.id, found.info.name),
                JsonObject{{"id", found.info.id}});
  }
  auto device = std::make_shared<DeviceState>();
  device->instance = state_;
  device->adapter = found.info;
  device->options = options;
  device->sink = std::make_shared<ErrorSink>();
  {
    const std::lock_guard lock(state_->sinks_mutex);
    state_->sinks.push_back(device->sink);
  }
  RoomyLimits limits;
  functions.adapter_get_limits(adapter.get(), &limits.known);
  std::vector<Feature> features = useful_features(found, options, !options.robust);
  DeviceAnswer answer;
  request_device(*state_, adapter.get(), options, features, limits, *device->sink, answer);
  if (answer.device == nullptr && !options.robust) {
    // Some driver versions list an experimental feature that they then refuse; Device::features tells what was granted.
    features = useful_features(found, options, false);
    request_device(*state_, adapter.get(), options, features, limits, *device->sink, answer);
  }
  if (answer.device == nullptr) {
    throw Error(GpuError::kDeviceRefused,
                fmt::format("The GPU adapter {} ({}) refused to make a device: {}", found.info.id, found.info.name,
                            answer.message),
                JsonObject{{"id", found.info.id}, {"provider_message", answer.message}});
  }
  for (const Feature& feature : features) device->features.push_back(feature.name);
  std::ranges::sort(device->features);
  device->device = {answer.device, functions.device_release};
  device->queue = {functions.device_get_queue(answer.device), functions.queue_release};
  RoomyLimits granted;
  functions.device_get_limits(answer.device, &granted.known);
  device->all_limits = limits_of(granted.known);
  device->limits = limits_of_device(device->all_limits);
  device->mappable_buffers = std::ranges::binary_search(device->features, "buffer-map-extended-usages");
  return Device(std::move(device));
}

Survey survey(const InstanceOptions& options) {
  try {
    const Instance instance(options);
    return {instance.provider(), {instance.adapters().begin(), instance.adapters().end()}, instance.reason()};
  } catch (const Error& error) {
    if (error.code() != make_error_code(GpuError::kNoProvider)) throw;
    return {{}, {}, error.message()};
  }
}

}  // namespace alknet::gpu
