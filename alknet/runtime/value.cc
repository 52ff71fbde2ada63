#include "alknet/runtime/value.h"

#include <cmath>

#include "alknet/runtime/native.h"
#include "alknet/runtime/quickjs.h"

namespace alknet::runtime {

namespace {

JSValueConst raw(const Value& value) { return ValueAccess::raw(value); }

/// The state of a value that must be of an isolate, because script is about to run on it.
IsolateState& state_of(const Value& value) {
  IsolateState* const state = ValueAccess::state(value);
  if (state == nullptr) {
    throw Error(RuntimeError::kScriptThrew, "TypeError: undefined has no properties and cannot be called");
  }
  return *state;
}

std::vector<JSValue> raw_all(std::span<const Value> values) {
  std::vector<JSValue> out;
  out.reserve(values.size());
  for (const Value& value : values) out.push_back(raw(value));
  return out;
}

}  // namespace

Value::Value(const Value& other) noexcept : state_(other.state_), bits_(other.bits_) {
  if (state_ == nullptr) return;
  const JSValue value = std::bit_cast<JSValue>(bits_);
  if (ValueAccess::counted(value)) state_->hold(value);
}

Value::Value(Value&& other) noexcept : state_(std::exchange(other.state_, nullptr)), bits_(other.bits_) {}

Value& Value::operator=(Value other) noexcept {
  std::swap(state_, other.state_);
  std::swap(bits_, other.bits_);
  return *this;
}

Value::~Value() {
  if (state_ == nullptr) return;
  const JSValue value = std::bit_cast<JSValue>(bits_);
  if (ValueAccess::counted(value)) state_->drop(value);
}

bool Value::is_undefined() const noexcept { return JS_IsUndefined(raw(*this)); }
bool Value::is_null() const noexcept { return JS_IsNull(raw(*this)); }
bool Value::is_boolean() const noexcept { return JS_IsBool(raw(*this)); }
bool Value::is_number() const noexcept { return JS_IsNumber(raw(*this)); }
bool Value::is_bigint() const noexcept { return JS_IsBigInt(raw(*this)); }
bool Value::is_string() const noexcept { return JS_IsString(raw(*this)); }
bool Value::is_symbol() const noexcept { return JS_IsSymbol(raw(*this)); }
bool Value::is_object() const noexcept { return JS_IsObject(raw(*this)); }
bool Value::is_function() const noexcept {
  return is_object() && state_->context != nullptr && JS_IsFunction(state_->context, raw(*this));
}
bool Value::is_array() const noexcept { return JS_IsArray(raw(*this)); }
bool Value::is_promise() const noexcept { return JS_IsPromise(raw(*this)); }
bool Value::is_error() const noexcept { return JS_IsError(raw(*this)); }
bool Value::is_date() const noexcept { return JS_IsDate(raw(*this)); }
bool Value::is_proxy() const noexcept { return JS_IsProxy(raw(*this)); }
bool Value::is_array_buffer() const noexcept { return JS_IsArrayBuffer(raw(*this)); }
bool Value::is_array_buffer_view() const noexcept {
  return JS_GetTypedArrayType(raw(*this)) >= 0 || JS_IsDataView(raw(*this));
}

bool Value::to_boolean() const {
  if (state_ == nullptr) return false;
  const Entry entry(*state_);
  return checked(*state_, JS_ToBool(entry.context(), raw(*this))) != 0;
}

double Value::to_number() const {
  if (state_ == nullptr) return std::nan("");
  const Entry entry(*state_);
  double number = 0;
  checked(*state_, JS_ToFloat64(entry.context(), &number, raw(*this)));
  return number;
}

std::string Value::to_string() const {
  if (state_ == nullptr) return "undefined";
  const Entry entry(*state_);
  const Value well_formed = checked(*state_, JS_ToString(entry.context(), raw(*this)));
  std::size_t size = 0;
  const char* const text = JS_ToCStringLen2(entry.context(), &size, raw(well_formed), false);
  if (text == nullptr) throw_pending(*state_);
  std::string out(text, size);
  JS_FreeCString(entry.context(), text);
  // A lone surrogate comes as three bytes ED A0..BF xx, which is no UTF-8.
  for (std::size_t at = out.find('\xED'); at != std::string::npos; at = out.find('\xED', at + 1)) {
    if (at + 2 < out.size() && static_cast<unsigned char>(out[at + 1]) >= 0xA0) out.replace(at, 3, "\xEF\xBF\xBD");
  }
  return out;
}

std::int64_t Value::to_integer(std::string_view what) const {
  if (is_bigint()) {
    const Entry entry(*state_);
    std::int64_t number = 0;
    checked(*state_, JS_ToBigInt64(entry.context(), &number, raw(*this)));
    if (Realm(*state_).bigint(number).same_as(*this)) return number;
    throw Realm(*state_).range_error(std::string(what) + " must fit 64 bits");
  }
  if (!is_number()) throw Realm(state_of(*this)).type_error(std::string(what) + " must be an integer");
  const double number = to_number();
  if (number != std::trunc(number) || std::abs(number) > 9007199254740991.0) {
    throw Realm(*state_).range_error(std::string(what) + " must be an integer within 2^53");
  }
  return static_cast<std::int64_t>(number);
}

Value Value::get(std::string_view name) const {
  IsolateState& state = state_of(*this);
  const Entry entry(state);
  const Atom atom(state, name);
  return checked(state, JS_GetProperty(entry.context(), raw(*this), atom.get()));
}

Value Value::get(std::uint32_t index) const {
  IsolateState& state = state_of(*this);
  const Entry entry(state);
  return checked(state, JS_GetPropertyUint32(entry.context(), raw(*this), index));
}

Value Value::get(const Value& key) const {
  IsolateState& state = state_of(*this);
  const Entry entry(state);
  const Atom atom(state, key);
  return checked(state, JS_GetProperty(entry.context(), raw(*this), atom.get()));
}

void Value::set(std::string_view name, Value value) const {
  IsolateState& state = state_of(*this);
  const Entry entry(state);
  const Atom atom(state, name);
  checked(state, JS_SetProperty(entry.context(), raw(*this), atom.get(), ValueAccess::copy(state, value)));
}

void Value::set(std::uint32_t index, Value value) const {
  IsolateState& state = state_of(*this);
  const Entry entry(state);
  checked(state, JS_SetPropertyUint32(entry.context(), raw(*this), index, ValueAccess::copy(state, value)));
}

bool Value::has(std::string_view name) const {
  IsolateState& state = state_of(*this);
  const Entry entry(state);
  const Atom atom(state, name);
  return checked(state, JS_HasProperty(entry.context(), raw(*this), atom.get())) != 0;
}

bool Value::remove(std::string_view name) const {
  IsolateState& state = state_of(*this);
  const Entry entry(state);
  const Atom atom(state, name);
  return checked(state, JS_DeleteProperty(entry.context(), raw(*this), atom.get(), 0)) != 0;
}

void Value::define(std::string_view name, const Value& value) const {
  IsolateState& state = state_of(*this);
  const Entry entry(state);
  define_value(*this, Atom(state, name), value, JS_PROP_C_W_E);
}

void Value::define_hidden(std::string_view name, const Value& value) const {
  IsolateState& state = state_of(*this);
  const Entry entry(state);
  define_value(*this, Atom(state, name), value, JS_PROP_CONFIGURABLE | JS_PROP_WRITABLE);
}

std::vector<std::string> Value::keys() const {
  IsolateState& state = state_of(*this);
  const Entry entry(state);
  JSPropertyEnum* names = nullptr;
  std::uint32_t count = 0;
  checked(state,
          JS_GetOwnPropertyNames(entry.context(), &names, &count, raw(*this), JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY));
  std::vector<std::string> out;
  try {
    out.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      out.push_back(checked(state, JS_AtomToString(entry.context(), names[i].atom)).to_string());
    }
  } catch (...) {
    JS_FreePropertyEnum(entry.context(), names, count);
    throw;
  }
  JS_FreePropertyEnum(entry.context(), names, count);
  return out;
}

