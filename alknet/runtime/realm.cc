#include <array>
#include <memory>

#include "alknet/runtime/convert.h"
#include "alknet/runtime/native.h"
#include "alknet/runtime/quickjs.h"

namespace alknet::runtime {

namespace {

JSValue call_number(JSContext* context, JSValueConst self, int count, JSValueConst* values, int number) {
  IsolateState& state = *static_cast<IsolateState*>(JS_GetContextOpaque(context));
  return guarded(state, [&] {
    return state.functions[static_cast<std::size_t>(number)](Realm(state), ValueAccess::borrow(state, self),
                                                             Arguments(state, count, values));
  });
}

using StatefulFunction = std::function<Value(Realm, const Value&, Arguments)>;

/// The C++ side of a function with a state.
struct Closure final : EngineKept {
  Closure(IsolateState& state, StatefulFunction function) : EngineKept(state), body(std::move(function)) {}
  StatefulFunction body;
};

/// Memory of C++ that an ArrayBuffer shows.
struct ForeignMemory final : EngineKept {
  ForeignMemory(IsolateState& state, void* memory_owner) : EngineKept(state), owner(memory_owner) {}
  ~ForeignMemory() override {
    if (release != nullptr) release(owner);
  }
  void* owner;
  void (*release)(void* owner) = nullptr;  ///< null until an ArrayBuffer has it
};

JSValue call_closure(JSContext* context, JSValueConst self, int count, JSValueConst* values, int, void* function) {
  IsolateState& state = *static_cast<IsolateState*>(JS_GetContextOpaque(context));
  return guarded(state, [&] {
    return static_cast<Closure*>(function)->body(Realm(state), ValueAccess::borrow(state, self),
                                                 Arguments(state, count, values));
  });
}

constexpr std::array<JSTypedArrayEnum, 12> kTypedArrays = {
    JS_TYPED_ARRAY_UINT8,      JS_TYPED_ARRAY_UINT8C,  JS_TYPED_ARRAY_INT8,    JS_TYPED_ARRAY_UINT16,
    JS_TYPED_ARRAY_INT16,      JS_TYPED_ARRAY_UINT32,  JS_TYPED_ARRAY_INT32,   JS_TYPED_ARRAY_BIG_INT64,
    JS_TYPED_ARRAY_BIG_UINT64, JS_TYPED_ARRAY_FLOAT16, JS_TYPED_ARRAY_FLOAT32, JS_TYPED_ARRAY_FLOAT64};

/// The own data of an Error object: `name`, `message`, `stack`, and `code` and `details` where there are such.
JsonObject describe(const Value& thrown) {
  JsonObject out;
  for (const std::string_view name : {"name", "message", "stack", "code"}) {
    const Value member = thrown.get(name);
    if (member.is_string()) out.emplace(name, member.to_string());
  }
  const Value details = thrown.get("details");
  if (!details.is_undefined()) out.emplace("details", to_json(details));
  return out;
}

/// While it lives, what a member of an error throws is not described in its turn: it may be that error again.
class Describing {
 public:
  explicit Describing(IsolateState& state) : state_(state) { state_.describing = true; }
  ~Describing() { state_.describing = false; }
  Describing(const Describing&) = delete;
  Describing& operator=(const Describing&) = delete;

