#include "alknet/gpu/provider.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/gpu/provider_dawn.h"
#include "alknet/gpu/provider_wgpu.h"

namespace alknet::gpu {
namespace {

template <auto kMember>
void set(Functions& functions, void* symbol) {
  functions.*kMember = reinterpret_cast<std::remove_reference_t<decltype(functions.*kMember)>>(symbol);
}

struct FunctionEntry {
  const char* symbol;
  void (*set)(Functions&, void*);
};

constexpr FunctionEntry kFunctions[] = {
    {"wgpuCreateInstance", set<&Functions::create_instance>},
    {"wgpuInstanceRelease", set<&Functions::instance_release>},
    {"wgpuInstanceRequestAdapter", set<&Functions::instance_request_adapter>},
    {"wgpuInstanceWaitAny", set<&Functions::instance_wait_any>},
    {"wgpuAdapterRelease", set<&Functions::adapter_release>},
    {"wgpuAdapterGetInfo", set<&Functions::adapter_get_info>},
    {"wgpuAdapterInfoFreeMembers", set<&Functions::adapter_info_free_members>},
    {"wgpuAdapterGetLimits", set<&Functions::adapter_get_limits>},
    {"wgpuAdapterGetFeatures", set<&Functions::adapter_get_features>},
    {"wgpuSupportedFeaturesFreeMembers", set<&Functions::supported_features_free_members>},
    {"wgpuAdapterRequestDevice", set<&Functions::adapter_request_device>},
    {"wgpuDeviceRelease", set<&Functions::device_release>},
    {"wgpuDeviceDestroy", set<&Functions::device_destroy>},
    {"wgpuDeviceGetQueue", set<&Functions::device_get_queue>},
    {"wgpuDeviceGetLimits", set<&Functions::device_get_limits>},
    {"wgpuDeviceCreateBuffer", set<&Functions::device_create_buffer>},
    {"wgpuDeviceCreateShaderModule", set<&Functions::device_create_shader_module>},
    {"wgpuDeviceCreateComputePipeline", set<&Functions::device_create_compute_pipeline>},
    {"wgpuDeviceCreateComputePipelineAsync", set<&Functions::device_create_compute_pipeline_async>},
    {"wgpuDeviceCreateBindGroupLayout", set<&Functions::device_create_bind_group_layout>},
    {"wgpuDeviceCreatePipelineLayout", set<&Functions::device_create_pipeline_layout>},
    {"wgpuDeviceCreateBindGroup", set<&Functions::device_create_bind_group>},
    {"wgpuDeviceCreateCommandEncoder", set<&Functions::device_create_command_encoder>},
    {"wgpuDeviceCreateQuerySet", set<&Functions::device_create_query_set>},
    {"wgpuQueueRelease", set<&Functions::queue_release>},
    {"wgpuQueueSubmit", set<&Functions::queue_submit>},
    {"wgpuQueueWriteBuffer", set<&Functions::queue_write_buffer>},
    {"wgpuQueueOnSubmittedWorkDone", set<&Functions::queue_on_submitted_work_done>},
    {"wgpuBufferRelease", set<&Functions::buffer_release>},
    {"wgpuBufferDestroy", set<&Functions::buffer_destroy>},
    {"wgpuBufferMapAsync", set<&Functions::buffer_map_async>},
    {"wgpuBufferUnmap", set<&Functions::buffer_unmap>},
    {"wgpuBufferGetMappedRange", set<&Functions::buffer_get_mapped_range>},
    {"wgpuBufferGetConstMappedRange", set<&Functions::buffer_get_const_mapped_range>},
    {"wgpuShaderModuleRelease", set<&Functions::shader_module_release>},
    {"wgpuBindGroupLayoutRelease", set<&Functions::bind_group_layout_release>},
    {"wgpuPipelineLayoutRelease", set<&Functions::pipeline_layout_release>},
    {"wgpuBindGroupRelease", set<&Functions::bind_group_release>},
    {"wgpuComputePipelineRelease", set<&Functions::compute_pipeline_release>},
    {"wgpuComputePipelineGetBindGroupLayout", set<&Functions::compute_pipeline_get_bind_group_layout>},
    {"wgpuQuerySetRelease", set<&Functions::query_set_release>},
    {"wgpuCommandBufferRelease", set<&Functions::command_buffer_release>},
    {"wgpuCommandEncoderRelease", set<&Functions::command_encoder_release>},
    {"wgpuCommandEncoderBeginComputePass", set<&Functions::command_encoder_begin_compute_pass>},
    {"wgpuCommandEncoderCopyBufferToBuffer", set<&Functions::command_encoder_copy_buffer_to_buffer>},
    {"wgpuCommandEncoderClearBuffer", set<&Functions::command_encoder_clear_buffer>},
    {"wgpuCommandEncoderResolveQuerySet", set<&Functions::command_encoder_resolve_query_set>},
    {"wgpuCommandEncoderFinish", set<&Functions::command_encoder_finish>},
    {"wgpuComputePassEncoderRelease", set<&Functions::compute_pass_encoder_release>},
    {"wgpuComputePassEncoderSetPipeline", set<&Functions::compute_pass_encoder_set_pipeline>},
    {"wgpuComputePassEncoderSetBindGroup", set<&Functions::compute_pass_encoder_set_bind_group>},
    {"wgpuComputePassEncoderDispatchWorkgroups", set<&Functions::compute_pass_encoder_dispatch_workgroups>},
    {"wgpuComputePassEncoderDispatchWorkgroupsIndirect",
     set<&Functions::compute_pass_encoder_dispatch_workgroups_indirect>},
    {"wgpuComputePassEncoderEnd", set<&Functions::compute_pass_encoder_end>},
};

struct FeatureRow {
  std::uint32_t number;
  const char* name;
};

// Features under the numbers of the standard header.
constexpr FeatureRow kStandardFeatures[] = {
    {WGPUFeatureName_CoreFeaturesAndLimits, "core-features-and-limits"},
    {WGPUFeatureName_DepthClipControl, "depth-clip-control"},
    {WGPUFeatureName_Depth32FloatStencil8, "depth32float-stencil8"},
    {WGPUFeatureName_TextureCompressionBC, "texture-compression-bc"},
    {WGPUFeatureName_TextureCompressionBCSliced3D, "texture-compression-bc-sliced-3d"},
    {WGPUFeatureName_TextureCompressionETC2, "texture-compression-etc2"},
    {WGPUFeatureName_TextureCompressionASTC, "texture-compression-astc"},
    {WGPUFeatureName_TextureCompressionASTCSliced3D, "texture-compression-astc-sliced-3d"},
    {WGPUFeatureName_TimestampQuery, "timestamp-query"},
    {WGPUFeatureName_IndirectFirstInstance, "indirect-first-instance"},
    {WGPUFeatureName_ShaderF16, "shader-f16"},
    {WGPUFeatureName_RG11B10UfloatRenderable, "rg11b10ufloat-renderable"},
    {WGPUFeatureName_BGRA8UnormStorage, "bgra8unorm-storage"},
    {WGPUFeatureName_Float32Filterable, "float32-filterable"},
    {WGPUFeatureName_Float32Blendable, "float32-blendable"},
    {WGPUFeatureName_ClipDistances, "clip-distances"},
    {WGPUFeatureName_DualSourceBlending, "dual-source-blending"},
    {WGPUFeatureName_Subgroups, "subgroups"},
    {WGPUFeatureName_TextureFormatsTier1, "texture-formats-tier1"},
    {WGPUFeatureName_TextureFormatsTier2, "texture-formats-tier2"},
    {WGPUFeatureName_PrimitiveIndex, "primitive-index"},
    {WGPUFeatureName_TextureComponentSwizzle, "texture-component-swizzle"},
};

// A provider: its name in ALKNET_WEBGPU, a function that only its library exports, and its dialect.
struct ProviderKind {
  const char* name;
  const char* own_symbol;
  const char* system_library;
  const char* private_library;  // below the directory of dependencies
  std::unique_ptr<const Dialect> (*make)(void* library);
};

constexpr ProviderKind kKinds[] = {
    {"dawn", "wgpuDeviceForceLoss", "libwebgpu_dawn.so", "webgpu/lib/libwebgpu_wrapper.so", make_dawn_dialect},
    {"wgpu", "wgpuDevicePoll", "libwgpu_native.so", "webgpu/lib/libwgpu_native-release.so", make_wgpu_dialect},
};

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

const ProviderKind& chosen_kind() {
  const char* wanted = environment("ALKNET_WEBGPU");
  if (wanted == nullptr) return kKinds[0];
  std::string known;
  for (const ProviderKind& kind : kKinds) {
    if (std::strcmp(kind.name, wanted) == 0) return kind;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", kind.name);
  }
  throw Error(GpuError::kNoProvider,
              fmt::format("ALKNET_WEBGPU={} names no WebGPU provider; this build has: {}", wanted, known),
              JsonObject{{"provider", wanted}});
}

// Fills the table; returns the first symbol that is missing, or null.
const char* load_functions(void* library, Functions& functions) {
  for (const FunctionEntry& entry : kFunctions) {
    void* symbol = dlsym(library, entry.symbol);
    if (symbol == nullptr) return entry.symbol;
    entry.set(functions, symbol);
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> provider_candidates(const std::string& explicit_path, const std::string& deps_directory) {
  if (!explicit_path.empty()) return {explicit_path};
  if (const char* path = environment("ALKNET_WEBGPU_LIBRARY")) return {path};
  const ProviderKind& kind = chosen_kind();
  std::vector<std::string> candidates = {kind.system_library};
  if (!deps_directory.empty()) candidates.push_back(fmt::format("{}/{}", deps_directory, kind.private_library));
  return candidates;
}

std::shared_ptr<const Provider> load_provider(const std::vector<std::string>& candidates) {
  std::string failures;
  JsonArray tried;
  for (const std::string& path : candidates) {
    std::string failure;
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      const char* problem = dlerror();
      failure = problem != nullptr ? problem : fmt::format("{}: cannot be loaded", path);
    } else {
      auto provider = std::make_shared<Provider>();
      provider->path = path;
      provider->library = library;
      if (const char* missing = load_functions(library, provider->functions)) {
        failure = fmt::format("{}: is no WebGPU library that alknet can use (it lacks {})", path, missing);
      } else {
        for (const ProviderKind& kind : kKinds) {
          if (dlsym(library, kind.own_symbol) != nullptr) provider->dialect = kind.make(library);
        }
        if (provider->dialect != nullptr) return provider;
        failure = fmt::format("{}: is a WebGPU library of a provider that this build does not support", path);
      }
      dlclose(library);
    }
    failures += fmt::format("{}{}", failures.empty() ? "" : "; ", failure);
    tried.emplace_back(path);
  }
  throw Error(GpuError::kNoProvider,
              fmt::format("No WebGPU library could be loaded: {}. Run bin/setup, or name one in ALKNET_WEBGPU_LIBRARY",
                          failures),
              JsonObject{{"tried", std::move(tried)}});
}

std::string_view standard_feature_name(std::uint32_t number) {
  const auto row = std::ranges::find(kStandardFeatures, number, &FeatureRow::number);
  return row == std::end(kStandardFeatures) ? std::string_view() : row->name;
}

WGPUShaderModule create_standard_module(const Functions& functions, WGPUDevice device, const KernelSource& source) {
  WGPUShaderSourceWGSL wgsl{};
  wgsl.chain.sType = WGPUSType_ShaderSourceWGSL;
  wgsl.code = view_of(source.code);
  WGPUShaderSourceSPIRV spirv{};
  spirv.chain.sType = WGPUSType_ShaderSourceSPIRV;
  std::vector<std::uint32_t> words(source.code.size() / 4);
  std::memcpy(words.data(), source.code.data(), words.size() * 4);
  spirv.codeSize = static_cast<std::uint32_t>(words.size());
  spirv.code = words.data();
  WGPUShaderModuleDescriptor descriptor{};
  descriptor.nextInChain = source.language == ShaderLanguage::kSpirv ? &spirv.chain : &wgsl.chain;
  descriptor.label = view_of(source.name);
  return functions.device_create_shader_module(device, &descriptor);
}

std::string provider_version(const Provider& provider) {
  Dl_info info{};
  std::string text(provider.dialect->name());
  if (dladdr(reinterpret_cast<const void*>(provider.functions.create_instance), &info) == 0) return text;
  std::error_code unknown;
  const auto bytes = std::filesystem::file_size(info.dli_fname, unknown);
  const auto written = std::filesystem::last_write_time(info.dli_fname, unknown).time_since_epoch().count();
  return fmt::format("{} {} {} {}", text, info.dli_fname, bytes, written);
}

std::string_view text_of(const WGPUStringView& view) {
  if (view.data == nullptr) return {};
  return view.length == WGPU_STRLEN ? std::string_view(view.data) : std::string_view(view.data, view.length);
}

}  // namespace alknet::gpu
