#include "alknet/platform/webgpu/binding.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alknet/platform/webgpu/errors.h"

namespace alknet::platform::webgpu {

using runtime::Arguments;
using runtime::Realm;
using runtime::Value;

namespace {

constexpr std::string_view kHolder = "__webgpu_binding";

// How a constructor leads to its binding.
class Holder final : public runtime::NativeObject {
 public:
  explicit Holder(std::shared_ptr<Binding> kept) : binding(std::move(kept)) {}
  std::shared_ptr<Binding> binding;
};

template <typename Special>
const Special* find_special(std::span<const Special> table, std::string_view name) {
  const auto found = std::ranges::find(table, name, &Special::name);
  return found == table.end() ? nullptr : &*found;
}

const SpecialMethod* find_method(std::string_view name) {
  for (const auto table : {adapter_methods(), buffer_methods(), canvas_methods(), device_methods(), encoder_methods(),
                           queue_methods(), shader_methods()}) {
    if (const SpecialMethod* found = find_special(table, name)) return found;
  }
  return nullptr;
}

// The special methods of kMethods, row by row: null for those that only call their C function.
const SpecialMethod* special_method(std::size_t method) {
  static const std::vector<const SpecialMethod*> kSpecials = [] {
    std::vector<const SpecialMethod*> result(kMethods.size());
    for (const InterfaceRow& interface : kInterfaces) {
      for (std::size_t i = 0; i < interface.methods.count; ++i) {
        const std::size_t row = interface.methods.first + i;
        result[row] = find_method(fmt::format("{}.{}", interface.name, kMethods[row].name));
      }
    }
    return result;
  }();
  return kSpecials[method];
}

void define_property(Realm realm, const Value& target, std::string_view name, const Value& get, const Value& set,
                     bool enumerable) {
  const Value descriptor = realm.object();
  descriptor.set("get", get);
  if (!set.is_undefined()) descriptor.set("set", set);
  descriptor.set("enumerable", realm.boolean(enumerable));
  descriptor.set("configurable", realm.boolean(true));
  const std::array arguments = {target, realm.string(name), descriptor};
  realm.global().get("Object").invoke("defineProperty", arguments);
}

// What `new` does, whichever class it is: the class is found by its name along the prototypes of new.target.
Value construct(Realm, const Value& new_target, Arguments arguments) {
  Binding& binding = bound_to(new_target);
  Value base = new_target;
  for (std::size_t row = 0;; ++row) {
    if (row == kInterfaces.size()) {
      base = base.realm().global().get("Object").invoke("getPrototypeOf", std::span(&base, 1));
      row = 0;
    }
    if (kInterfaces[row].constructible && base.same_as(binding.constructor(row))) {
      return construct_error(binding, row, new_target, arguments);
    }
  }
}

}  // namespace

Binding& bound_to(const Value& constructor) {
  return *runtime::native_this<Holder>(constructor.get(kHolder), "class of WebGPU").binding;
}

void Binding::define_getter(const Value& target, std::string_view name, const Value& get) {
  define_property(realm_, target, name, get, {}, true);
}

HeldObject receiver(const Value& self, std::size_t interface) {
  HeldObject held = held_object(self);
  if (held.object != nullptr && held.object->is(interface)) return held;
  throw self.realm().type_error(fmt::format("Illegal invocation: this is no {}", kInterfaces[interface].name));
}

Binding::Binding(Realm realm, WebGpuOptions options)
    : realm_(realm),
      options_(std::move(options)),
      constructors_(kInterfaces.size()),
      at_end_(realm.isolate().stop_token(), Forget{this}) {}

void Binding::Forget::operator()() const {
  binding->constructors_.clear();
  for (Value* value : {&binding->inner_class_, &binding->weak_ref_, &binding->deref_}) *value = {};
  binding->instance_.reset();
}

const gpu::Instance& Binding::instance() {
  if (!instance_) instance_ = options_.instance();
  return *instance_;
}

void Binding::touch(std::string_view owner, std::string_view member) const {
  if (options_.coverage != nullptr) options_.coverage->touched.insert(fmt::format("{}.{}", owner, member));
}

void Binding::define_global(const Value& target, const std::string& name, std::function<Value(Binding&)> make) {
  const auto self = shared_from_this();
  const auto replace = [self, name](const Value& object, const Value& value) {
    const Value descriptor = self->realm_.object();
    descriptor.set("value", value);
    for (const char* flag : {"writable", "configurable"}) descriptor.set(flag, self->realm_.boolean(true));
    const std::array arguments = {object, self->realm_.string(name), descriptor};
    self->realm_.global().get("Object").invoke("defineProperty", arguments);
  };
  const Value get =
      realm_.closure(name, 0, [self, make = std::move(make), replace](Realm, const Value& object, Arguments) {
        Value value = make(*self);
        replace(object.is_object() ? object : self->realm_.global(), value);
        return value;
      });
  const Value set = realm_.closure(name, 1, [self, replace](Realm, const Value& object, Arguments arguments) {
    replace(object.is_object() ? object : self->realm_.global(), arguments[0]);
    return Value();
  });
  define_property(realm_, target, name, get, set, false);
}

Value Binding::weak_reference(const Value& object) const { return weak_ref_.construct(std::span(&object, 1)); }
Value Binding::target_of(const Value& weak) const { return deref_.call_on(weak); }

void Binding::install() {
  const Value global = realm_.global();
  weak_ref_ = global.get("WeakRef");
  deref_ = weak_ref_.get("prototype").get("deref");
  for (std::size_t row = 0; row < kInterfaces.size(); ++row) {
    define_global(global, std::string(kInterfaces[row].name),
                  [row](Binding& binding) { return binding.constructor(row); });
  }
  for (std::size_t row = 0; row < kNamespaces.size(); ++row) {
    define_global(global, std::string(kNamespaces[row].name),
                  [row](Binding& binding) { return binding.namespace_object(row); });
  }
  if (!global.has("OffscreenCanvas")) define_global(global, "OffscreenCanvas", make_canvas_class);
  Value navigator = global.get("navigator");
  if (!navigator.is_object()) {
    navigator = realm_.object();
    global.define_hidden("navigator", navigator);
  }
  define_global(navigator, "gpu", [](Binding& binding) {
    return binding.make(std::make_unique<GpuObject>(interface_named("GPU"), nullptr, nullptr));
  });
}

Value Binding::namespace_object(std::size_t row) {
  Value object = realm_.object();
  const auto self = shared_from_this();
  for (const ConstantRow& constant : rows(kConstants, kNamespaces[row].constants)) {
    if (options_.coverage == nullptr) {
      object.set(constant.name, realm_.number(constant.value));
      continue;
    }
    const Value get = realm_.closure(constant.name, 0, [self, row, &constant](Realm realm, const Value&, Arguments) {
      self->touch(kNamespaces[row].name, constant.name);
      return realm.number(constant.value);
    });
    define_property(realm_, object, constant.name, get, {}, true);
  }
  return object;
}

Value Binding::constructor(std::size_t interface) {
  Value& made = constructors_[interface];
  if (!made.is_undefined()) return made;
  const InterfaceRow& row = kInterfaces[interface];
  Value parent;
  if (!row.parent.empty()) {
    const std::size_t own = interface_named(row.parent);
    parent = own < kInterfaces.size() ? constructor(own) : realm_.global().get(row.parent);
    if (!parent.is_function()) parent = {};
  }
  runtime::ClassSpec spec;
  spec.name = row.name;
  if (row.constructible) {
    spec.construct = construct;
    spec.length = 1;
  }
  made = runtime::define_class(realm_, spec, parent);
  made.define_hidden(kHolder, runtime::make_object(inner_class(), std::make_unique<Holder>(shared_from_this())));
  const Value prototype = made.get("prototype");
  define_methods(prototype, interface);
  define_attributes(prototype, interface);
  if (row.setlike) define_setlike(*this, prototype, interface);
  return made;
}

void Binding::define_methods(const Value& prototype, std::size_t interface) {
  const InterfaceRow& row = kInterfaces[interface];
  const auto self = shared_from_this();
  for (std::uint16_t i = 0; i < row.methods.count;) {
    Range overloads{static_cast<std::uint16_t>(row.methods.first + i), 1};
    const MethodRow& method = kMethods[overloads.first];
    while (i + overloads.count < row.methods.count && kMethods[overloads.first + overloads.count].name == method.name) {
      ++overloads.count;
    }
    i = static_cast<std::uint16_t>(i + overloads.count);
    prototype.set(method.name,
                  realm_.closure(method.name, method.least,
                                 [self, interface, overloads](Realm, const Value& object, Arguments arguments) {
                                   return self->call_method(interface, overloads, object, arguments);
                                 }));
  }
}

void Binding::define_attributes(const Value& prototype, std::size_t interface) {
  const InterfaceRow& row = kInterfaces[interface];
  const auto self = shared_from_this();
  for (const AttributeRow& attribute : rows(kAttributes, row.attributes)) {
    const SpecialAttribute* special =
        find_special(special_attributes(), fmt::format("{}.{}", row.name, attribute.name));
    if (special == nullptr) special = find_special(special_attributes(), fmt::format("*.{}", attribute.name));
    const Value get = realm_.closure(
        attribute.name, 0, [self, interface, &attribute, special](Realm realm, const Value& object, Arguments) {
          const HeldObject held = receiver(object, interface);
          self->touch(kInterfaces[interface].name, attribute.name);
          return special != nullptr ? special->get(*self, realm, object, *held.object)
                                    : held.object->attribute(attribute.name);
        });
    Value set;
    if (!attribute.readonly) {
      set = realm_.closure(attribute.name, 1,
                           [self, interface, special](Realm realm, const Value& object, Arguments arguments) {
                             const HeldObject held = receiver(object, interface);
                             special->set(*self, realm, object, *held.object, arguments[0]);
                             return Value();
                           });
    }
    define_property(realm_, prototype, attribute.name, get, set, true);
  }
}

Value Binding::inner_class() {
  if (inner_class_.is_undefined()) {
    runtime::ClassSpec spec;
    spec.name = "WebGpuObject";
    inner_class_ = runtime::define_class(realm_, spec);
  }
  return inner_class_;
}

Value Binding::make(std::unique_ptr<GpuObject> object) {
  const std::size_t row = object->row();
  return runtime::make_object(constructor(row), std::move(object));
}

Value Binding::make_derived(std::unique_ptr<GpuObject> object, std::span<const Value> base_arguments,
                            const Value& new_target) {
  const InterfaceRow& row = object->interface();
  const Value parent = realm_.global().get(row.parent);
  const Value constructor_here = constructor(object->row());
  const Value& target = new_target.is_undefined() ? constructor_here : new_target;
  if (!parent.is_function()) return runtime::make_object(target, std::move(object));
  const std::array arguments = {parent, realm_.array(base_arguments), target};
  Value made = realm_.global().get("Reflect").invoke("construct", arguments);
  made.define_hidden(kInner, runtime::make_object(inner_class(), std::move(object)));
  return made;
}

Value Binding::call_method(std::size_t interface, Range overloads, const Value& self, const Arguments& arguments) {
  // The overloads of WebGPU differ in how many arguments they take.
  std::size_t method = overloads.first;
  for (std::size_t i = 1; i < overloads.count; ++i) {
    if (arguments.size() >= kMethods[overloads.first + i].least) method = overloads.first + i;
  }
  if (!kMethods[method].promise) return run_method(interface, method, self, arguments);
  try {
    return run_method(interface, method, self, arguments);
  } catch (const runtime::ScriptError& error) {
    return rejected_promise(realm_, error);
  }
}

Value Binding::run_method(std::size_t interface, std::size_t method, const Value& self, const Arguments& arguments) {
  const MethodRow& row = kMethods[method];
  const HeldObject held = receiver(self, interface);
  GpuObject& object = *held.object;
  const Path owner{nullptr, kInterfaces[interface].name};
  const Path top{&owner, row.name, Path::kMethod};
  if (arguments.size() < row.least) {
    throw realm_.type_error(
        fmt::format("{}{} arguments are required, {} were given", top.text(), row.least, arguments.size()));
  }
  touch(kInterfaces[interface].name, row.name);
  Converter converter(realm_, object.facade(), options_.coverage);
  Call call{*this, realm_, self, object, arguments, row, {}, converter};
  call.slots.emplace_back().p = object.handle();
  std::size_t index = 0;
  for (const ArgumentRow& argument : rows(kArguments, row.arguments)) {
    converter.argument(arguments[index++], argument, {&top, argument.name}, call.slots);
  }
  const SpecialMethod* special = special_method(method);
  return special != nullptr ? special->call(call) : call_directly(call);
}

bool Binding::usable(Call& call) {
  Facade& facade = *call.object.facade();
  if (facade.ended()) return false;
  std::string why;
  if (call.converter.has_invalid()) {
    why = call.converter.invalid_reason();
  } else if (!call.object.unusable().empty()) {
    why = fmt::format("{}.{}: {}", call.object.interface().name, call.row.name, call.object.unusable());
  } else if (call.object.handle() == nullptr) {
    why = fmt::format("{0}.{1}: the {0} is not valid", call.object.interface().name, call.row.name);
  }
  if (why.empty()) return true;
  if (call.object.recording() != nullptr) call.object.recording()->spoiled = true;
  facade.report({WGPUErrorFilter_Validation, std::move(why)});
  return false;
}

Value Binding::call_directly(Call& call) {
  const TypeRow& result = kTypes[call.row.result];
  void* made = nullptr;
  const auto& recording = call.object.recording();
  const bool spoiled = recording != nullptr && recording->spoiled && call.row.name == "finish";
  if (spoiled) {
    call.object.facade()->report({WGPUErrorFilter_Validation, fmt::format("{}.finish: a call before it was refused",
                                                                          call.object.interface().name)});
  } else if (usable(call)) {
    if (void* function = call.object.facade()->function(call.row.symbol)) {
      call.object.facade()->run([&] { made = call.row.invoke(function, call.slots.data()); });
    } else {
      call.object.facade()->report(
          {WGPUErrorFilter_Validation, fmt::format("{}: this WebGPU library has no such function", call.row.symbol)});
    }
  }
  if (result.kind != Kind::kInterface) return {};
  auto object = std::make_unique<GpuObject>(result.target, call.object.shared_facade(), made);
  object->set_label(call.converter.label);
  if (object->interface().name.ends_with("Encoder")) {
    object->set_recording(recording != nullptr ? recording : std::make_shared<GpuObject::Recording>());
  }
  return make(std::move(object));
}

void install_webgpu(Realm realm, WebGpuOptions options) {
  std::make_shared<Binding>(realm, std::move(options))->install();
}

}  // namespace alknet::platform::webgpu
