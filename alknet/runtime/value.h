#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/base/json.h"

namespace alknet::runtime {

class Isolate;
class Realm;
struct IsolateState;

/// A JavaScript value in the hands of C++.
///
/// A copy refers to the same value, as an assignment does in JavaScript. Values belong to their isolate's thread; they
/// may outlive the isolate, but then every function that would run script throws Error `closed`. A Value that is a
/// member of a NativeObject must be shown to its `visit`, or cycles through it are never freed.
///
/// Functions that may run script (getters, proxies, conversions) throw ScriptError for what the script throws.
class Value {
 public:
  /// `undefined`, of no isolate.
  Value() noexcept = default;
  Value(const Value& other) noexcept;
  Value(Value&& other) noexcept;
  Value& operator=(Value other) noexcept;
  ~Value();

  bool is_undefined() const noexcept;
  bool is_null() const noexcept;
  bool is_nullish() const noexcept { return is_undefined() || is_null(); }
  bool is_boolean() const noexcept;
  bool is_number() const noexcept;
  bool is_bigint() const noexcept;
  bool is_string() const noexcept;
  bool is_symbol() const noexcept;
  bool is_object() const noexcept;  ///< also functions and arrays
  bool is_function() const noexcept;
  bool is_array() const noexcept;
  bool is_promise() const noexcept;
  bool is_error() const noexcept;
  bool is_date() const noexcept;
  bool is_proxy() const noexcept;
  bool is_array_buffer() const noexcept;
  bool is_array_buffer_view() const noexcept;  ///< a typed array or a DataView

  /// Conversions by JavaScript's own rules (`Boolean(x)`, `Number(x)`, `String(x)`).
  bool to_boolean() const;
  double to_number() const;
  std::string to_string() const;  ///< UTF-8; lone surrogates become U+FFFD

  /// The value as an integer that is exact: a number without fraction within 2^53, or a BigInt of 64 bits.
  /// Throws TypeError or RangeError with `what` in the message.
  std::int64_t to_integer(std::string_view what) const;

  /// Bytes of an element of a typed array; 1 for everything else.
  std::size_t element_bytes() const noexcept;

  /// Properties. `set` is an assignment: it may call a setter, also one that script gave to a prototype, and throws
  /// when the property cannot be written. To build an object or an array use `define`.
  Value get(std::string_view name) const;
  Value get(std::uint32_t index) const;
  Value get(const Value& key) const;
  void set(std::string_view name, Value value) const;
  void set(std::uint32_t index, Value value) const;
  bool has(std::string_view name) const;
  bool remove(std::string_view name) const;

  /// Defines an own property as a literal does, also `__proto__`; runs no script unless this is a proxy.
  void define(std::string_view name, const Value& value) const;

  /// The same for one that `for ... in` and JSON do not show.
  void define_hidden(std::string_view name, const Value& value) const;

  /// The own enumerable properties with string keys, in order.
  std::vector<std::string> keys() const;

  /// `length` of an array or anything like one.
  std::uint64_t length() const;

  /// Calls this function. `this` is undefined or `self`.
  Value call(std::span<const Value> arguments = {}) const;
  Value call_on(const Value& self, std::span<const Value> arguments = {}) const;
  Value construct(std::span<const Value> arguments = {}) const;

  /// Calls the method `name` of this object.
  Value invoke(std::string_view name, std::span<const Value> arguments = {}) const;

  bool same_as(const Value& other) const;            ///< `Object.is`
  bool instance_of(const Value& constructor) const;  ///< `instanceof`

  /// The memory of an ArrayBuffer, or the part of one that a view shows. Valid until script runs. Throws TypeError for
  /// anything else and for a detached buffer.
  std::span<std::byte> buffer() const;

  /// The ArrayBuffer that a view shows a part of; an ArrayBuffer itself. Runs no script. Throws as `buffer`.
  Value array_buffer() const;

  /// The realm that the value was made in. Not for a default-constructed Value.
  Realm realm() const;

 private:
  friend struct ValueAccess;

  IsolateState* state_ = nullptr;
  std::array<std::uint64_t, 2> bits_{};  // a JSValue when state_ is not null
};

/// What a script threw, on its way through C++; thrown on into script it is the same value again.
///
/// Code `runtime.script_threw`; the message is "NAME: MESSAGE" of an Error object, or the value as text; details has
/// `name`, `message` and `stack` where there are such, and `code` and `details` of errors that carry them. On the
/// isolate's thread only: `plain()` is for others.
class ScriptError : public Error {
 public:
  ScriptError(Value thrown, const Error& description) : Error(description), thrown_(std::move(thrown)) {}

