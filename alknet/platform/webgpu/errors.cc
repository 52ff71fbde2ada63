#include "alknet/platform/webgpu/errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alknet/platform/webgpu/own_structs.h"

namespace alknet::platform::webgpu {

using runtime::Realm;
using runtime::Value;

namespace {

std::string_view class_of(WGPUErrorFilter filter) {
  switch (filter) {
    case WGPUErrorFilter_OutOfMemory: return "GPUOutOfMemoryError";
    case WGPUErrorFilter_Internal: return "GPUInternalError";
    default: return "GPUValidationError";
  }
}

std::unique_ptr<GpuObject> object_of(std::string_view interface) {
  return std::make_unique<GpuObject>(interface_named(interface), nullptr, nullptr);
}

Value make_pipeline_error(Binding& binding, std::string_view reason, const std::string& message,
                          const Value& new_target) {
  auto object = object_of("GPUPipelineError");
  object->set_attribute("reason", binding.realm().string(reason));
  const std::array arguments = {binding.realm().string(message), binding.realm().string("GPUPipelineError")};
  return binding.make_derived(std::move(object), arguments, new_target);
}

// What the rows say of the arguments of constructors, by hand: there are three forms.
struct Constructor {
  std::string_view interface;
  Value (*make)(Binding&, const Value& new_target, const runtime::Arguments&);
};

void require(const Binding& binding, const runtime::Arguments& arguments, std::size_t least, std::string_view what) {
  if (arguments.size() >= least) return;
  throw binding.realm().type_error(
      fmt::format("{}: {} arguments are required, {} were given", what, least, arguments.size()));
}

template <typename T>
T convert(const Value& value, std::string_view dictionary, const Path& path, Converter& converter) {
  return *static_cast<T*>(converter.dictionary(value, kDictionaries[dictionary_named(dictionary)], path));
}

Value construct_pipeline_error(Binding& binding, const Value& new_target, const runtime::Arguments& arguments) {
  Converter converter(binding.realm(), nullptr, binding.options().coverage);
  const Path top{nullptr, "GPUPipelineError: options"};
  const auto init = convert<OwnPipelineErrorInit>(arguments[1], "GPUPipelineErrorInit", top, converter);
  const std::string message = arguments[0].is_undefined() ? std::string() : arguments[0].to_string();
  return make_pipeline_error(binding, gpu::text_of(init.reason), message, new_target);
}

Value construct_event(Binding& binding, const Value& new_target, const runtime::Arguments& arguments) {
  require(binding, arguments, 2, "GPUUncapturedErrorEvent");
  Converter converter(binding.realm(), nullptr, binding.options().coverage);
  const Path top{nullptr, "GPUUncapturedErrorEvent: gpuUncapturedErrorEventInitDict"};
  const auto init = convert<OwnUncapturedErrorEventInit>(arguments[1], "GPUUncapturedErrorEventInit", top, converter);
  auto object = object_of("GPUUncapturedErrorEvent");
  object->set_attribute("error", *init.error);
  const std::array base = {arguments[0], arguments[1]};
  return binding.make_derived(std::move(object), base, new_target);
}

}  // namespace

runtime::ScriptError dom_exception(Realm realm, std::string_view name, const std::string& message) {
  const Value type = realm.global().get("DOMException");
  if (type.is_function()) {
    const std::array arguments = {realm.string(message), realm.string(name)};
    return realm.thrown(type.construct(arguments));
  }
  runtime::ScriptError error = realm.error(runtime::ErrorType::kError, message);
  error.thrown().set("name", realm.string(name));
  return error;
}

Value resolved_promise(Realm realm, Value value) {
  const runtime::Deferred deferred(realm);
  Value promise = deferred.promise();
  deferred.resolve(std::move(value));
  return promise;
}

Value rejected_promise(Realm realm, const runtime::ScriptError& error) {
  const runtime::Deferred deferred(realm);
  Value promise = deferred.promise();
  deferred.reject_with(error.thrown());
  return promise;
}

Value gpu_error(Binding& binding, const GpuFailure& failure) {
  auto object = object_of(class_of(failure.filter));
  object->set_attribute("message", binding.realm().string(failure.message));
  return binding.make(std::move(object));
}

runtime::ScriptError pipeline_error(Binding& binding, std::string_view reason, const std::string& message) {
  return binding.realm().thrown(make_pipeline_error(binding, reason, message, {}));
}

void fire_uncaptured(Binding& binding, const Value& device, const GpuFailure& failure) {
  const Realm realm = binding.realm();
  auto object = object_of("GPUUncapturedErrorEvent");
  object->set_attribute("error", gpu_error(binding, failure));
  const Value init = realm.object();
  init.set("cancelable", realm.boolean(true));
  const std::array base = {realm.string("uncapturederror"), init};
  const Value event = binding.make_derived(std::move(object), base, {});
  const Value dispatch = device.get("dispatchEvent");
  const bool unhandled = !dispatch.is_function() || dispatch.call_on(device, std::span(&event, 1)).to_boolean();
  const Value console = realm.global().get("console");
  if (!unhandled || !console.is_object()) return;
  const Value text = realm.string(fmt::format("WebGPU: {}", failure.message));
  console.invoke("warn", std::span(&text, 1));
}

Value construct_error(Binding& binding, std::size_t interface, const Value& new_target,
                      const runtime::Arguments& arguments) {
  static constexpr Constructor kOthers[] = {{"GPUPipelineError", construct_pipeline_error},
                                            {"GPUUncapturedErrorEvent", construct_event}};
  const std::string_view name = kInterfaces[interface].name;
  binding.touch(name, "constructor");
  const auto other = std::ranges::find(kOthers, name, &Constructor::interface);
  if (other != std::end(kOthers)) return other->make(binding, new_target, arguments);
  require(binding, arguments, 1, name);
  auto object = std::make_unique<GpuObject>(interface, nullptr, nullptr);
  object->set_attribute("message", binding.realm().string(arguments[0].to_string()));
  return runtime::make_object(new_target, std::move(object));
}

}  // namespace alknet::platform::webgpu
