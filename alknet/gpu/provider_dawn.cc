#include "alknet/gpu/provider_dawn.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "alknet/base/error.h"
#include "alknet/base/json.h"

namespace alknet::gpu {
namespace {

// Declarations of Dawn's own that the standard header lacks.
constexpr auto kTogglesType = static_cast<WGPUSType>(0x0005000A);
struct TogglesDescriptor {
  WGPUChainedStruct chain;
  std::size_t enabled_count;
  const char* const* enabled;
  std::size_t disabled_count;
  const char* const* disabled;
};

constexpr auto kMatrixConfigsType = static_cast<WGPUSType>(0x0005003B);
struct SubgroupMatrixConfig {
  std::uint32_t component, result, rows, columns, depth;
};
struct SubgroupMatrixConfigs {
  WGPUChainedStruct chain;
  std::size_t count;
  const SubgroupMatrixConfig* configs;
};
using FreeMatrixConfigs = void (*)(SubgroupMatrixConfigs);
constexpr std::string_view kMatrixComponents[] = {"", "f32", "f16", "u32", "i32", "u8", "i8"};

// The instance descriptor of the older generation.
struct OldInstanceDescriptor {
  WGPUChainedStruct* next;
  WGPUChainedStruct* capabilities_next;
  WGPUBool timed_wait_any_enable;
  std::size_t timed_wait_any_max_count;
};

// Two forms of one structure: callbacks with one user pointer, and callback infos as elsewhere in the header.
constexpr auto kCacheType = static_cast<WGPUSType>(0x00050007);
struct OldCacheDescriptor {
  WGPUChainedStruct chain;
  WGPUStringView isolation_key;
  std::size_t (*load)(const void* key, std::size_t key_size, void* value, std::size_t value_size, void* user);
  void (*store)(const void* key, std::size_t key_size, const void* value, std::size_t value_size, void* user);
  void* user;
};
struct CacheDescriptor {
  WGPUChainedStruct chain;
  WGPUStringView isolation_key;
  struct {
    WGPUChainedStruct* next;
    std::size_t (*callback)(std::size_t key_size, const void* key, std::size_t value_size, void* value, void* user,
                            void*);
    void* user;
    void* unused;
  } load;
  struct {
    WGPUChainedStruct* next;
    void (*callback)(std::size_t key_size, const void* key, std::size_t value_size, const void* value, void* user,
                     void*);
    void* user;
    void* unused;
  } store;
};

using ForceLoss = void (*)(WGPUDevice, WGPUDeviceLostReason, WGPUStringView);

constexpr std::string_view kSubgroupMatrix = "chromium-experimental-subgroup-matrix";
constexpr std::uint32_t kFirstExtension = 0x50000;
constexpr std::uint32_t kEndOfExtensions = 0x50048;

struct DawnFeature {
  std::uint32_t number;
  const char* name;
};

// The older generation numbers WebGPU's features otherwise.
constexpr DawnFeature kOldFeatures[] = {
    {1, "depth-clip-control"},
    {2, "depth32float-stencil8"},
    {3, "timestamp-query"},
    {4, "texture-compression-bc"},
    {5, "texture-compression-bc-sliced-3d"},
    {6, "texture-compression-etc2"},
    {7, "texture-compression-astc"},
    {8, "texture-compression-astc-sliced-3d"},
    {9, "indirect-first-instance"},
    {10, "shader-f16"},
    {11, "rg11b10ufloat-renderable"},
    {12, "bgra8unorm-storage"},
    {13, "float32-filterable"},
    {14, "float32-blendable"},
    {15, "clip-distances"},
    {16, "dual-source-blending"},
    {17, "subgroups"},
    {18, "core-features-and-limits"},
    {0x5000C, "unorm16-texture-formats"},
    {0x50015, "adapter-properties-memory-heaps"},
    {0x50017, "adapter-properties-vk"},
    {0x50019, "dawn-format-capabilities"},
    {0x50023, "shared-texture-memory-opaque-fd"},
    {0x50029, "shared-fence-vk-semaphore-opaque-fd"},
    {0x50032, "dawn-load-resolve-texture"},
    {0x50036, "flexible-texture-views"},
};

// The older generation numbers the normalised formats of 16 bits among its own, and the others as if there were none.
struct MovedFormat {
  std::uint32_t standard;
  std::uint32_t old;
};
constexpr MovedFormat kMovedFormats[] = {
    {WGPUTextureFormat_R16Unorm, 0x50000},    {WGPUTextureFormat_R16Snorm, 0x50003},
    {WGPUTextureFormat_RG16Unorm, 0x50001},   {WGPUTextureFormat_RG16Snorm, 0x50004},
    {WGPUTextureFormat_RGBA16Unorm, 0x50002}, {WGPUTextureFormat_RGBA16Snorm, 0x50005},
};

std::uint32_t old_texture_format(std::uint32_t standard) {
  std::uint32_t moved_before = 0;
  for (const MovedFormat& moved : kMovedFormats) {
    if (moved.standard == standard) return moved.old;
    if (moved.standard < standard) ++moved_before;
  }
  return standard - moved_before;
}

// Dawn's own features that all generations number alike.
constexpr DawnFeature kDawnFeatures[] = {
    {0x50000, "dawn-internal-usages"},
    {0x50001, "dawn-multi-planar-formats"},
    {0x50002, "dawn-native"},
    {0x50003, "chromium-experimental-timestamp-query-inside-passes"},
    {0x50004, "implicit-device-synchronization"},
    {0x50006, "transient-attachments"},
    {0x50007, "msaa-render-to-single-sampled"},
};

// Dawn hides f16 on NVIDIA's drivers unless asked; versions without the switch ignore its name.
constexpr const char* kAdapterToggles[] = {"vulkan_enable_f16_on_nvidia", "allow_unsafe_apis"};

class AdapterTogglesChain final : public DeviceChain {
 public:
  explicit AdapterTogglesChain(bool experimental) {
    descriptor_.chain.sType = kTogglesType;
    descriptor_.enabled_count = experimental ? std::size(kAdapterToggles) : 1;
    descriptor_.enabled = kAdapterToggles;
  }
  WGPUChainedStruct* head() override { return &descriptor_.chain; }

