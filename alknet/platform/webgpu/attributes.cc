// Attributes that change, or are not worth keeping as values of script.
#include <array>

#include "alknet/platform/webgpu/adapter_object.h"
#include "alknet/platform/webgpu/binding.h"
#include "alknet/platform/webgpu/buffer_object.h"

namespace alknet::platform::webgpu {

using runtime::Arguments;
using runtime::Realm;
using runtime::Value;
using State = BufferObject::Mapping::State;

namespace {

Value get_label(Binding&, Realm realm, const Value&, GpuObject& object) { return realm.string(object.label()); }

void set_label(Binding&, Realm, const Value&, GpuObject& object, const Value& value) {
  object.rename(value.to_string());
}

Value get_size(Binding&, Realm realm, const Value&, GpuObject& object) {
  return realm.number(static_cast<double>(static_cast<BufferObject&>(object).size));
}

Value get_usage(Binding&, Realm realm, const Value&, GpuObject& object) {
  return realm.number(static_cast<double>(static_cast<BufferObject&>(object).usage));
}

Value get_map_state(Binding& binding, Realm realm, const Value&, GpuObject& object) {
  static constexpr std::string_view kNames[] = {"unmapped", "pending", "mapped"};
  const State state = static_cast<BufferObject&>(object).mapping()->state;
  const std::string_view name = kNames[static_cast<std::size_t>(state)];
  binding.touch("GPUBufferMapState", name);
  return realm.string(name);
}

// What the compilers of all providers know.
Value get_language_features(Binding& binding, Realm, const Value&, GpuObject& gpu) {
  static const std::string kNames[] = {"readonly_and_readwrite_storage_textures", "packed_4x8_integer_dot_product",
                                       "unrestricted_pointer_parameters", "pointer_composite_access"};
  if (gpu.attribute("features").is_undefined()) {
    gpu.set_attribute("features", make_name_set(binding, "WGSLLanguageFeatures", kNames));
  }
  return gpu.attribute("features");
}

Value get_handler(Binding&, Realm realm, const Value&, GpuObject& device) {
  const Value handler = device.attribute("handler");
  return handler.is_undefined() ? realm.null() : handler;
}

Value call_handler(Realm, const Value& target, Arguments arguments) {
  const HeldObject held = held_object(target);
  const Value handler = held.object != nullptr ? held.object->attribute("handler") : Value();
  const Value event = arguments[0];
  return handler.is_function() ? handler.call_on(target, std::span(&event, 1)) : Value();
}

void set_handler(Binding&, Realm realm, const Value& self, GpuObject& device, const Value& value) {
  const bool first = device.attribute("handler").is_undefined();
  device.set_attribute("handler", value.is_object() ? value : realm.null());
  if (!first || !self.get("addEventListener").is_function()) return;
  const Value listener = realm.function("onuncapturederror", 1, call_handler);
  const std::array arguments = {realm.string("uncapturederror"), listener};
  self.invoke("addEventListener", arguments);
}

constexpr SpecialAttribute kSpecialAttributes[] = {
    {"*.label", get_label, set_label},
    {"GPU.wgslLanguageFeatures", get_language_features, nullptr},
    {"GPUBuffer.mapState", get_map_state, nullptr},
    {"GPUBuffer.size", get_size, nullptr},
    {"GPUBuffer.usage", get_usage, nullptr},
    {"GPUDevice.onuncapturederror", get_handler, set_handler},
};

}  // namespace

std::span<const SpecialAttribute> special_attributes() { return kSpecialAttributes; }

}  // namespace alknet::platform::webgpu