std::uint64_t Value::length() const {
  IsolateState& state = state_of(*this);
  const Entry entry(state);
  std::int64_t length = 0;
  checked(state, JS_GetLength(entry.context(), raw(*this), &length));
  return static_cast<std::uint64_t>(length);
}

Value Value::call(std::span<const Value> arguments) const { return call_on(Value(), arguments); }

Value Value::call_on(const Value& self, std::span<const Value> arguments) const {
  IsolateState& state = state_of(*this);
  const Entry entry(state);
  auto values = raw_all(arguments);
  return checked(state,
                 JS_Call(entry.context(), raw(*this), raw(self), static_cast<int>(values.size()), values.data()));
}

Value Value::construct(std::span<const Value> arguments) const {
  IsolateState& state = state_of(*this);
  const Entry entry(state);
  auto values = raw_all(arguments);
  return checked(state,
                 JS_CallConstructor(entry.context(), raw(*this), static_cast<int>(values.size()), values.data()));
}

Value Value::invoke(std::string_view name, std::span<const Value> arguments) const {
  return get(name).call_on(*this, arguments);
}

bool Value::same_as(const Value& other) const {
  IsolateState* const state = state_ != nullptr ? state_ : other.state_;
  return state == nullptr || JS_IsSameValue(context_of(*state), raw(*this), raw(other));
}