 private:
  TogglesDescriptor descriptor_{};
};

std::size_t load_cached(PipelineCache* cache, const void* key, std::size_t key_size, void* value,
                        std::size_t value_size) {
  return cache->load({static_cast<const std::byte*>(key), key_size}, {static_cast<std::byte*>(value), value_size});
}

void store_cached(PipelineCache* cache, const void* key, std::size_t key_size, const void* value,
                  std::size_t value_size) {
  cache->store({static_cast<const std::byte*>(key), key_size}, {static_cast<const std::byte*>(value), value_size});
}

OldCacheDescriptor old_cache_descriptor(PipelineCache& cache) {
  OldCacheDescriptor descriptor{};
  descriptor.chain.sType = kCacheType;
  descriptor.isolation_key = view_of(cache.isolation());
  descriptor.load = [](const void* key, std::size_t key_size, void* value, std::size_t value_size, void* user) {
    return load_cached(static_cast<PipelineCache*>(user), key, key_size, value, value_size);
  };
  descriptor.store = [](const void* key, std::size_t key_size, const void* value, std::size_t value_size, void* user) {
    store_cached(static_cast<PipelineCache*>(user), key, key_size, value, value_size);
  };
  descriptor.user = &cache;
  return descriptor;
}

// Versions between the two forms share this form's chain but read the old one from it: no function to load, and the one
// below to store, called with a pointer where the size of the key stands. They get no cache.
CacheDescriptor cache_descriptor(PipelineCache& cache) {
  constexpr std::size_t kMaxKeyBytes = 1 << 28;
  CacheDescriptor descriptor{};
  descriptor.chain.sType = kCacheType;
  descriptor.isolation_key = view_of(cache.isolation());
  descriptor.load.callback = [](std::size_t key_size, const void* key, std::size_t value_size, void* value, void* user,
                                void*) {
    if (key_size > kMaxKeyBytes) return std::size_t{0};
    return load_cached(static_cast<PipelineCache*>(user), key, key_size, value, value_size);
  };
  descriptor.load.user = &cache;
  descriptor.store.callback = [](std::size_t key_size, const void* key, std::size_t value_size, const void* value,
                                 void* user, void*) {
    store_cached(static_cast<PipelineCache*>(user), key, key_size, value, value_size);
  };
  descriptor.store.user = &cache;
  return descriptor;
}

class TogglesChain final : public DeviceChain {
 public:
  TogglesChain(bool robust, std::span<const Feature> features, PipelineCache* cache, bool old_generation) {
    descriptor_.chain.sType = kTogglesType;
    if (cache != nullptr && old_generation) {
      old_cache_ = old_cache_descriptor(*cache);
      descriptor_.chain.next = &old_cache_.chain;
    } else if (cache != nullptr) {
      cache_ = cache_descriptor(*cache);
      descriptor_.chain.next = &cache_.chain;
    }
    if (robust) return;
    // Validation (skip_validation) stays on for everybody: a wrong call must be an error.
    enabled_ = {"disable_robustness", "allow_unsafe_apis"};
    if (std::ranges::find(features, kSubgroupMatrix, &Feature::name) != features.end()) {
      enabled_.push_back("use_vulkan_memory_model");  // Dawn refuses the feature without
    }
    // Rounding timestamps to 0.1 ms protects web pages from each other; a trusted program wants the numbers.
    disabled_ = {"timestamp_quantization"};
    descriptor_.enabled_count = enabled_.size();
    descriptor_.enabled = enabled_.data();
    descriptor_.disabled_count = disabled_.size();
    descriptor_.disabled = disabled_.data();
  }
  WGPUChainedStruct* head() override { return &descriptor_.chain; }

