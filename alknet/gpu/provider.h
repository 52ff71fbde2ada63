#pragma once

#include <webgpu.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/gpu/adapter.h"
#include "alknet/gpu/error.h"
#include "alknet/gpu/pipeline.h"
#include "alknet/gpu/pipeline_cache.h"

namespace alknet::gpu {

/// The functions of `webgpu.h` that alknet calls, found in the library at run time. Null only where marked optional.
struct Functions {
  decltype(&wgpuCreateInstance) create_instance = nullptr;
  decltype(&wgpuInstanceRelease) instance_release = nullptr;
  decltype(&wgpuInstanceRequestAdapter) instance_request_adapter = nullptr;
  decltype(&wgpuInstanceWaitAny) instance_wait_any = nullptr;
  decltype(&wgpuAdapterRelease) adapter_release = nullptr;
  decltype(&wgpuAdapterGetInfo) adapter_get_info = nullptr;
  decltype(&wgpuAdapterInfoFreeMembers) adapter_info_free_members = nullptr;
  decltype(&wgpuAdapterGetLimits) adapter_get_limits = nullptr;
  decltype(&wgpuAdapterGetFeatures) adapter_get_features = nullptr;
  decltype(&wgpuSupportedFeaturesFreeMembers) supported_features_free_members = nullptr;
  decltype(&wgpuAdapterRequestDevice) adapter_request_device = nullptr;
  decltype(&wgpuDeviceRelease) device_release = nullptr;
  decltype(&wgpuDeviceDestroy) device_destroy = nullptr;
  decltype(&wgpuDeviceGetQueue) device_get_queue = nullptr;
  decltype(&wgpuDeviceGetLimits) device_get_limits = nullptr;
  decltype(&wgpuDeviceCreateBuffer) device_create_buffer = nullptr;
  decltype(&wgpuDeviceCreateShaderModule) device_create_shader_module = nullptr;
  decltype(&wgpuDeviceCreateComputePipeline) device_create_compute_pipeline = nullptr;
  decltype(&wgpuDeviceCreateComputePipelineAsync) device_create_compute_pipeline_async = nullptr;
  decltype(&wgpuDeviceCreateBindGroupLayout) device_create_bind_group_layout = nullptr;
  decltype(&wgpuDeviceCreatePipelineLayout) device_create_pipeline_layout = nullptr;
  decltype(&wgpuDeviceCreateBindGroup) device_create_bind_group = nullptr;
  decltype(&wgpuDeviceCreateCommandEncoder) device_create_command_encoder = nullptr;
  decltype(&wgpuDeviceCreateQuerySet) device_create_query_set = nullptr;
  decltype(&wgpuQueueRelease) queue_release = nullptr;
  decltype(&wgpuQueueSubmit) queue_submit = nullptr;
  decltype(&wgpuQueueWriteBuffer) queue_write_buffer = nullptr;
  decltype(&wgpuQueueOnSubmittedWorkDone) queue_on_submitted_work_done = nullptr;
  decltype(&wgpuBufferRelease) buffer_release = nullptr;
  decltype(&wgpuBufferDestroy) buffer_destroy = nullptr;
  decltype(&wgpuBufferMapAsync) buffer_map_async = nullptr;
  decltype(&wgpuBufferUnmap) buffer_unmap = nullptr;
  decltype(&wgpuBufferGetMappedRange) buffer_get_mapped_range = nullptr;
  decltype(&wgpuBufferGetConstMappedRange) buffer_get_const_mapped_range = nullptr;
  decltype(&wgpuShaderModuleRelease) shader_module_release = nullptr;
  decltype(&wgpuBindGroupLayoutRelease) bind_group_layout_release = nullptr;
  decltype(&wgpuPipelineLayoutRelease) pipeline_layout_release = nullptr;
  decltype(&wgpuBindGroupRelease) bind_group_release = nullptr;
  decltype(&wgpuComputePipelineRelease) compute_pipeline_release = nullptr;
  decltype(&wgpuComputePipelineGetBindGroupLayout) compute_pipeline_get_bind_group_layout = nullptr;
  decltype(&wgpuQuerySetRelease) query_set_release = nullptr;
  decltype(&wgpuCommandBufferRelease) command_buffer_release = nullptr;
  decltype(&wgpuCommandEncoderRelease) command_encoder_release = nullptr;
  decltype(&wgpuCommandEncoderBeginComputePass) command_encoder_begin_compute_pass = nullptr;
  decltype(&wgpuCommandEncoderCopyBufferToBuffer) command_encoder_copy_buffer_to_buffer = nullptr;
  decltype(&wgpuCommandEncoderClearBuffer) command_encoder_clear_buffer = nullptr;
  decltype(&wgpuCommandEncoderResolveQuerySet) command_encoder_resolve_query_set = nullptr;
  decltype(&wgpuCommandEncoderFinish) command_encoder_finish = nullptr;
  decltype(&wgpuComputePassEncoderRelease) compute_pass_encoder_release = nullptr;
  decltype(&wgpuComputePassEncoderSetPipeline) compute_pass_encoder_set_pipeline = nullptr;
  decltype(&wgpuComputePassEncoderSetBindGroup) compute_pass_encoder_set_bind_group = nullptr;
  decltype(&wgpuComputePassEncoderDispatchWorkgroups) compute_pass_encoder_dispatch_workgroups = nullptr;
  decltype(&wgpuComputePassEncoderDispatchWorkgroupsIndirect) compute_pass_encoder_dispatch_workgroups_indirect =
      nullptr;
  decltype(&wgpuComputePassEncoderEnd) compute_pass_encoder_end = nullptr;
};

/// A feature of an adapter under the provider's number and WebGPU's name.
struct Feature {
  WGPUFeatureName number{};
  std::string name;
  bool experimental = false;  ///< Granted only to devices that are not robust.
};

/// Extra structures chained to a request for a device or adapter, alive as long as this object.
class DeviceChain {
 public:
  virtual ~DeviceChain() = default;
  virtual WGPUChainedStruct* head() = 0;
};

/// An asynchronous call under way: the call's callback sets `done` last. Stays in place until waited for.
struct Completion {
  WGPUFuture future{};
  std::atomic<bool> done = false;
};

/// A pipeline being made.
struct PipelineAnswer : Completion {
  WGPUComputePipeline pipeline = nullptr;  ///< Null: it does not compile, and `message` or the error sink says why.
  std::string message;
};

/// The instance and device that a call belongs to; the device is null while adapters and devices are asked for.
struct Owner {
  WGPUInstance instance = nullptr;
  WGPUDevice device = nullptr;
};

/// What differs between WebGPU libraries beyond the standard header. One implementation a provider; immutable.
class Dialect {
 public:
  virtual ~Dialect() = default;
  virtual std::string_view name() const = 0;

