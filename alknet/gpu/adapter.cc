#include "alknet/gpu/adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <type_traits>

#include "alknet/gpu/instance_state.h"

namespace alknet::gpu {
namespace {

constexpr std::array<std::string_view, 4> kTypeNames = {"discrete", "integrated", "software", "unknown"};

struct LimitRow {
  std::string_view name;
  std::uint64_t (*get)(const WGPULimits&);
};

template <auto kMember>
std::uint64_t get(const WGPULimits& limits) {
  return limits.*kMember;
}

constexpr LimitRow kLimits[] = {
    {"maxTextureDimension1D", get<&WGPULimits::maxTextureDimension1D>},
    {"maxTextureDimension2D", get<&WGPULimits::maxTextureDimension2D>},
    {"maxTextureDimension3D", get<&WGPULimits::maxTextureDimension3D>},
    {"maxTextureArrayLayers", get<&WGPULimits::maxTextureArrayLayers>},
    {"maxBindGroups", get<&WGPULimits::maxBindGroups>},
    {"maxBindGroupsPlusVertexBuffers", get<&WGPULimits::maxBindGroupsPlusVertexBuffers>},
    {"maxBindingsPerBindGroup", get<&WGPULimits::maxBindingsPerBindGroup>},
    {"maxDynamicUniformBuffersPerPipelineLayout", get<&WGPULimits::maxDynamicUniformBuffersPerPipelineLayout>},
    {"maxDynamicStorageBuffersPerPipelineLayout", get<&WGPULimits::maxDynamicStorageBuffersPerPipelineLayout>},
    {"maxSampledTexturesPerShaderStage", get<&WGPULimits::maxSampledTexturesPerShaderStage>},
    {"maxSamplersPerShaderStage", get<&WGPULimits::maxSamplersPerShaderStage>},
    {"maxStorageBuffersPerShaderStage", get<&WGPULimits::maxStorageBuffersPerShaderStage>},
    {"maxStorageTexturesPerShaderStage", get<&WGPULimits::maxStorageTexturesPerShaderStage>},
    {"maxUniformBuffersPerShaderStage", get<&WGPULimits::maxUniformBuffersPerShaderStage>},
    {"maxUniformBufferBindingSize", get<&WGPULimits::maxUniformBufferBindingSize>},
    {"maxStorageBufferBindingSize", get<&WGPULimits::maxStorageBufferBindingSize>},
    {"minUniformBufferOffsetAlignment", get<&WGPULimits::minUniformBufferOffsetAlignment>},
    {"minStorageBufferOffsetAlignment", get<&WGPULimits::minStorageBufferOffsetAlignment>},
    {"maxVertexBuffers", get<&WGPULimits::maxVertexBuffers>},
    {"maxBufferSize", get<&WGPULimits::maxBufferSize>},
    {"maxVertexAttributes", get<&WGPULimits::maxVertexAttributes>},
    {"maxVertexBufferArrayStride", get<&WGPULimits::maxVertexBufferArrayStride>},
    {"maxInterStageShaderVariables", get<&WGPULimits::maxInterStageShaderVariables>},
    {"maxColorAttachments", get<&WGPULimits::maxColorAttachments>},
    {"maxColorAttachmentBytesPerSample", get<&WGPULimits::maxColorAttachmentBytesPerSample>},
    {"maxComputeWorkgroupStorageSize", get<&WGPULimits::maxComputeWorkgroupStorageSize>},
    {"maxComputeInvocationsPerWorkgroup", get<&WGPULimits::maxComputeInvocationsPerWorkgroup>},
    {"maxComputeWorkgroupSizeX", get<&WGPULimits::maxComputeWorkgroupSizeX>},
    {"maxComputeWorkgroupSizeY", get<&WGPULimits::maxComputeWorkgroupSizeY>},
    {"maxComputeWorkgroupSizeZ", get<&WGPULimits::maxComputeWorkgroupSizeZ>},
    {"maxComputeWorkgroupsPerDimension", get<&WGPULimits::maxComputeWorkgroupsPerDimension>},
    {"maxImmediateSize", get<&WGPULimits::maxImmediateSize>},
};

AdapterType type_of(WGPUAdapterType type) {
  switch (type) {
    case WGPUAdapterType_DiscreteGPU: return AdapterType::kDiscrete;
    case WGPUAdapterType_IntegratedGPU: return AdapterType::kIntegrated;
    case WGPUAdapterType_CPU: return AdapterType::kSoftware;
    default: return AdapterType::kUnknown;
  }
}

std::string backend_name(WGPUBackendType type) {
  switch (type) {
    case WGPUBackendType_Vulkan: return "vulkan";
    case WGPUBackendType_Metal: return "metal";
    case WGPUBackendType_D3D12: return "d3d12";
    case WGPUBackendType_D3D11: return "d3d11";
    case WGPUBackendType_OpenGL: return "opengl";
    case WGPUBackendType_OpenGLES: return "opengles";
    default: return "unknown";
  }
}

AdapterInfo describe(const Functions& functions, WGPUAdapter adapter, const std::vector<Feature>& features) {
  AdapterInfo result;
  WGPUAdapterInfo info{};
  functions.adapter_get_info(adapter, &info);
  result.name = text_of(info.device);
  result.vendor = text_of(info.vendor);
  result.architecture = text_of(info.architecture);
  result.driver = text_of(info.description);
  result.backend = backend_name(info.backendType);
  result.type = type_of(info.adapterType);
  result.vendor_id = info.vendorID;
  result.device_id = info.deviceID;
  result.subgroup_min_size = info.subgroupMinSize;
  result.subgroup_max_size = info.subgroupMaxSize;
  functions.adapter_info_free_members(info);
  RoomyLimits limits;
  functions.adapter_get_limits(adapter, &limits.known);
  result.limits = limits_of(limits.known);
  for (const Feature& feature : features) result.features.push_back(feature.name);
  std::ranges::sort(result.features);
  return result;
}

bool same_adapter(const AdapterInfo& a, const AdapterInfo& b) {
  return std::tie(a.vendor_id, a.device_id, a.name, a.driver, a.backend) ==
         std::tie(b.vendor_id, b.device_id, b.name, b.driver, b.backend);
}

}  // namespace

std::string_view adapter_type_name(AdapterType type) { return kTypeNames[static_cast<std::size_t>(type)]; }

std::uint64_t limit_value(std::span<const Limit> limits, std::string_view name) {
  const auto limit = std::ranges::find(limits, name, &Limit::name);
  return limit == limits.end() ? 0 : limit->value;
}

bool AdapterInfo::has_feature(std::string_view feature) const { return std::ranges::binary_search(features, feature); }

std::vector<Limit> limits_of(const WGPULimits& limits) {
  std::vector<Limit> result;
  for (const LimitRow& row : kLimits) result.push_back({row.name, row.get(limits)});
  return result;
}

Handle<WGPUAdapter> request_adapter(const Provider& provider, WGPUInstance instance, const AdapterRequest& request,
                                    bool experimental) {
  const Functions& functions = provider.functions;
  struct Answer : Completion {
    WGPUAdapter adapter = nullptr;
  } answer;
  const auto chain = provider.dialect->adapter_chain(experimental);
  WGPURequestAdapterOptions options{};
  if (chain) options.nextInChain = chain->head();
  options.featureLevel = WGPUFeatureLevel_Core;
  options.powerPreference = request.power;
  options.forceFallbackAdapter = request.fallback ? WGPU_TRUE : WGPU_FALSE;
  options.backendType = WGPUBackendType_Vulkan;
  WGPURequestAdapterCallbackInfo info{};
  info.mode = WGPUCallbackMode_WaitAnyOnly;
  info.userdata1 = &answer;
  info.callback = [](WGPURequestAdapterStatus, WGPUAdapter found, WGPUStringView, void* user, void*) {
    auto* to = static_cast<Answer*>(user);
    to->adapter = found;
    to->done = true;
  };
  answer.future = functions.instance_request_adapter(instance, &options, info);
  provider.dialect->wait(functions, {instance, nullptr}, answer, UINT64_MAX);
  return {answer.adapter, functions.adapter_release};
}

std::vector<FoundAdapter> find_adapters(const Provider& provider, WGPUInstance instance) {
  constexpr AdapterRequest kRequests[] = {{WGPUPowerPreference_HighPerformance, false},
                                          {WGPUPowerPreference_LowPower, false},
                                          {WGPUPowerPreference_HighPerformance, true}};
  std::vector<FoundAdapter> found;
  for (const AdapterRequest& request : kRequests) {
    const Handle<WGPUAdapter> adapter = request_adapter(provider, instance, request);
    if (!adapter) continue;
    const auto is_same = [info = describe(provider.functions, adapter.get(), {})](const FoundAdapter& other) {
      return same_adapter(info, other.info);
    };
    if (std::ranges::any_of(found, is_same)) continue;
    FoundAdapter entry;
    entry.request = request;
    entry.features = provider.dialect->features(provider.functions, instance, adapter.get());
    entry.info = describe(provider.functions, adapter.get(), entry.features);
    const auto matrices = std::ranges::find(entry.features, provider.dialect->matrix_feature(), &Feature::name);
    if (matrices != entry.features.end()) {
      const Handle<WGPUAdapter> open = request_adapter(provider, instance, request, true);
      if (open) entry.info.matrix_configs = provider.dialect->matrix_configs(provider.functions, open.get(), *matrices);
    }
    found.push_back(std::move(entry));
  }
  std::ranges::stable_sort(found, {}, [](const FoundAdapter& entry) {
    return std::tuple(entry.info.type, entry.info.vendor_id, entry.info.device_id);
  });
  for (std::size_t i = 0; i < found.size(); ++i) found[i].info.id = fmt::format("gpu:{}", i);
  return found;
}

}  // namespace alknet::gpu