bool Value::instance_of(const Value& constructor) const {
  IsolateState& state = state_of(constructor);
  const Entry entry(state);
  return checked(state, JS_IsInstanceOf(entry.context(), raw(*this), raw(constructor))) != 0;
}

std::span<std::byte> Value::buffer() const {
  IsolateState& state = state_of(*this);
  const Entry entry(state);
  std::size_t size = 0;
  if (is_array_buffer()) {
    std::uint8_t* const data = JS_GetArrayBuffer(entry.context(), &size, raw(*this));
    if (data == nullptr && JS_HasException(entry.context())) throw_pending(state);
    return {reinterpret_cast<std::byte*>(data), size};
  }
  if (!is_array_buffer_view()) throw Realm(state).type_error("an ArrayBuffer or a view of one is needed here");
  if (JS_GetTypedArrayType(raw(*this)) >= 0) {
    std::size_t offset = 0, length = 0;
    const Value whole = checked(state, JS_GetTypedArrayBuffer(entry.context(), raw(*this), &offset, &length, nullptr));
    const auto bytes = whole.buffer();
    if (offset + length > bytes.size()) throw Realm(state).type_error("the view is out of its buffer's bounds");
    return bytes.subspan(offset, length);
  }
  // What script defined on the view itself, or on its prototype, says nothing of its memory.
  const auto offset = static_cast<std::size_t>(state.intrinsics.view_offset.call_on(*this).to_number());
  const auto length = static_cast<std::size_t>(state.intrinsics.view_length.call_on(*this).to_number());
  const auto bytes = array_buffer().buffer();
  if (offset > bytes.size() || length > bytes.size() - offset) {
    throw Realm(state).type_error("the view is out of its buffer's bounds");
  }
  return bytes.subspan(offset, length);
}

Value Value::array_buffer() const {
  IsolateState& state = state_of(*this);
  if (is_array_buffer()) return *this;
  const Entry entry(state);
  if (JS_GetTypedArrayType(raw(*this)) < 0) return state.intrinsics.view_buffer.call_on(*this);
  std::size_t offset = 0, length = 0;
  return checked(state, JS_GetTypedArrayBuffer(entry.context(), raw(*this), &offset, &length, nullptr));
}

std::size_t Value::element_bytes() const noexcept {
  switch (JS_GetTypedArrayType(raw(*this))) {
    case JS_TYPED_ARRAY_INT16:
    case JS_TYPED_ARRAY_UINT16:
    case JS_TYPED_ARRAY_FLOAT16: return 2;
    case JS_TYPED_ARRAY_INT32:
    case JS_TYPED_ARRAY_UINT32:
    case JS_TYPED_ARRAY_FLOAT32: return 4;
    case JS_TYPED_ARRAY_BIG_INT64:
    case JS_TYPED_ARRAY_BIG_UINT64:
    case JS_TYPED_ARRAY_FLOAT64: return 8;
    default: return 1;
  }
}

Realm Value::realm() const { return Realm(state_of(*this)); }

Value Arguments::operator[](std::size_t index) const {
  if (index >= size()) return {};
  return ValueAccess::borrow(*state_, static_cast<const JSValue*>(values_)[index]);
}

std::vector<Value> Arguments::from(std::size_t first) const {
  std::vector<Value> out;
  for (std::size_t i = first; i < size(); ++i) out.push_back((*this)[i]);
  return out;
}

}  // namespace alknet::runtime
