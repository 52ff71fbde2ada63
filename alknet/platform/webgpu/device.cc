// GPUDevice: what is made through it, its errors and its end.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alknet/platform/webgpu/adapter_object.h"
#include "alknet/platform/webgpu/errors.h"
#include "alknet/platform/webgpu/own_structs.h"

namespace alknet::platform::webgpu {

using runtime::Arguments;
using runtime::Deferred;
using runtime::Realm;
using runtime::Value;

namespace {

// --- Its end -----------------------------------------------------------------------------------------------------

// Resolves `lost`; whatever was made through the device does nothing from now on.
void end_device(Binding& binding, GpuObject& device, std::string_view reason, const std::string& message) {
  Facade& facade = *device.facade();
  if (facade.ended()) return;
  facade.end();
  auto info = std::make_unique<GpuObject>(interface_named("GPUDeviceLostInfo"), nullptr, nullptr);
  info->set_attribute("reason", binding.realm().string(reason));
  info->set_attribute("message", binding.realm().string(message));
  binding.touch("GPUDeviceLostReason", reason);
  const Value made = binding.make(std::move(info));
  const Value resolve = device.attribute("resolve");
  resolve.call(std::span(&made, 1));  // looks for a `then`: script may run, and the device go
}

Value destroy_device(Call& call) {
  const std::shared_ptr<Facade> facade = call.object.shared_facade();
  Leftovers left;
  const std::vector<GpuObject*> resources(facade->resources().begin(), facade->resources().end());
  for (GpuObject* resource : resources) resource->end(call.realm, left);  // frees nothing, so all of them are there
  end_device(call.binding, call.object, "destroyed", "The device was destroyed.");
  left.settle(call.realm);
  return {};
}

// A GPUDevice; its facade knows it as long as it lives.
class DeviceObject final : public GpuObject {
 public:
  using GpuObject::GpuObject;
  ~DeviceObject() override { facade()->device = nullptr; }
};

// The script object of the device of a facade; undefined when it is gone.
Value device_of(const Binding& binding, const Facade& facade) {
  return facade.device == nullptr ? Value() : binding.target_of(facade.device->attribute("weak"));
}

// --- Errors ------------------------------------------------------------------------------------------------------

Value push_error_scope(Call& call) {
  call.object.facade()->push_scope(static_cast<WGPUErrorFilter>(call.slots[1].u));
  return {};
}

Value pop_error_scope(Call& call) {
  bool had_scope = false;
  const std::optional<GpuFailure> failure = call.object.facade()->pop_scope(had_scope);
  if (!had_scope && !call.object.facade()->ended()) {
    return rejected_promise(
        call.realm, dom_exception(call.realm, "OperationError", "GPUDevice.popErrorScope: there is no error scope"));
  }
  return resolved_promise(call.realm, failure ? gpu_error(call.binding, *failure) : call.realm.null());
}

// --- Objects -----------------------------------------------------------------------------------------------------

// A texture or a set of queries: memory of its own, which `destroy` frees.
class Resource final : public GpuObject {
 public:
  using GpuObject::GpuObject;
  void end(Realm, Leftovers&) override {
    if (handle() == nullptr) return;
    const bool texture = interface().name == "GPUTexture";
    const auto free = facade()->typed_function<void (*)(void*)>(texture ? "wgpuTextureDestroy" : "wgpuQuerySetDestroy");
    facade()->run([&] { free(handle()); });
  }
};

std::unique_ptr<Resource> make_resource(Call& call) {
  Facade& facade = *call.object.facade();
  void* handle = nullptr;
  if (call.binding.usable(call)) {
    facade.run([&] { handle = call.row.invoke(facade.function(call.row.symbol), call.slots.data()); });
  }
  auto object = std::make_unique<Resource>(kTypes[call.row.result].target, call.object.shared_facade(), handle);
  object->set_label(call.converter.label);
  object->register_resource();
  return object;
}

Value create_texture(Call& call) {
  const auto& descriptor = *call.pointer<WGPUTextureDescriptor>(1);
  auto object = make_resource(call);
  const Realm realm = call.realm;
  const std::pair<std::string_view, std::uint32_t> numbers[] = {
      {"width", descriptor.size.width},
      {"height", descriptor.size.height},
      {"depthOrArrayLayers", descriptor.size.depthOrArrayLayers},
      {"mipLevelCount", descriptor.mipLevelCount},
      {"sampleCount", descriptor.sampleCount},
      {"usage", static_cast<std::uint32_t>(descriptor.usage)},
  };
  for (const auto& [name, value] : numbers) object->set_attribute(name, realm.number(value));
  object->set_attribute("dimension", realm.string(enum_text("GPUTextureDimension", descriptor.dimension)));
  object->set_attribute("format", realm.string(call.arguments[0].get("format").to_string()));
  return call.binding.make(std::move(object));
}

Value create_query_set(Call& call) {
  const auto& descriptor = *call.pointer<WGPUQuerySetDescriptor>(1);
  auto object = make_resource(call);
  object->set_attribute("count", call.realm.number(descriptor.count));
  object->set_attribute("type", call.realm.string(enum_text("GPUQueryType", descriptor.type)));
  return call.binding.make(std::move(object));
}

Value create_view(Call& call) {
  auto& descriptor = *call.pointer<OwnTextureViewDescriptor>(1);
  const std::string_view swizzle = gpu::text_of(descriptor.swizzle);
  static constexpr std::string_view kComponents = "01rgba";
  if (swizzle.size() != 4 || swizzle.find_first_not_of(kComponents) != std::string_view::npos) {
    throw call.realm.type_error(
        fmt::format("GPUTexture.createView: descriptor.swizzle is '{}', not four of r, g, b, a, 0 and 1", swizzle));
  }
  WGPUTextureComponentSwizzleDescriptor chained = WGPU_TEXTURE_COMPONENT_SWIZZLE_DESCRIPTOR_INIT;
  if (swizzle != "rgba") {
    if (!call.object.facade()->native().device().has_feature("texture-component-swizzle")) {
      call.object.facade()->report(
          {WGPUErrorFilter_Validation, "GPUTexture.createView: swizzle needs the feature 'texture-component-swizzle'"});
    }
    const auto component = [&](std::size_t i) {
      return static_cast<WGPUComponentSwizzle>(WGPUComponentSwizzle_Zero + kComponents.find(swizzle[i]));
    };
    chained.swizzle = {component(0), component(1), component(2), component(3)};
    descriptor.base.nextInChain = &chained.chain;
  }
  return call.binding.call_directly(call);
}

Value import_external_texture(Call& call) {
  throw call.realm.type_error("GPUDevice.importExternalTexture: there are no video elements or frames here");
}

// --- Pipelines that are made beside other work ----------------------------------------------------------------------

// A pipeline on its way: made on any thread, wrapped on the isolate's. Released when nobody comes for it.
struct PipelineCall {
  Deferred deferred;
  std::shared_ptr<Binding> binding;
  std::weak_ptr<Facade> facade;
  std::size_t interface;
  std::string label;
  void (*release)(void*);
};

struct MadePipeline {
  MadePipeline(WGPUCreatePipelineAsyncStatus how, void* made, std::string why, void (*give_back)(void*))
      : status(how), pipeline(made, give_back), message(std::move(why)) {}
  WGPUCreatePipelineAsyncStatus status;
  std::unique_ptr<void, void (*)(void*)> pipeline;
  std::string message;
};

void settle(const std::shared_ptr<PipelineCall>& call, WGPUCreatePipelineAsyncStatus status, void* pipeline,
            std::string_view message) {
  const auto made = std::make_shared<MadePipeline>(status, pipeline, std::string(message), call->release);
  call->deferred.resolve_later([call, made](Realm) {
    const std::shared_ptr<Facade> facade = call->facade.lock();
    if (made->status == WGPUCreatePipelineAsyncStatus_Success && facade != nullptr) {
      auto object = std::make_unique<GpuObject>(call->interface, facade, made->pipeline.release());
      object->set_label(call->label);
      return call->binding->make(std::move(object));
    }
    const bool invalid = made->status == WGPUCreatePipelineAsyncStatus_ValidationError;
    call->binding->touch("GPUPipelineErrorReason", invalid ? "validation" : "internal");
    throw pipeline_error(*call->binding, invalid ? "validation" : "internal", made->message);
  });
}

template <typename Pipeline>
void on_pipeline(WGPUCreatePipelineAsyncStatus status, Pipeline pipeline, WGPUStringView message, void* user, void*) {
  const std::unique_ptr<std::shared_ptr<PipelineCall>> call(static_cast<std::shared_ptr<PipelineCall>*>(user));
  settle(*call, status, pipeline, gpu::text_of(message));
}

// Info: WGPUCreate...PipelineAsyncCallbackInfo; the functions take a device and a descriptor.
template <typename Info, typename Descriptor, typename Later, typename Now>
Value create_pipeline_async(Call& call, std::string_view interface, const char* later, const char* now) {
  Facade& facade = *call.object.facade();
  if (facade.ended() || call.converter.has_invalid()) {
    const std::string why = facade.ended() ? "the device is lost" : call.converter.invalid_reason();
    return rejected_promise(call.realm, pipeline_error(call.binding, "validation", why));
  }
  const Deferred deferred(call.realm);
  const std::size_t row = interface_named(interface);
  auto pending = std::make_shared<PipelineCall>(
      PipelineCall{deferred, call.binding.shared_from_this(), call.object.shared_facade(), row, call.converter.label,
                   facade.typed_function<void (*)(void*)>(kInterfaces[row].release)});
  const auto* descriptor = call.pointer<const Descriptor>(1);
  const gpu::NativeDevice& native = facade.native();
  if (native.answers_later()) {
    Info info{};
    info.mode = WGPUCallbackMode_AllowSpontaneous;
    info.callback = on_pipeline;
    info.userdata1 = new std::shared_ptr<PipelineCall>(pending);  // on_pipeline deletes it
    facade.run([&] { facade.typed_function<Later>(later)(native.handle(), descriptor, info); });
    return deferred.promise();
  }
  void* pipeline = nullptr;
  const std::optional<gpu::NativeError> error =
      native.run([&] { pipeline = facade.typed_function<Now>(now)(native.handle(), descriptor); });
  settle(pending, error ? WGPUCreatePipelineAsyncStatus_ValidationError : WGPUCreatePipelineAsyncStatus_Success,
         pipeline, error ? error->message : std::string());
  return deferred.promise();
}

Value create_compute_pipeline_async(Call& call) {
  return create_pipeline_async<WGPUCreateComputePipelineAsyncCallbackInfo, WGPUComputePipelineDescriptor,
                               decltype(&wgpuDeviceCreateComputePipelineAsync),
                               decltype(&wgpuDeviceCreateComputePipeline)>(
      call, "GPUComputePipeline", "wgpuDeviceCreateComputePipelineAsync", "wgpuDeviceCreateComputePipeline");
}

Value create_render_pipeline_async(Call& call) {
  return create_pipeline_async<WGPUCreateRenderPipelineAsyncCallbackInfo, WGPURenderPipelineDescriptor,
                               decltype(&wgpuDeviceCreateRenderPipelineAsync),
                               decltype(&wgpuDeviceCreateRenderPipeline)>(
      call, "GPURenderPipeline", "wgpuDeviceCreateRenderPipelineAsync", "wgpuDeviceCreateRenderPipeline");
}

constexpr SpecialMethod kDeviceMethods[] = {
    {"GPUDevice.destroy", destroy_device},
    {"GPUDevice.pushErrorScope", push_error_scope},
    {"GPUDevice.popErrorScope", pop_error_scope},
    {"GPUDevice.createTexture", create_texture},
    {"GPUDevice.createQuerySet", create_query_set},
    {"GPUTexture.createView", create_view},
    {"GPUDevice.importExternalTexture", import_external_texture},
    {"GPUDevice.createComputePipelineAsync", create_compute_pipeline_async},
    {"GPUDevice.createRenderPipelineAsync", create_render_pipeline_async},
};

}  // namespace

std::span<const SpecialMethod> device_methods() { return kDeviceMethods; }

Value make_device(Binding& binding, const gpu::Device& device, std::span<const std::string> features,
                  std::span<const LimitValue> limits, const std::string& label, const std::string& queue_label) {
  const Realm realm = binding.realm();
  auto facade = std::make_shared<Facade>(gpu::NativeDevice(device));
  facade->binding = binding.weak_from_this();
  const gpu::NativeDevice& native = facade->native();
  const gpu::Functions& functions = native.functions();
  facade->typed_function<decltype(&wgpuDeviceAddRef)>("wgpuDeviceAddRef")(native.handle());
  auto queue =
      std::make_unique<GpuObject>(interface_named("GPUQueue"), facade, functions.device_get_queue(native.handle()));
  queue->set_label(queue_label);
  auto object = std::make_unique<DeviceObject>(interface_named("GPUDevice"), facade, native.handle());
  GpuObject& made = *object;
  facade->device = &made;
  made.set_label(label);
  made.set_attribute("queue", binding.make(std::move(queue)));
  made.set_attribute("features", make_name_set(binding, "GPUSupportedFeatures", features));
  made.set_attribute("limits", make_limits(binding, limits));
  made.set_attribute("adapterInfo", make_adapter_info(binding, device.adapter()));
  const runtime::PromiseCapability lost = realm.promise_capability();
  made.set_attribute("lost", lost.promise);
  made.set_attribute("resolve", lost.resolve);
  Value value = binding.make_derived(std::move(object), {}, {});
  // Nothing here may keep the device: what script cannot reach hears of nothing.
  made.set_attribute("weak", binding.weak_reference(value));
  const runtime::WeakIsolate isolate(realm);
  const std::weak_ptr<Facade> weak = facade;
  facade->uncaptured = [isolate, weak](const GpuFailure& failure) {
    isolate.post([weak, failure](Realm) {
      const std::shared_ptr<Facade> there = weak.lock();
      const std::shared_ptr<Binding> with = there == nullptr ? nullptr : there->binding.lock();
      if (with == nullptr) return;
      const Value target = device_of(*with, *there);
      if (target.is_object()) fire_uncaptured(*with, target, failure);
    });
  };
  const auto report_loss = [isolate, weak] {  // on any thread
    isolate.post([weak](Realm) {
      const std::shared_ptr<Facade> there = weak.lock();
      const std::shared_ptr<Binding> with = there == nullptr ? nullptr : there->binding.lock();
      if (with == nullptr) return;
      const Value target = device_of(*with, *there);  // keeps it
      if (target.is_object()) end_device(*with, *there->device, "unknown", there->native().lost_message());
    });
  };
  facade->loss = native.on_lost(report_loss);
  if (device.lost()) report_loss();
  return value;
}

}  // namespace alknet::platform::webgpu