 private:
  std::vector<const char*> enabled_;
  std::vector<const char*> disabled_;
  OldCacheDescriptor old_cache_{};
  CacheDescriptor cache_{};
  TogglesDescriptor descriptor_{};
};

std::string known_name(std::uint32_t number, bool old_generation) {
  if (const auto name = standard_feature_name(number); !old_generation && !name.empty()) return std::string(name);
  for (const DawnFeature& row : kOldFeatures) {
    if (old_generation && row.number == number) return row.name;
  }
  const auto row = std::ranges::find(kDawnFeatures, number, &DawnFeature::number);
  return row != std::end(kDawnFeatures) ? row->name : fmt::format("extension-{:#x}", number);
}

// Dawn refuses an experimental feature with "Feature <name> is guarded by toggle allow_unsafe_apis."
std::optional<std::string> guarded_name(std::string_view message) {
  constexpr std::string_view kBefore = "Feature ";
  constexpr std::string_view kAfter = " is guarded by toggle";
  const auto end = message.find(kAfter);
  if (end == std::string_view::npos) return std::nullopt;
  const auto begin = message.rfind(kBefore, end);
  if (begin == std::string_view::npos) return std::nullopt;
  return std::string(message.substr(begin + kBefore.size(), end - begin - kBefore.size()));
}

class DawnDialect final : public Dialect {
 public:
  DawnDialect(bool old_generation, ForceLoss lose, FreeMatrixConfigs free_configs)
      : old_(old_generation), lose_(lose), free_configs_(free_configs) {}

  std::string_view name() const override { return "dawn"; }

  WGPUInstance create_instance(const Functions& functions) const override {
    if (old_) {
      OldInstanceDescriptor descriptor{};
      descriptor.timed_wait_any_enable = WGPU_TRUE;
      descriptor.timed_wait_any_max_count = 1;
      return functions.create_instance(reinterpret_cast<const WGPUInstanceDescriptor*>(&descriptor));
    }
    const WGPUInstanceFeatureName wanted[] = {WGPUInstanceFeatureName_TimedWaitAny};
    WGPUInstanceDescriptor descriptor{};
    descriptor.requiredFeatureCount = 1;
    descriptor.requiredFeatures = wanted;
    return functions.create_instance(&descriptor);
  }

