#include "alknet/runtime/web/web.h"

#include <algorithm>
#include <utility>

#include "alknet/runtime/quickjs.h"
#include "alknet/runtime/web/globals.h"
#include "alknet/runtime/web/host.h"
#include "alknet/runtime/web/scripts.h"

namespace alknet::runtime {
namespace web {

WebHost::WebHost(Realm realm, WebOptions given)
    : options(std::move(given)),
      timers(realm),
      start(std::chrono::steady_clock::now()),
      scripts(web::scripts().size()) {}

void WebHost::visit(ValueVisitor& visitor) const {
  timers.visit(visitor);
  for (const Value& exports : scripts) visitor.visit(exports);
  visitor.visit(module);
  visitor.visit(bitmap_class);
  visitor.visit(coder_class);
  for (const auto& [id, kind] : kinds) visitor.visit(kind);
}

namespace {

Value load(Realm realm, const Value& self, std::string_view name);

/// `load` of the host that is its datum, for scripts.
JSValue load_of(JSContext* context, JSValueConst, int, JSValueConst* values, int, JSValueConst* data) {
  IsolateState& state = *static_cast<IsolateState*>(JS_GetContextOpaque(context));
  return guarded(state, [&] {
    const std::string name = ValueAccess::borrow(state, values[0]).to_string();
    return load(Realm(state), ValueAccess::borrow(state, data[0]), name);
  });
}

/// Gives the host what scripts use of it, when the first one is loaded.
void complete(Realm realm, const Value& self, WebHost& host) {
  using Functions = std::span<const MethodSpec> (*)();
  constexpr std::array<Functions, 9> kFunctions = {clock_functions,  coder_functions, console_functions,
                                                   crypto_functions, image_functions, kind_functions,
                                                   text_functions,   timer_functions, url_functions};
  for (const Functions functions : kFunctions) {
    for (const MethodSpec& spec : functions())
      self.define(spec.name, realm.function(spec.name, spec.length, spec.function));
  }
  const auto since_1970 =
      std::chrono::system_clock::now().time_since_epoch() - (std::chrono::steady_clock::now() - host.start);
  self.define("timeOrigin", realm.number(std::chrono::duration<double, std::milli>(since_1970).count()));
  self.define("platformObject", realm.symbol("platform object"));
  self.define("userAgent", realm.string(host.options.user_agent));
  self.define("hardwareConcurrency", realm.number(host.options.hardware_concurrency));
  self.define("fetch", realm.function("fetch", 1, [](Realm in, const Value& object, Arguments arguments) {
    return host_of(object).options.fetch(in, arguments[0]);
  }));
  self.define("connect", realm.function("connect", 3, [](Realm in, const Value& object, Arguments arguments) {
    return host_of(object).options.connect(in, arguments[0], arguments[1], arguments[2]);
  }));
  IsolateState& state = ValueAccess::state(realm);
  JSValueConst datum = ValueAccess::raw(self);
  host.module = realm.object();
  host.module.define("host", self);
  host.module.define("load", checked_twice(state, JS_NewCFunctionData(context_of(state), load_of, 1, 0, 1, &datum)));
}

/// Runs the script that our build compiled; gives what it exports.
Value run(Realm realm, const Value& module, const Script& script) {
  IsolateState& state = ValueAccess::state(realm);
  const Entry entry(state);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(script.bytecode.data());
  const JSValue code = JS_ReadObject(entry.context(), bytes, script.bytecode.size(), JS_READ_OBJ_BYTECODE);
  if (JS_IsException(code)) throw_pending(state);
  JS_ReadOriginals(code);
  const Value function = checked(state, JS_EvalFunction(entry.context(), code));
  const Value exports = realm.object();
  const Value common = realm.object();
  common.define("exports", exports);
  const std::array<Value, 3> arguments = {module, common, exports};
  function.call(arguments);
  return common.get("exports");
}

/// The exports of a script, which runs when it is first asked for.
Value load(Realm realm, const Value& self, std::string_view name) {
  WebHost& host = host_of(self);
  const std::span<const Script> all = scripts();
  const auto script = std::find_if(all.begin(), all.end(), [name](const Script& one) { return one.name == name; });
  if (script == all.end()) throw realm.error(ErrorType::kError, "[web] there is no script '" + std::string(name) + "'");
  Value& exports = host.scripts[static_cast<std::size_t>(script - all.begin())];
  if (!exports.is_undefined()) return exports;
  if (host.module.is_undefined()) complete(realm, self, host);
  Value fresh = run(realm, host.module, *script);
  exports = fresh;
  return fresh;
}

/// The accessor of a global that has not been used: reading it runs its script, writing replaces it. Either way it is a
/// plain property from then on.
JSValue access(JSContext* context, JSValueConst, int count, JSValueConst* values, int number, JSValueConst* data) {
  IsolateState& state = *static_cast<IsolateState*>(JS_GetContextOpaque(context));
  return guarded(state, [&] {
    const Realm realm(state);
    const Global& global = globals()[static_cast<std::size_t>(number)];
    const Value self = ValueAccess::borrow(state, data[0]);
    Value value = count > 0 ? ValueAccess::borrow(state, values[0]) : load(realm, self, global.script).get(global.name);
    const int flags = JS_PROP_CONFIGURABLE | JS_PROP_WRITABLE | (global.enumerable ? JS_PROP_ENUMERABLE : 0);
    const OwnChanges ours(state);
    define_value(realm.global(), Atom(state, global.name), value, flags);
    return value;
  });
}

}  // namespace
}  // namespace web

void install_web(Isolate& isolate, WebOptions options) {
  const Realm realm = isolate.realm();
  IsolateState& state = isolate.state();
  const Entry entry(state);
  const OwnChanges ours(state);
  const bool has_fetch = options.fetch != nullptr, has_connect = options.connect != nullptr;
  ClassSpec spec;
  spec.name = "WebHost";
  const Value self = make_object(define_class(realm, spec), std::make_unique<web::WebHost>(realm, std::move(options)));
  const Value global = realm.global();
  const std::span<const web::Global> all = web::globals();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if ((all[i].name == "fetch" && !has_fetch) || (all[i].script == "websocket" && !has_connect)) continue;
    JSValueConst data = ValueAccess::raw(self);
    const Value accessor =
        checked_twice(state, JS_NewCFunctionData(entry.context(), web::access, 0, static_cast<int>(i), 1, &data));
    const int flags = JS_PROP_CONFIGURABLE | (all[i].enumerable ? JS_PROP_ENUMERABLE : 0);
    define_accessor(global, Atom(state, all[i].name), accessor, accessor, flags);
  }
  global.define("self", global);
}

std::vector<std::string_view> web_globals() {
  std::vector<std::string_view> names = {"self"};
  for (const web::Global& global : web::globals()) names.push_back(global.name);
  return names;
}

}  // namespace alknet::runtime
