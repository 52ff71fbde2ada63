#include "alknet/runtime/promise.h"
#include "alknet/runtime/quickjs.h"
#include "alknet/runtime/web/host.h"

namespace alknet::runtime::web {
namespace {

std::string class_name(IsolateState& state, JSClassID id) {
  JSContext* const context = context_of(state);
  const JSAtom atom = JS_GetClassName(state.runtime, id);
  const JSValue name = JS_AtomToString(context, atom);
  JS_FreeAtom(context, atom);
  return checked(state, name).to_string();
}

/// The class that the engine gave a value, which no prototype can feign; typed arrays are all "TypedArray".
Value kind_of(Realm realm, const Value& self, Arguments arguments) {
  const Value value = arguments[0];
  IsolateState& state = ValueAccess::state(realm);
  if (value.is_proxy()) return realm.string("Proxy");
  const JSClassID id = JS_GetClassID(ValueAccess::raw(value));
  Value& kind = host_of(self).kinds[id];
  if (kind.is_undefined()) {
    const bool view = value.is_array_buffer_view();
    std::string name = class_name(state, id);
    if (view && name != "DataView") name = "TypedArray";
    kind = realm.string(name);
  }
  return kind;
}

/// What a proxy stands for, null once it is revoked.
Value proxy_target(Realm realm, const Value&, Arguments arguments) {
  IsolateState& state = ValueAccess::state(realm);
  JSContext* const context = context_of(state);
  const JSValue target = JS_GetProxyTarget(context, ValueAccess::raw(arguments[0]));
  if (!JS_IsException(target)) return ValueAccess::adopt(state, target);
  JS_FreeValue(context, JS_GetException(context));
  return realm.null();
}

/// ["pending"], or ["fulfilled" or "rejected", what it holds].
Value state_of_promise(Realm realm, const Value&, Arguments arguments) {
  const Value promise = arguments[0];
  const PromiseState state = promise_state(promise);
  if (state == PromiseState::kPending) {
    const std::array<Value, 1> pending = {realm.string("pending")};
    return realm.array(pending);
  }
  const std::array<Value, 2> settled = {realm.string(state == PromiseState::kFulfilled ? "fulfilled" : "rejected"),
                                        promise_result(promise)};
  return realm.array(settled);
}

/// From now on our scripts see the object as it is now, whatever other scripts make of it.
Value keep(Realm realm, const Value&, Arguments arguments) {
  JS_KeepOriginal(context_of(ValueAccess::state(realm)), ValueAccess::raw(arguments[0]));
  return {};
}

constexpr std::array<MethodSpec, 4> kKindFunctions = {{
    {"keep", 1, keep},
    {"kindOf", 1, kind_of},
    {"proxyTarget", 1, proxy_target},
    {"promiseState", 1, state_of_promise},
}};

}  // namespace

std::span<const MethodSpec> kind_functions() { return kKindFunctions; }

}  // namespace alknet::runtime::web