  /// An instance whose `instance_wait_any` accepts time limits; null when the library cannot.
  virtual WGPUInstance create_instance(const Functions& functions) const = 0;

  /// Switches that decide what adapters offer; null where there are none. Alive as long as the object. `experimental`:
  /// only to ask what experimental features can do, never for a device.
  virtual std::unique_ptr<DeviceChain> adapter_chain(bool experimental) const {
    static_cast<void>(experimental);
    return nullptr;
  }

  /// All features that a device of the adapter can have.
  virtual std::vector<Feature> features(const Functions& functions, WGPUInstance instance,
                                        WGPUAdapter adapter) const = 0;

  /// The feature under which an adapter lists its matrix units; empty where the library has none.
  virtual std::string_view matrix_feature() const { return {}; }

  /// What the units of an adapter multiply that was asked for with experimental features on; `feature` is theirs.
  virtual std::vector<MatrixConfig> matrix_configs(const Functions&, WGPUAdapter, const Feature& feature) const {
    static_cast<void>(feature);
    return {};
  }

  /// Whether devices load and store what they compile through a PipelineCache.
  virtual bool takes_cache() const { return false; }

  /// Switches of a device with these features: bounds checks, experimental features, exact timestamps. `cache` may be
  /// null and outlives the device.
  virtual std::unique_ptr<DeviceChain> device_chain(bool robust, std::span<const Feature> features,
                                                    PipelineCache* cache) const = 0;

  /// Blocks until the call is done or the time is over. Any number of threads may wait for calls of one device.
  virtual WGPUWaitStatus wait(const Functions& functions, const Owner& owner, Completion& call,
                              std::uint64_t nanoseconds) const = 0;

  /// Blocks until all work submitted to the queue so far is done, or the time is over.
  virtual WGPUWaitStatus wait_queue(const Functions& functions, const Owner& owner, WGPUQueue queue,
                                    std::uint64_t nanoseconds) const = 0;

  /// Begins to compile WGSL or SPIR-V, without bounds checks where `robust` is false and the library lets choose.
  virtual WGPUShaderModule create_shader_module(const Functions& functions, WGPUDevice device,
                                                const KernelSource& source, bool robust) const = 0;

  /// Makes a pipeline, beside other work where the library can; `answer.done` tells when.
  virtual void create_pipeline(const Functions& functions, WGPUDevice device,
                               const WGPUComputePipelineDescriptor& descriptor, PipelineAnswer& answer) const = 0;

  /// Nanoseconds that one tick of a resolved timestamp stands for.
  virtual double timestamp_period(WGPUQueue queue) const = 0;

  /// The library's number of a texture format that the standard header numbers `standard`.
  virtual std::uint32_t texture_format(std::uint32_t standard) const { return standard; }

  /// The error that a provider's message stands for, beyond what its type says.
  virtual GpuError classify(WGPUErrorType type, std::string_view message) const = 0;

  /// Makes the device lost, or at least unusable where the library has no such call.
  virtual void force_loss(const Functions& functions, WGPUDevice device, std::string_view message) const = 0;
};

/// WebGPU's name for a feature under its number in the standard header; empty when it has none.
std::string_view standard_feature_name(std::uint32_t number);

/// A shader module of WGSL or SPIR-V, as the standard header has it.
WGPUShaderModule create_standard_module(const Functions& functions, WGPUDevice device, const KernelSource& source);

/// A loaded WebGPU library. It stays loaded to the end of the process: drivers and the library's own threads may
/// outlive the last object made with it. Immutable.
struct Provider {
  void* library = nullptr;  ///< As dlopen gave it.
  Functions functions;
  std::unique_ptr<const Dialect> dialect;
  std::string path;
};

/// Where a library may be, in order: `explicit_path` alone when given; else the environment's ALKNET_WEBGPU_LIBRARY
/// alone when set; else the system's and the private one in `deps_directory`.
std::vector<std::string> provider_candidates(const std::string& explicit_path, const std::string& deps_directory);

/// Loads the first library that can be. Throws `no_provider`, which tells what was wrong with each.
std::shared_ptr<const Provider> load_provider(const std::vector<std::string>& candidates);

/// Which library it is, down to the build: the file that was loaded, its size and its age.
std::string provider_version(const Provider& provider);

/// Text as the provider's functions take it; `text` must outlive the use.
inline WGPUStringView view_of(std::string_view text) { return {text.data(), text.size()}; }

/// Text that the provider gave.
std::string_view text_of(const WGPUStringView& view);

}  // namespace alknet::gpu