 private:
  IsolateState& state_;
};

constexpr std::string_view kOutOfMemory = "InternalError: out of memory";
constexpr std::string_view kNoMessage = "InternalError: ";

bool memory_is_full(IsolateState& state) {
  const auto limit = state.options.limits.memory_bytes;
  return limit && state.isolate->memory().allocated >= *limit - *limit / 8;
}

std::string message_of(const JsonObject& description, const Value& thrown) {
  const auto text = [&](std::string_view name) -> std::string {
    const Json* const member = description.if_contains(name);
    return member == nullptr ? "" : std::string(member->as_string());
  };
  if (!description.contains("message")) return thrown.is_symbol() ? "a symbol" : thrown.to_string();
  const std::string name = text("name");
  return name.empty() ? text("message") : name + ": " + text("message");
}

}  // namespace

Isolate& Realm::isolate() const {
  context_of(*state_);  // throws after the isolate's end
  return *state_->isolate;
}
Value Realm::global() const { return ValueAccess::adopt(*state_, JS_GetGlobalObject(context_of(*state_))); }
Value Realm::null() const { return ValueAccess::adopt(*state_, JS_NULL); }
Value Realm::boolean(bool value) const { return ValueAccess::adopt(*state_, JS_NewBool(context_of(*state_), value)); }
Value Realm::number(double value) const {
  return ValueAccess::adopt(*state_, JS_NewNumber(context_of(*state_), value));
}
Value Realm::bigint(std::int64_t value) const { return checked(*state_, JS_NewBigInt64(context_of(*state_), value)); }
Value Realm::bigint_unsigned(std::uint64_t value) const {
  return checked(*state_, JS_NewBigUint64(context_of(*state_), value));
}
Value Realm::string(std::string_view utf8) const {
  return checked(*state_, JS_NewStringLen(context_of(*state_), utf8.data(), utf8.size()));
}
Value Realm::symbol(std::string_view description) const {
  return checked(*state_, JS_NewSymbol(context_of(*state_), std::string(description).c_str(), false));
}
Value Realm::symbol(WellKnownSymbol name) const { return state_->intrinsics.symbols[static_cast<std::size_t>(name)]; }
Value Realm::object() const { return checked(*state_, JS_NewObject(context_of(*state_))); }
Value Realm::object_with_prototype(const Value& prototype) const {
  return checked(*state_, JS_NewObjectProto(context_of(*state_), ValueAccess::raw(prototype)));
}
Value Realm::array() const { return checked(*state_, JS_NewArray(context_of(*state_))); }

Value Realm::array(std::span<const Value> items) const {
  if (items.size() > INT32_MAX) throw range_error("an array of more than 2^31 items");
  std::vector<JSValue> copies;
  copies.reserve(items.size());
  for (const Value& item : items) copies.push_back(ValueAccess::copy(*state_, item));
  return checked(*state_, JS_NewArrayFrom(context_of(*state_), static_cast<int>(copies.size()), copies.data()));
}

Value Realm::array_buffer(std::span<const std::byte> bytes) const {
  return checked(*state_, JS_NewArrayBufferCopy(context_of(*state_),
                                                reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

Value Realm::typed_array(TypedArray type, std::span<const std::byte> bytes) const {
  return typed_array_over(type, array_buffer(bytes));
}

Value Realm::typed_array_over(TypedArray type, const Value& array_buffer) const {
  const Entry entry(*state_);
  // The engine reads all three arguments of the constructor, whatever their count.
  std::array<JSValue, 3> arguments = {ValueAccess::raw(array_buffer), JS_UNDEFINED, JS_UNDEFINED};
  return checked(*state_,
                 JS_NewTypedArray(entry.context(), 1, arguments.data(), kTypedArrays[static_cast<std::size_t>(type)]));
}

Value Realm::array_buffer_over(std::span<std::byte> memory, void (*release)(void* owner), void* owner) const {
  const auto reallocate = [](JSRuntime*, void* opaque, void*, std::size_t size) -> void* {
    if (size == 0) delete static_cast<ForeignMemory*>(opaque);
    return nullptr;
  };
  auto foreign = std::make_unique<ForeignMemory>(*state_, owner);
  // The engine takes null for memory of its own.
  void* const address = memory.data() == nullptr ? static_cast<void*>(foreign.get()) : memory.data();
  const JSValue value = JS_NewArrayBuffer(context_of(*state_), static_cast<std::uint8_t*>(address), memory.size(), 0,
                                          reallocate, foreign.get(), false);
  Value out = checked(*state_, value);
  foreign.release()->release = release;
  return out;
}

void Realm::detach(const Value& array_buffer) const {
  JS_DetachArrayBuffer(context_of(*state_), ValueAccess::raw(array_buffer));
}

Value Realm::function(std::string_view name, int length, NativeFunction body) const {
  JSCFunctionType type{};
  type.generic_magic = call_number;
  return checked_twice(*state_, JS_NewCFunction2(context_of(*state_), type.generic, std::string(name).c_str(), length,
                                                 JS_CFUNC_generic_magic, state_->number_of(body)));
}

Value Realm::closure(std::string_view name, int length, StatefulFunction body) const {
  auto held = std::make_unique<Closure>(*state_, std::move(body));
  const auto finalize = [](void* opaque) { delete static_cast<Closure*>(opaque); };
  // The name comes later: had the engine no room for it, one could not tell whether the state was freed.
  const JSValue made = JS_NewCClosure(context_of(*state_), call_closure, nullptr, finalize, length, 0, held.get());
  if (!JS_IsException(made)) static_cast<void>(held.release());
  Value out = checked_twice(*state_, made);
  if (!name.empty()) define_value(out, Atom(*state_, "name"), string(name), JS_PROP_CONFIGURABLE);
  return out;
}

PromiseCapability Realm::promise_capability() const {
  std::array<JSValue, 2> settle;
  PromiseCapability out;
  out.promise = checked(*state_, JS_NewPromiseCapability(context_of(*state_), settle.data()));
  out.resolve = ValueAccess::adopt(*state_, settle[0]);
  out.reject = ValueAccess::adopt(*state_, settle[1]);
  return out;
}

ScriptError Realm::error(ErrorType type, std::string_view message) const {
  const Value text = string(message);
  return thrown(state_->intrinsics.errors[static_cast<std::size_t>(type)].construct(std::span(&text, 1)));
}

Value Realm::error_value(const std::exception& error) const {
  if (const auto* script = dynamic_cast<const ScriptError*>(&error)) return script->thrown();
  const auto* const ours = dynamic_cast<const Error*>(&error);
  const auto& intrinsics = state_->intrinsics;
  const Value& type =
      ours == nullptr ? intrinsics.internal_error : intrinsics.errors[static_cast<std::size_t>(ErrorType::kError)];
  const Value text = string(error.what());
  Value out = type.construct(std::span(&text, 1));
  if (ours != nullptr) {
    out.define_hidden("code", string(ours->code_name()));
    if (!ours->details().is_null()) out.define_hidden("details", from_json(*this, ours->details()));
  }
  return out;
}

ScriptError Realm::thrown(Value value) const {
  const auto indescribable = [&] {
    const Error description(RuntimeError::kScriptThrew, "an error that cannot be described, as its members throw");
    return ScriptError(std::move(value), description);
  };
  if (state_->describing) return indescribable();
  const Describing describing(*state_);
  const Reserve reserve(*state_);
  try {
    JsonObject details = value.is_object() ? describe(value) : JsonObject{};
    std::string message = message_of(details, value);
    // When there is no room for the error itself the engine throws null, or an error without its message.
    if ((value.is_null() || message == kNoMessage) && memory_is_full(*state_)) message = kOutOfMemory;
    const bool memory = state_->options.limits.memory_bytes && message == kOutOfMemory;
    const Error description(memory ? RuntimeError::kMemoryLimit : RuntimeError::kScriptThrew, std::move(message),
                            std::move(details));
    return {std::move(value), description};
  } catch (const Error&) {  // a getter threw, or is being interrupted: what it would have said is not to be had
    return indescribable();
  }
}

Value Realm::evaluate(std::string_view source, std::string_view name) const {
  const Entry entry(*state_);
  const std::string text(source);
  return checked(*state_,
                 JS_Eval(entry.context(), text.c_str(), text.size(), std::string(name).c_str(), JS_EVAL_TYPE_GLOBAL));
}

std::string Realm::json_text(const Value& value) const {
  const Entry entry(*state_);
  const Value text =
      checked(*state_, JS_JSONStringify(entry.context(), ValueAccess::raw(value), JS_UNDEFINED, JS_UNDEFINED));
  return text.is_undefined() ? "" : text.to_string();
}

}  // namespace alknet::runtime
