#include "alknet/runtime/native.h"

#include "alknet/runtime/quickjs.h"

namespace alknet::runtime {

namespace {

JSValue construct_number(JSContext* context, JSValueConst new_target, int count, JSValueConst* values, int number) {
  IsolateState& state = *static_cast<IsolateState*>(JS_GetContextOpaque(context));
  return guarded(state, [&] {
    return state.functions[static_cast<std::size_t>(number)](Realm(state), ValueAccess::borrow(state, new_target),
                                                             Arguments(state, count, values));
  });
}

Value illegal_constructor(Realm realm, const Value&, Arguments) { throw realm.type_error("Illegal constructor"); }

void define_methods(Realm realm, const Value& target, std::span<const MethodSpec> methods) {
  for (const MethodSpec& method : methods)
    target.define(method.name, realm.function(method.name, method.length, method.function));
}

void define_attribute(Realm realm, const Value& prototype, const AttributeSpec& attribute) {
  const std::string name(attribute.name);
  const Value get = realm.function("get " + name, 0, attribute.get);
  const Value set = attribute.set == nullptr ? Value() : realm.function("set " + name, 1, attribute.set);
  define_accessor(prototype, Atom(ValueAccess::state(realm), name), get, set,
                  JS_PROP_CONFIGURABLE | JS_PROP_ENUMERABLE);
}

void define_tag(Realm realm, const Value& prototype, std::string_view tag) {
  const Atom name(ValueAccess::state(realm), realm.symbol(WellKnownSymbol::kToStringTag));
  define_value(prototype, name, realm.string(tag), JS_PROP_CONFIGURABLE);
}

}  // namespace

Value define_class(Realm realm, const ClassSpec& spec, const Value& parent) {
  IsolateState& state = ValueAccess::state(realm);
  const Entry entry(state);
  const Value prototype = parent.is_undefined() ? realm.object() : realm.object_with_prototype(parent.get("prototype"));
  JSCFunctionType type{};
  type.constructor_magic = construct_number;
  const int number = state.number_of(spec.construct == nullptr ? illegal_constructor : spec.construct);
  Value constructor =
      checked_twice(state, JS_NewCFunction2(entry.context(), type.generic, std::string(spec.name).c_str(), spec.length,
                                            JS_CFUNC_constructor_magic, number));
  checked(state, JS_SetConstructor(entry.context(), ValueAccess::raw(constructor), ValueAccess::raw(prototype)));
  if (!parent.is_undefined()) {
    checked(state, JS_SetPrototype(entry.context(), ValueAccess::raw(constructor), ValueAccess::raw(parent)));
  }
  define_methods(realm, prototype, spec.methods);
  define_methods(realm, constructor, spec.static_methods);
  for (const AttributeSpec& attribute : spec.attributes) define_attribute(realm, prototype, attribute);
  define_tag(realm, prototype, spec.name);
  return constructor;
}

Value make_object(const Value& constructor, std::unique_ptr<NativeObject> native) {
  IsolateState& state = ValueAccess::state(constructor.realm());
  const Entry entry(state);
  const Value prototype = constructor.get("prototype");
  Value out = checked(state, JS_NewObjectProtoClass(entry.context(), ValueAccess::raw(prototype), state.native_class));
  state.natives.insert(native.get());
  JS_SetOpaque(ValueAccess::raw(out), native.release());
  return out;
}

NativeObject* native_object(const Value& value) noexcept {
  if (!value.is_object()) return nullptr;
  return static_cast<NativeObject*>(JS_GetOpaque(ValueAccess::raw(value), ValueAccess::state(value)->native_class));
}

}  // namespace alknet::runtime
