#include "alknet/gpu/provider_wgpu.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <wgpu.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <thread>

namespace alknet::gpu {
namespace {

using Clock = std::chrono::steady_clock;

// Features of wgpu's own under the names that the rest of this layer knows.
struct NativeFeature {
  std::uint32_t number;
  const char* name;
  bool experimental;
};
constexpr NativeFeature kNativeFeatures[] = {
    {WGPUNativeFeature_MappablePrimaryBuffers, "buffer-map-extended-usages", true},
    {WGPUNativeFeature_Subgroup, "subgroups", false},
    {WGPUNativeFeature_SubgroupBarrier, "subgroup-barrier", false},
    {WGPUNativeFeature_TimestampQueryInsidePasses, "timestamp-query-inside-passes", false},
    {WGPUNativeFeature_TimestampQueryInsideEncoders, "timestamp-query-inside-encoders", false},
    {WGPUNativeFeature_ShaderF64, "shader-f64", false},
    {WGPUNativeFeature_ShaderI16, "shader-i16", false},
    {WGPUNativeFeature_ShaderInt64, "shader-int64", false},
    {WGPUNativeFeature_ShaderFloat32Atomic, "shader-float32-atomic", false},
    {WGPUNativeFeature_ShaderInt64AtomicMinMax, "shader-int64-atomic-min-max", false},
    {WGPUNativeFeature_ShaderInt64AtomicAllOps, "shader-int64-atomic-all-ops", false},
    {WGPUNativeFeature_PipelineCache, "pipeline-cache", false},
    {WGPUNativeFeature_CooperativeMatrix, "cooperative-matrix", true},
};

Feature feature_of(WGPUFeatureName number) {
  const auto code = static_cast<std::uint32_t>(number);
  const auto native = std::ranges::find(kNativeFeatures, code, &NativeFeature::number);
  if (native != std::end(kNativeFeatures)) return {number, native->name, native->experimental};
  const std::string_view standard = standard_feature_name(code);
  return {number, standard.empty() ? fmt::format("extension-{:#x}", code) : std::string(standard), false};
}

// Functions that only this library has.
struct NativeFunctions {
  decltype(&wgpuDevicePoll) device_poll = nullptr;
  decltype(&wgpuQueueGetTimestampPeriod) queue_get_timestamp_period = nullptr;
  decltype(&wgpuDeviceCreateShaderModuleTrusted) device_create_shader_module_trusted = nullptr;
};

template <typename F>
void load(void* library, const char* symbol, F& function) {
  function = reinterpret_cast<F>(dlsym(library, symbol));
}

// WGSL as naga reads it: it knows the functions of subgroups, but not yet the directive that enables them. Positions in
// messages stay right.
std::string without_subgroup_directive(std::string code) {
  constexpr std::string_view kDirective = "enable subgroups;";
  if (const auto at = code.find(kDirective); at != std::string::npos) {
    code.replace(at, kDirective.size(), kDirective.size(), ' ');
  }
  return code;
}

class WgpuDialect final : public Dialect {
 public:
  explicit WgpuDialect(const NativeFunctions& native) : native_(native) {}

  std::string_view name() const override { return "wgpu"; }

  WGPUInstance create_instance(const Functions& functions) const override {
    WGPUInstanceExtras extras{};
    extras.chain.sType = static_cast<WGPUSType>(WGPUSType_InstanceExtras);
    extras.backends = WGPUInstanceBackend_Vulkan;  // others would look for a display
    extras.flags = WGPUInstanceFlag_Default;
    WGPUInstanceDescriptor descriptor{};
    descriptor.nextInChain = &extras.chain;
    return functions.create_instance(&descriptor);
  }

  std::vector<Feature> features(const Functions& functions, WGPUInstance, WGPUAdapter adapter) const override {
    std::vector<Feature> result;
    WGPUSupportedFeatures supported{};
    functions.adapter_get_features(adapter, &supported);
    for (const WGPUFeatureName number : std::span(supported.features, supported.featureCount)) {
      result.push_back(feature_of(number));
    }
    functions.supported_features_free_members(supported);
    return result;
  }

  std::unique_ptr<DeviceChain> device_chain(bool, std::span<const Feature>, PipelineCache*) const override {
    return nullptr;
  }

  WGPUWaitStatus wait(const Functions&, const Owner& owner, Completion& call,
                      std::uint64_t nanoseconds) const override {
    // Adapters and devices are answered inside the call that asks for them.
    if (owner.device == nullptr) return call.done ? WGPUWaitStatus_Success : WGPUWaitStatus_Error;
    return poll_until(owner.device, call.done, nanoseconds);
  }