  std::unique_ptr<DeviceChain> adapter_chain(bool experimental) const override {
    return std::make_unique<AdapterTogglesChain>(experimental);
  }

  std::vector<Feature> features(const Functions& functions, WGPUInstance instance, WGPUAdapter adapter) const override {
    std::vector<Feature> result;
    WGPUSupportedFeatures supported{};
    functions.adapter_get_features(adapter, &supported);
    for (std::size_t i = 0; i < supported.featureCount; ++i) {
      result.push_back({supported.features[i], known_name(supported.features[i], old_), false});
    }
    functions.supported_features_free_members(supported);
    const std::size_t plain_count = result.size();
    for (std::uint32_t number = kFirstExtension; number < kEndOfExtensions; ++number) {
      const auto is_plain = [&](const Feature& feature) {
        return feature.number == static_cast<WGPUFeatureName>(number);
      };
      if (std::any_of(result.begin(), result.begin() + static_cast<std::ptrdiff_t>(plain_count), is_plain)) continue;
      if (auto name = guarded_feature(functions, instance, adapter, static_cast<WGPUFeatureName>(number))) {
        result.push_back({static_cast<WGPUFeatureName>(number), std::move(*name), true});
      }
    }
    return result;
  }

  std::string_view matrix_feature() const override {
    return free_configs_ != nullptr ? kSubgroupMatrix : std::string_view();
  }

  std::vector<MatrixConfig> matrix_configs(const Functions& functions, WGPUAdapter adapter,
                                           const Feature& feature) const override {
    // Asked about a feature that needs another one that it hides, the library complains aloud.
    WGPUSupportedFeatures supported{};
    functions.adapter_get_features(adapter, &supported);
    const std::span numbers(supported.features, supported.featureCount);
    const bool listed = std::ranges::find(numbers, feature.number) != numbers.end();
    functions.supported_features_free_members(supported);
    if (!listed) return {};
    SubgroupMatrixConfigs list{};
    list.chain.sType = kMatrixConfigsType;
    WGPUAdapterInfo info{};
    info.nextInChain = &list.chain;
    if (functions.adapter_get_info(adapter, &info) != WGPUStatus_Success) return {};
    std::vector<MatrixConfig> result;
    const auto known = [](std::uint32_t component) { return component < std::size(kMatrixComponents); };
    for (const SubgroupMatrixConfig& row : std::span(list.configs, list.count)) {
      if (!known(row.component) || !known(row.result)) continue;
      result.push_back(
          {kMatrixComponents[row.component], kMatrixComponents[row.result], row.rows, row.columns, row.depth});
    }
    functions.adapter_info_free_members(info);
    free_configs_(list);
    return result;
  }

  bool takes_cache() const override { return true; }

  std::unique_ptr<DeviceChain> device_chain(bool robust, std::span<const Feature> features,
                                            PipelineCache* cache) const override {
    return std::make_unique<TogglesChain>(robust, features, cache, old_);
  }

  WGPUWaitStatus wait(const Functions& functions, const Owner& owner, Completion& call,
                      std::uint64_t nanoseconds) const override {
    return wait_future(functions, owner, call.future, nanoseconds);
  }

  WGPUWaitStatus wait_queue(const Functions& functions, const Owner& owner, WGPUQueue queue,
                            std::uint64_t nanoseconds) const override {
    WGPUQueueWorkDoneCallbackInfo info{};
    info.mode = WGPUCallbackMode_WaitAnyOnly;
    // Its parameters differ between generations and none is needed: losing the device is reported on its own.
    info.callback = [](WGPUQueueWorkDoneStatus, WGPUStringView, void*, void*) {};
    return wait_future(functions, owner, functions.queue_on_submitted_work_done(queue, info), nanoseconds);
  }

  WGPUShaderModule create_shader_module(const Functions& functions, WGPUDevice device, const KernelSource& source,
                                        bool) const override {
    return create_standard_module(functions, device, source);
  }