  const Value& thrown() const { return thrown_; }

  /// The same without the value: may go to any thread and outlive the isolate.
  Error plain() const { return *this; }

 private:
  Value thrown_;
};

/// The standard's constructors of errors.
enum class ErrorType { kError, kTypeError, kRangeError, kSyntaxError, kReferenceError };

/// Symbols that the standard gives a meaning.
enum class WellKnownSymbol { kIterator, kAsyncIterator, kToStringTag };

/// A promise and the functions that settle it, as script knows them; the first call of either counts.
struct PromiseCapability {
  Value promise, resolve, reject;
};

enum class TypedArray {
  kUint8,
  kUint8Clamped,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kBigInt64,
  kBigUint64,
  kFloat16,
  kFloat32,
  kFloat64
};

/// The arguments of a call from script; valid during the call.
class Arguments {
 public:
  Arguments(IsolateState& state, int count, const void* values) : state_(&state), count_(count), values_(values) {}

  std::size_t size() const { return static_cast<std::size_t>(count_); }

  /// Argument `index`, `undefined` beyond the last.
  Value operator[](std::size_t index) const;

  std::vector<Value> from(std::size_t first) const;

 private:
  IsolateState* state_;
  int count_;
  const void* values_;
};

/// A function of ours that script calls. What it throws script sees: ScriptError as the value itself, Error as an
/// `Error` with the members `code` and `details`, other exceptions as InternalError.
using NativeFunction = Value (*)(Realm realm, const Value& self, Arguments arguments);

/// Where values are made: the global object and its intrinsics. Cheap to copy; valid as long as the isolate.
///
/// What is made here is the engine's own, as it was before any script ran: a script that replaces `TypeError`,
/// `Promise` or `Symbol` changes nothing of it.
class Realm {
 public:
  explicit Realm(IsolateState& state) : state_(&state) {}

  Isolate& isolate() const;
  Value global() const;

  Value null() const;
  Value boolean(bool value) const;
  Value number(double value) const;
  Value bigint(std::int64_t value) const;
  Value bigint_unsigned(std::uint64_t value) const;
  Value string(std::string_view utf8) const;
  Value symbol(std::string_view description) const;
  Value symbol(WellKnownSymbol name) const;
  Value object() const;
  Value object_with_prototype(const Value& prototype) const;
  Value array() const;
  Value array(std::span<const Value> items) const;

  /// Copies `bytes` into a new ArrayBuffer, or into a typed array over one (a whole number of elements).
  Value array_buffer(std::span<const std::byte> bytes) const;
  Value typed_array(TypedArray type, std::span<const std::byte> bytes) const;

  /// A typed array over all of an ArrayBuffer.
  Value typed_array_over(TypedArray type, const Value& array_buffer) const;

  /// An ArrayBuffer over memory that is not ours to copy, such as a mapped GPU buffer. `release` runs when the buffer
  /// is freed or detached; not if this throws.
  Value array_buffer_over(std::span<std::byte> memory, void (*release)(void* owner), void* owner) const;

  /// Takes the memory away from script: its length becomes 0.
  void detach(const Value& array_buffer) const;

  Value function(std::string_view name, int length, NativeFunction body) const;

  /// A function with state of its own, which lives as long as the function. The state must not hold Values: use a
  /// NativeObject for that.
  Value closure(std::string_view name, int length,
                std::function<Value(Realm, const Value& self, Arguments)> body) const;

  /// A promise for C++ to hand out, which does not keep the isolate busy while it is pending (a Deferred does). The
  /// caller keeps `resolve` or `reject` for as long as it may want to settle it.
  PromiseCapability promise_capability() const;

  /// A JavaScript error as an exception: `throw realm.error(ErrorType::kTypeError, "[f] ...")`.
  ScriptError error(ErrorType type, std::string_view message) const;
  ScriptError type_error(std::string_view message) const { return error(ErrorType::kTypeError, message); }
  ScriptError range_error(std::string_view message) const { return error(ErrorType::kRangeError, message); }

  /// The Error object that stands for an exception of C++; a ScriptError gives what was thrown.
  Value error_value(const std::exception& error) const;

  /// An exception that stands for a value that script threw or rejected with.
  ScriptError thrown(Value value) const;

  /// Runs a classic script (not a module) and gives the value of its last statement.
  Value evaluate(std::string_view source, std::string_view name) const;

  /// The text of `value` by JSON.stringify; empty for what JSON cannot say.
  std::string json_text(const Value& value) const;

 private:
  friend struct ValueAccess;
  IsolateState* state_;
};

}  // namespace alknet::runtime
