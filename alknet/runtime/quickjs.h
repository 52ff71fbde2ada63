#pragma once

#include <quickjs.h>

#include <bit>
#include <utility>

#include "alknet/runtime/isolate_state.h"
#include "alknet/runtime/value.h"

// QuickJS-NG as the sources of this layer see it; no header of ours includes this.

// What cmake/quickjs.patch adds to it: scripts of ours see the language's objects ("intrinsics") as they were before
// any other script ran.
extern "C" {
/// From now on the objects made so far are intrinsics: each keeps its original when it is changed. With false: until
/// the next call with true changes are ours, and what is made is an intrinsic too.
void JS_KeepIntrinsics(JSContext* context, bool keep);
/// Makes `object` an intrinsic too, as it is now.
void JS_KeepOriginal(JSContext* context, JSValueConst object);
/// Makes a function that JS_ReadObject gave, and all within it, see originals; what was added to an intrinsic is seen.
void JS_ReadOriginals(JSValueConst function);
}

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

/// While it lives, what changes an intrinsic is ours: scripts of ours are to see the change.
class OwnChanges {
 public:
  explicit OwnChanges(IsolateState& state) : context_(context_of(state)) { JS_KeepIntrinsics(context_, false); }
  OwnChanges(const OwnChanges&) = delete;
  OwnChanges& operator=(const OwnChanges&) = delete;
  ~OwnChanges() { JS_KeepIntrinsics(context_, true); }

 private:
  JSContext* context_;
};

/// What ends a script whose `must_stop` is true.
inline Error time_over() { return {RuntimeError::kTimeout, "[isolate] the script was stopped: its time was over"}; }

/// Room beyond the memory limit while it lives, for what must not fail when the limit is reached.
class Reserve {
 public:
  explicit Reserve(IsolateState& state) : state_(state) { state_.limit_memory(kBytes); }
  Reserve(const Reserve&) = delete;
  Reserve& operator=(const Reserve&) = delete;
  ~Reserve() { state_.limit_memory(0); }

 private:
  static constexpr std::size_t kBytes = 64 << 10;
  IsolateState& state_;
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

/// The same where the engine tells of some failures only by a pending exception: that a new function's name found no
/// room, for one.
inline Value checked_twice(IsolateState& state, JSValue value) {
  Value out = checked(state, value);
  if (JS_HasException(state.context)) throw_pending(state);
  return out;
}

/// A property's name for the engine; freed with this. Throws what the engine throws when it cannot be made.
class Atom {
 public:
  Atom(IsolateState& state, std::string_view name)
      : Atom(state, JS_NewAtomLen(context_of(state), name.data(), name.size())) {}
  Atom(IsolateState& state, const Value& key) : Atom(state, JS_ValueToAtom(context_of(state), ValueAccess::raw(key))) {}
  Atom(const Atom&) = delete;
  Atom& operator=(const Atom&) = delete;
  ~Atom() { JS_FreeAtomRT(runtime_, atom_); }
  JSAtom get() const { return atom_; }

 private:
  Atom(IsolateState& state, JSAtom atom) : runtime_(state.runtime), atom_(atom) {
    if (atom_ == JS_ATOM_NULL) throw_pending(state);
  }

  JSRuntime* runtime_;
  JSAtom atom_;
};

/// Defines an own property by the engine's flags.
inline void define_value(const Value& object, const Atom& name, const Value& value, int flags) {
  IsolateState& state = *ValueAccess::state(object);
  checked(state, JS_DefinePropertyValue(context_of(state), ValueAccess::raw(object), name.get(),
                                        ValueAccess::copy(state, value), flags | JS_PROP_THROW));
}

/// The same for an accessor; `set` may be undefined.
inline void define_accessor(const Value& object, const Atom& name, const Value& get, const Value& set, int flags) {
  IsolateState& state = *ValueAccess::state(object);
  checked(state,
          JS_DefinePropertyGetSet(context_of(state), ValueAccess::raw(object), name.get(),
                                  ValueAccess::copy(state, get), ValueAccess::copy(state, set), flags | JS_PROP_THROW));
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