  WGPUWaitStatus wait_queue(const Functions& functions, const Owner& owner, WGPUQueue queue,
                            std::uint64_t nanoseconds) const override {
    // The callback may run after a wait whose time was over.
    using Flag = std::shared_ptr<std::atomic<bool>>;
    const auto done = std::make_shared<std::atomic<bool>>(false);
    WGPUQueueWorkDoneCallbackInfo info{};
    info.mode = WGPUCallbackMode_AllowSpontaneous;
    info.userdata1 = std::make_unique<Flag>(done).release();
    info.callback = [](WGPUQueueWorkDoneStatus, WGPUStringView, void* user, void*) {
      const std::unique_ptr<Flag> flag(static_cast<Flag*>(user));
      **flag = true;
    };
    functions.queue_on_submitted_work_done(queue, info);
    return poll_until(owner.device, *done, nanoseconds);
  }

  WGPUShaderModule create_shader_module(const Functions& functions, WGPUDevice device, const KernelSource& source,
                                        bool robust) const override {
    if (source.language == ShaderLanguage::kSpirv) return create_standard_module(functions, device, source);
    WGPUShaderSourceWGSL wgsl{};
    wgsl.chain.sType = WGPUSType_ShaderSourceWGSL;
    const std::string code = without_subgroup_directive(source.code);
    wgsl.code = view_of(code);
    WGPUShaderModuleDescriptor descriptor{};
    descriptor.label = view_of(source.name);
    descriptor.nextInChain = &wgsl.chain;
    return robust ? functions.device_create_shader_module(device, &descriptor)
                  : native_.device_create_shader_module_trusted(device, &descriptor, WGPUShaderRuntimeChecks_None);
  }

  void create_pipeline(const Functions& functions, WGPUDevice device, const WGPUComputePipelineDescriptor& descriptor,
                       PipelineAnswer& answer) const override {
    answer.pipeline = functions.device_create_compute_pipeline(device, &descriptor);
    answer.done = true;
  }

  double timestamp_period(WGPUQueue queue) const override {
    return static_cast<double>(native_.queue_get_timestamp_period(queue));
  }

  GpuError classify(WGPUErrorType type, std::string_view message) const override {
    if (type == WGPUErrorType_OutOfMemory || message.find("Not enough memory") != std::string_view::npos) {
      return GpuError::kOutOfMemory;
    }
    if (message.find("has been destroyed") != std::string_view::npos) return GpuError::kDestroyed;
    if (message.find("device is lost") != std::string_view::npos) return GpuError::kDeviceLost;
    return GpuError::kValidationFailed;
  }

  void force_loss(const Functions& functions, WGPUDevice device, std::string_view) const override {
    functions.device_destroy(device);
  }

 private:
  // Runs callbacks until `done`. Another thread may be running this one's callback, so an idle poll is tried again, but
  // not for ever: a library that forgets a callback must not hang its caller.
  WGPUWaitStatus poll_until(WGPUDevice device, const std::atomic<bool>& done, std::uint64_t nanoseconds) const {
    constexpr auto kPause = std::chrono::microseconds(20);
    constexpr int kIdlePolls = 50'000;  // a second
    const bool forever = nanoseconds == UINT64_MAX;
    const auto begin = Clock::now();
    for (int idle = 0; !done && idle < kIdlePolls;) {
      const bool empty = native_.device_poll(device, forever ? WGPU_TRUE : WGPU_FALSE, nullptr) != WGPU_FALSE;
      if (done) break;
      if (!forever && Clock::now() - begin >= std::chrono::nanoseconds(nanoseconds)) return WGPUWaitStatus_TimedOut;
      idle = empty || forever ? idle + 1 : 0;
      std::this_thread::sleep_for(kPause);
    }
    return done ? WGPUWaitStatus_Success : WGPUWaitStatus_Error;
  }

  NativeFunctions native_;
};

}  // namespace

std::unique_ptr<const Dialect> make_wgpu_dialect(void* library) {
  NativeFunctions native;
  load(library, "wgpuDevicePoll", native.device_poll);
  load(library, "wgpuQueueGetTimestampPeriod", native.queue_get_timestamp_period);
  load(library, "wgpuDeviceCreateShaderModuleTrusted", native.device_create_shader_module_trusted);
  return std::make_unique<WgpuDialect>(native);
}

}  // namespace alknet::gpu
