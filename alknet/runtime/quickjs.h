#pragma once

#include <quickjs.h>

#include <bit>
#include <utility>

#include "alknet/runtime/isolate_state.h"
#include "alknet/runtime/value.h"

// QuickJS-NG as the sources of this layer see it; no header of ours includes this.

namespace alknet::runtime {

/// Between Value and JSValue.
struct ValueAccess {
  static bool counted(JSValueConst value) { return JS_VALUE_HAS_REF_COUNT(value); }

  /// Takes over a reference.
  static Value adopt(IsolateState& state, JSValue value) {
    Value out;
    out.state_ = &state;
    out.bits_ = std::bit_cast<std::array<std::uint64_t, 2>>(value);
    if (counted(value)) ++state.values;
    return out;
  }

  /// Makes a reference of its own.
  static Value borrow(IsolateState& state, JSValueConst value) {
    return adopt(state, JS_DupValueRT(state.runtime, value));
  }

  /// The value, whose reference stays with `value`.
  static JSValueConst raw(const Value& value) {
    return value.state_ == nullptr ? JS_UNDEFINED : std::bit_cast<JSValue>(value.bits_);
  }

  /// A new reference.
  static JSValue copy(IsolateState& state, const Value& value) { return JS_DupValueRT(state.runtime, raw(value)); }

  static IsolateState* state(const Value& value) { return value.state_; }
  static IsolateState& state(Realm realm) { return *realm.state_; }
};

/// The context, to run script in or make values with. Throws Error `closed` after the isolate has ended.
inline JSContext* context_of(IsolateState& state) {
  if (state.context == nullptr) throw Error(RuntimeError::kClosed, "[isolate] the isolate has ended");
  return state.context;
}

/// A stretch in which C++ outside calls script; the outermost one sees to it that jobs run later.
class Entry {
 public:
  explicit Entry(IsolateState& state) : state_(state), context_(context_of(state)) {
    if (state_.depth++ == 0) JS_UpdateStackTop(state_.runtime);
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry() {
    if (--state_.depth == 0) state_.schedule_jobs();
  }
  JSContext* context() const { return context_; }

 private:
  IsolateState& state_;
  JSContext* context_;
};

/// Throws the exception that is pending in the engine: ScriptError, or Error `timeout` after an interruption.
[[noreturn]] void throw_pending(IsolateState& state);

/// Takes over `value`; throws the pending exception when it is the engine's mark of one.
inline Value checked(IsolateState& state, JSValue value) {
  if (JS_IsException(value)) throw_pending(state);
  return ValueAccess::adopt(state, value);
}

/// The same for functions that say -1.
inline int checked(IsolateState& state, int result) {
  if (result < 0) throw_pending(state);
  return result;
}

/// Runs `body` for the engine: what it throws becomes the engine's exception.
template <typename Body>
JSValue guarded(IsolateState& state, Body body) noexcept {
  try {
    return ValueAccess::copy(state, body());
  } catch (const std::exception& error) {
    return state.raise(error);
  }
}

}  // namespace alknet::runtime
