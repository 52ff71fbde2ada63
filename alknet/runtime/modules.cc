#include "alknet/runtime/modules.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "alknet/runtime/convert.h"
#include "alknet/runtime/import_map.h"
#include "alknet/runtime/promise.h"
#include "alknet/runtime/quickjs.h"

namespace alknet::runtime {

namespace {

IsolateState& state_of(JSContext* context) { return *static_cast<IsolateState*>(JS_GetContextOpaque(context)); }

const NativeModule* find_native(const IsolateState& state, std::string_view name) {
  const auto& modules = state.options.modules;
  const auto found =
      std::find_if(modules.begin(), modules.end(), [&](const auto& module) { return module.name == name; });
  return found == modules.end() ? nullptr : &*found;
}

std::string resolve(const IsolateState& state, std::string_view specifier, std::string_view referrer) {
  if (find_native(state, specifier) != nullptr) return std::string(specifier);
  if (state.options.resolver != nullptr) return state.options.resolver->resolve(specifier, referrer);
  throw Error(RuntimeError::kModuleNotFound, "[import] cannot find module '" + std::string(specifier) + "'",
              {{"specifier", specifier}, {"referrer", referrer}});
}

char* normalize(JSContext* context, const char* referrer, const char* specifier, void*) {
  IsolateState& state = state_of(context);
  if (state.compiling) return js_strndup(context, specifier, std::strlen(specifier));
  try {
    const std::string name = resolve(state, specifier, referrer);
    return js_strndup(context, name.data(), name.size());
  } catch (const std::exception& error) {
    state.raise(error);
    return nullptr;
  }
}

JSModuleDef* definition(const Value& module) {
  return static_cast<JSModuleDef*>(JS_VALUE_GET_PTR(ValueAccess::raw(module)));
}

std::string name_of(IsolateState& state, JSModuleDef* module) {
  JSContext* const context = context_of(state);
  const JSAtom atom = JS_GetModuleName(context, module);
  const JSValue name = JS_AtomToString(context, atom);
  JS_FreeAtom(context, atom);
  return checked(state, name).to_string();
}

int evaluate_native(JSContext* context, JSModuleDef* module) {
  IsolateState& state = state_of(context);
  const JSValue result = guarded(state, [&] {
    const NativeModule* const native = find_native(state, name_of(state, module));
    if (native == nullptr) throw Error(BaseError::kInternal, "[import] a native module is known by no name");
    const std::vector<Value> values = native->evaluate(Realm(state));
    for (std::size_t i = 0; i < native->exports.size() && i < values.size(); ++i) {
      checked(state,
              JS_SetModuleExport(context, module, native->exports[i].c_str(), ValueAccess::copy(state, values[i])));
    }
    return Value();
  });
  return JS_IsException(result) ? -1 : 0;
}

JSModuleDef* native_module(JSContext* context, const NativeModule& native) {
  JSModuleDef* const module = JS_NewCModule(context, native.name.c_str(), evaluate_native);
  if (module == nullptr) throw_pending(state_of(context));
  for (const std::string& name : native.exports) {
    checked(state_of(context), JS_AddModuleExport(context, module, name.c_str()));
  }
  return module;
}

int evaluate_json(JSContext* context, JSModuleDef* module) {
  return JS_SetModuleExport(context, module, "default", JS_GetModulePrivateValue(context, module));
}

JSModuleDef* json_module(IsolateState& state, const std::string& name, const SharedBytes& content) {
  JSContext* const context = context_of(state);
  const std::string text(content.text());
  const Value value = checked(state, JS_ParseJSON(context, text.c_str(), text.size(), name.c_str()));
  JSModuleDef* const module = JS_NewCModule(context, name.c_str(), evaluate_json);
  if (module == nullptr) throw_pending(state);
  checked(state, JS_SetModulePrivateValue(context, module, ValueAccess::copy(state, value)));
  checked(state, JS_AddModuleExport(context, module, "default"));
  return module;
}

void set_meta(IsolateState& state, JSModuleDef* module, const ModuleSource& source) {
  if (source.url.empty() && source.path.empty()) return;
  const Realm realm(state);
  const Value meta = checked(state, JS_GetImportMeta(context_of(state), module));
  if (!source.url.empty()) meta.set("url", realm.string(source.url));
  if (source.path.empty()) return;
  meta.set("filename", realm.string(source.path));
  meta.set("dirname", realm.string(std::filesystem::path(source.path).parent_path().string()));
  meta.set("main", realm.boolean(source.main));
}

/// What `import.meta` says in a module that no resolver loaded.
ModuleSource started(const std::string& name, bool main) {
  ModuleSource source;
  const bool is_file = name.starts_with('/');
  source.url = is_file ? file_url(name) : name;
  if (is_file) source.path = name;
  source.main = main;
  return source;
}

Value compile(IsolateState& state, std::string_view source, const std::string& name) {
  const Entry entry(state);
  const std::string text(source);
  return checked(state, JS_Eval(entry.context(), text.c_str(), text.size(), name.c_str(),
                                JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY));
}

JSModuleDef* load_module(IsolateState& state, const std::string& name) {
  JSContext* const context = context_of(state);
  if (state.compiling) return JS_NewCModule(context, name.c_str(), nullptr);
  if (const NativeModule* const native = find_native(state, name)) return native_module(context, *native);
  const ModuleSource source = state.options.resolver->load(name);
  switch (source.kind) {
    case ModuleSource::Kind::kNative:
      throw Error(RuntimeError::kModuleNotFound, "[import] this program has no native module '" + name + "'",
                  {{"specifier", name}});
    case ModuleSource::Kind::kJson: return json_module(state, name, source.content);
    case ModuleSource::Kind::kBytecode: {
      const auto began = std::chrono::steady_clock::now();
      const auto* const data = reinterpret_cast<const std::uint8_t*>(source.content.data());
      const Value module = checked(state, JS_ReadObject(context, data, source.content.size(), JS_READ_OBJ_BYTECODE));
      state.bytecode_time += std::chrono::steady_clock::now() - began;
      set_meta(state, definition(module), source);
      return definition(module);
    }
    case ModuleSource::Kind::kScript: break;
  }
  const Value module = compile(state, source.content.text(), name);
  set_meta(state, definition(module), source);
  return definition(module);
}

JSModuleDef* load(JSContext* context, const char* name, void*, JSValueConst) {
  IsolateState& state = state_of(context);
  try {
    return load_module(state, name);
  } catch (const std::exception& error) {
    state.raise(error);
    return nullptr;
  }
}

JSValue value_member(JSContext* context, JSValueConst, int, JSValueConst* arguments) {
  return JS_GetPropertyStr(context, arguments[0], "value");
}

JSValue first_datum(JSContext* context, JSValueConst, int, JSValueConst*, int, JSValueConst* data) {
  return JS_DupValue(context, data[0]);
}

/// A promise of `value` that waits for `promise`.
Value after(IsolateState& state, const Value& promise, const Value& value) {
  JSContext* const context = context_of(state);
  JSValue datum = ValueAccess::raw(value);
  const Value give = checked_twice(state, JS_NewCFunctionData(context, first_datum, 0, 0, 1, &datum));
  return checked(state, JS_PromiseThen(context, ValueAccess::raw(promise), ValueAccess::raw(give), JS_UNDEFINED));
}

}  // namespace

void set_module_loader(IsolateState& state) {
  JS_SetModuleLoaderFunc2(state.runtime, normalize, load, nullptr, nullptr);
}

Value Isolate::eval_async(std::string_view source, std::string_view name) {
  const Entry entry(*state_);
  const std::string text(source);
  // The engine gives a promise of {value}.
  const Value promise = checked(*state_, JS_Eval(entry.context(), text.c_str(), text.size(), std::string(name).c_str(),
                                                 JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_ASYNC));
  const Value unwrap = checked_twice(*state_, JS_NewCFunction(entry.context(), value_member, "value", 1));
  return checked(*state_,
                 JS_PromiseThen(entry.context(), ValueAccess::raw(promise), ValueAccess::raw(unwrap), JS_UNDEFINED));
}

Value Isolate::eval_module(std::string_view source, std::string_view name, bool main) {
  const Entry entry(*state_);
  const Value module = compile(*state_, source, std::string(name));
  set_meta(*state_, definition(module), started(std::string(name), main));
  const Value done = checked_twice(*state_, JS_EvalFunction(entry.context(), ValueAccess::copy(*state_, module)));
  Value space = after(*state_, done, checked(*state_, JS_GetModuleNamespace(entry.context(), definition(module))));
  mark_handled(space);
  return space;
}

Value Isolate::import_module(std::string_view specifier, std::string_view referrer) {
  const Entry entry(*state_);
  // The engine tells of some failures only by a pending exception.
  return checked_twice(*state_,
                       JS_LoadModule(entry.context(), std::string(referrer).c_str(), std::string(specifier).c_str()));
}

std::chrono::nanoseconds Isolate::bytecode_time() const { return state_->bytecode_time; }

SharedBytes Isolate::compile_module(std::string_view source, std::string_view name) {
  state_->compiling = true;
  const Value module = compile(*state_, source, std::string(name));
  std::size_t size = 0;
  std::uint8_t* const data = JS_WriteObject(context_of(*state_), &size, ValueAccess::raw(module),
                                            JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE);
  if (data == nullptr) throw_pending(*state_);
  // Behind the version stands a sum over all bytes, which the engine checks at each reading; this value says that there
  // is none: a program's own data needs no proof each time.
  std::fill_n(data + 1, sizeof(std::uint32_t), std::uint8_t{0xff});
  SharedBytes out = SharedBytes::copy(std::span(reinterpret_cast<const std::byte*>(data), size));
  js_free(context_of(*state_), data);
  return out;
}

}  // namespace alknet::runtime
