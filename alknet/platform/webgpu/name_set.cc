// GPUSupportedFeatures and WGSLLanguageFeatures: Web IDL's read-only setlike over a Set.
#include <array>

#include "alknet/platform/webgpu/adapter_object.h"

namespace alknet::platform::webgpu {

using runtime::Arguments;
using runtime::Realm;
using runtime::Value;

Value make_name_set(Binding& binding, std::string_view interface, std::span<const std::string> names) {
  const Realm realm = binding.realm();
  std::vector<Value> values;
  for (const std::string& name : names) values.push_back(realm.string(name));
  auto object = std::make_unique<GpuObject>(interface_named(interface), nullptr, nullptr);
  const Value array = realm.array(values);
  object->set_attribute("set", realm.global().get("Set").construct(std::span(&array, 1)));
  return binding.make(std::move(object));
}

void define_setlike(Binding& binding, const Value& prototype, std::size_t interface) {
  const Realm realm = binding.realm();
  const auto held = binding.shared_from_this();
  const auto define = [&](const std::string& name, int length) {
    Value method =
        realm.closure(name, length, [held, interface, name](Realm in, const Value& self, Arguments arguments) {
          const Value set = receiver(self, interface).object->attribute("set");
          held->touch(kInterfaces[interface].name, "setlike");
          if (name != "forEach") return set.invoke(name, arguments.from(0));
          const Value callback = arguments[0];
          if (!callback.is_function()) throw in.type_error("forEach: the callback is no function");
          const Value items = in.global().get("Array").invoke("from", std::span(&set, 1));
          for (std::uint32_t i = 0; i < items.length(); ++i) {
            const std::array given = {items.get(i), items.get(i), self};
            callback.call_on(arguments[1], given);
          }
          return Value();
        });
    prototype.set(name, method);
    return method;
  };
  for (const char* name : {"entries", "keys"}) define(name, 0);
  for (const char* name : {"has", "forEach"}) define(name, 1);
  const Value values = define("values", 0);
  const Value size = realm.closure("size", 0, [held, interface](Realm, const Value& self, Arguments) {
    held->touch(kInterfaces[interface].name, "setlike");
    return receiver(self, interface).object->attribute("set").get("size");
  });
  binding.define_getter(prototype, "size", size);
  const Value descriptor = realm.object();
  descriptor.set("value", values);
  for (const char* flag : {"writable", "configurable"}) descriptor.set(flag, realm.boolean(true));
  const Value global = realm.global();
  const std::array arguments = {prototype, global.get("Symbol").get("iterator"), descriptor};
  global.get("Object").invoke("defineProperty", arguments);
}

}  // namespace alknet::platform::webgpu