  void create_pipeline(const Functions& functions, WGPUDevice device, const WGPUComputePipelineDescriptor& descriptor,
                       PipelineAnswer& answer) const override {
    WGPUCreateComputePipelineAsyncCallbackInfo info{};
    info.mode = WGPUCallbackMode_WaitAnyOnly;
    info.userdata1 = &answer;
    info.callback = [](WGPUCreatePipelineAsyncStatus, WGPUComputePipeline pipeline, WGPUStringView message, void* user,
                       void*) {
      auto* to = static_cast<PipelineAnswer*>(user);
      to->pipeline = pipeline;
      to->message = text_of(message);
      to->done = true;
    };
    answer.future = functions.device_create_compute_pipeline_async(device, &descriptor, info);
  }

  double timestamp_period(WGPUQueue) const override { return 1; }

  std::uint32_t texture_format(std::uint32_t standard) const override {
    return old_ ? old_texture_format(standard) : standard;
  }

  GpuError classify(WGPUErrorType type, std::string_view message) const override {
    if (type == WGPUErrorType_OutOfMemory) return GpuError::kOutOfMemory;
    if (message.find("while destroyed") != std::string_view::npos) return GpuError::kDestroyed;
    if (message.find("device is lost") != std::string_view::npos) return GpuError::kDeviceLost;
    return GpuError::kValidationFailed;
  }

  void force_loss(const Functions&, WGPUDevice device, std::string_view message) const override {
    lose_(device, WGPUDeviceLostReason_Unknown, view_of(message));
  }

 private:
  static WGPUWaitStatus wait_future(const Functions& functions, const Owner& owner, WGPUFuture future,
                                    std::uint64_t nanoseconds) {
    WGPUFutureWaitInfo wait{future, WGPU_FALSE};
    const WGPUWaitStatus status = functions.instance_wait_any(owner.instance, 1, &wait, nanoseconds);
    return status == WGPUWaitStatus_Success && wait.completed == WGPU_FALSE ? WGPUWaitStatus_TimedOut : status;
  }

  // The name of an experimental feature that the adapter has, found by asking for it without permission: the request
  // always fails, before any device is made.
  static std::optional<std::string> guarded_feature(const Functions& functions, WGPUInstance instance,
                                                    WGPUAdapter adapter, WGPUFeatureName number) {
    struct Answer {
      std::optional<std::string> name;
      WGPUDevice device = nullptr;
    } answer;
    WGPUDeviceDescriptor descriptor{};
    descriptor.requiredFeatureCount = 1;
    descriptor.requiredFeatures = &number;
    WGPURequestDeviceCallbackInfo info{};
    info.mode = WGPUCallbackMode_WaitAnyOnly;
    info.userdata1 = &answer;
    info.callback = [](WGPURequestDeviceStatus, WGPUDevice device, WGPUStringView message, void* user, void*) {
      auto* to = static_cast<Answer*>(user);
      to->device = device;
      to->name = guarded_name(text_of(message));
    };
    WGPUFutureWaitInfo wait{functions.adapter_request_device(adapter, &descriptor, info), WGPU_FALSE};
    functions.instance_wait_any(instance, 1, &wait, UINT64_MAX);
    if (answer.device != nullptr) functions.device_release(answer.device);
    return answer.name;
  }

  bool old_;
  ForceLoss lose_;
  FreeMatrixConfigs free_configs_;  // null in versions without matrix units
};

}  // namespace

std::unique_ptr<const Dialect> make_dawn_dialect(void* library) {
  const bool old_generation = dlsym(library, "wgpuGetInstanceCapabilities") != nullptr;
  const auto lose = reinterpret_cast<ForceLoss>(dlsym(library, "wgpuDeviceForceLoss"));
  const auto free_configs =
      reinterpret_cast<FreeMatrixConfigs>(dlsym(library, "wgpuAdapterPropertiesSubgroupMatrixConfigsFreeMembers"));
  return std::make_unique<DawnDialect>(old_generation, lose, free_configs);
}

}  // namespace alknet::gpu
