#include "alknet/runtime/isolate.h"

#include <algorithm>
#include <array>

#include "alknet/runtime/modules.h"
#include "alknet/runtime/quickjs.h"

namespace alknet::runtime {

namespace {

void finalize_native(JSRuntime* runtime, JSValueConst value) {
  IsolateState& state = *static_cast<IsolateState*>(JS_GetRuntimeOpaque(runtime));
  auto* const native = static_cast<NativeObject*>(JS_GetOpaque(value, state.native_class));
  state.natives.erase(native);
  delete native;
}

void mark_native(JSRuntime* runtime, JSValueConst value, JS_MarkFunc* mark) {
  IsolateState& state = *static_cast<IsolateState*>(JS_GetRuntimeOpaque(runtime));
  const auto* const native = static_cast<const NativeObject*>(JS_GetOpaque(value, state.native_class));
  if (native == nullptr) return;
  struct Marker final : ValueVisitor {
    JSRuntime* engine = nullptr;
    JS_MarkFunc* mark = nullptr;
    void visit(const Value& held) override { JS_MarkValue(engine, ValueAccess::raw(held), mark); }
  } marker;
  marker.engine = runtime;
  marker.mark = mark;
  native->visit(marker);
}

void track_rejection(JSContext*, JSValueConst promise, JSValueConst reason, bool is_handled, void* opaque) {
  IsolateState& state = *static_cast<IsolateState*>(opaque);
  if (!is_handled) {
    state.rejections.emplace_back(ValueAccess::borrow(state, promise), ValueAccess::borrow(state, reason));
    return;
  }
  std::erase_if(state.rejections, [&](const auto& rejection) {
    return JS_VALUE_GET_PTR(ValueAccess::raw(rejection.first)) == JS_VALUE_GET_PTR(promise);
  });
}

/// The getter `name` of a prototype.
Value getter_of(IsolateState& state, const Value& prototype, std::string_view name) {
  const Atom atom(state, name);
  JSPropertyDescriptor property{};
  checked(state, JS_GetOwnProperty(state.context, &property, ValueAccess::raw(prototype), atom.get()));
  JS_FreeValue(state.context, property.setter);
  JS_FreeValue(state.context, property.value);
  return ValueAccess::adopt(state, property.getter);
}

IsolateState::Intrinsics take_intrinsics(IsolateState& state) {
  const Value global = Realm(state).global();
  const Value view = global.get("DataView").get("prototype");
  const Value symbol = global.get("Symbol");
  IsolateState::Intrinsics out;
  out.view_buffer = getter_of(state, view, "buffer");
  out.view_offset = getter_of(state, view, "byteOffset");
  out.view_length = getter_of(state, view, "byteLength");
  out.transfer = global.get("ArrayBuffer").get("prototype").get("transfer");
  constexpr std::array<std::string_view, 5> kErrors = {"Error", "TypeError", "RangeError", "SyntaxError",
                                                       "ReferenceError"};
  std::ranges::transform(kErrors, out.errors.begin(), [&](std::string_view name) { return global.get(name); });
  out.internal_error = global.get("InternalError");
  out.is_array = global.get("Array").get("isArray");
  out.boolean_value = global.get("Boolean").get("prototype").get("valueOf");
  out.bigint_value = global.get("BigInt").get("prototype").get("valueOf");
  constexpr std::array<std::string_view, 3> kSymbols = {"iterator", "asyncIterator", "toStringTag"};
  std::ranges::transform(kSymbols, out.symbols.begin(), [&](std::string_view name) { return symbol.get(name); });
  return out;
}

/// The classes of objects are numbers that the engine does not tell beforehand.
IsolateState::Classes take_classes(IsolateState& state) {
  const Realm realm(state);
  const Value object = realm.global().get("Object"), json = realm.global().get("JSON");
  const auto class_of = [](const Value& value) { return JS_GetClassID(ValueAccess::raw(value)); };
  const auto wrapper = [&](const Value& primitive) { return class_of(object.call(std::span(&primitive, 1))); };
  const Value zero = realm.string("0");
  return {wrapper(realm.number(0)), wrapper(zero), wrapper(realm.boolean(false)), wrapper(realm.bigint(0)),
          class_of(json.invoke("rawJSON", std::span(&zero, 1)))};
}

// Bytes of heap before which no cycles are looked for. What goes with its last reference goes at once all the same; the
// engine's own 256 KiB are passed several times while the packages of a common program are loaded.
constexpr std::size_t kFirstCollection = std::size_t{4} << 20U;

/// A job that found no room may be at its end with nothing but the exception left behind, and its promise pending.
void report_lost(IsolateState& state) {
  if (!JS_HasException(state.context)) return;
  const Value thrown = ValueAccess::adopt(state, JS_GetException(state.context));
  const ScriptError error = Realm(state).thrown(thrown);
  if (error.code() == RuntimeError::kMemoryLimit) state.report(error);
}

int must_stop(JSRuntime*, void* opaque) { return static_cast<IsolateState*>(opaque)->must_stop() ? 1 : 0; }

}  // namespace

Isolate::Isolate(IsolateOptions options) : state_(new IsolateState) {
  state_->options = std::move(options);
  state_->isolate = this;
  state_->link->isolate = this;
  state_->link->executor = state_->options.executor;
  state_->runtime = state_->new_engine();
  if (state_->runtime == nullptr) {
    delete state_;
    throw Error(BaseError::kOutOfMemory, "[isolate] no memory for a JavaScript engine");
  }
  try {
    begin();
  } catch (...) {
    state_->end();
    throw;
  }
}

void Isolate::begin() {
  JS_SetRuntimeOpaque(state_->runtime, state_);
  JS_SetMaxStackSize(state_->runtime, state_->options.limits.stack_bytes);
  JS_SetCanBlock(state_->runtime, false);
  JS_SetGCThreshold(state_->runtime, kFirstCollection);
  state_->context = JS_NewContext(state_->runtime);
  if (state_->context == nullptr) {
    throw Error(BaseError::kOutOfMemory, "[isolate] no memory for a JavaScript context");
  }
  JS_SetContextOpaque(state_->context, state_);
  JS_NewClassID(state_->runtime, &state_->native_class);
  const JSClassDef native{"Native", finalize_native, mark_native, nullptr, nullptr};
  if (JS_NewClass(state_->runtime, state_->native_class, &native) < 0) {
    throw Error(BaseError::kOutOfMemory, "[isolate] no memory for the class of native objects");
  }
  JS_SetInterruptHandler(state_->runtime, must_stop, state_);
  JS_SetHostPromiseRejectionTracker(state_->runtime, track_rejection, state_);
  set_module_loader(*state_);
  state_->intrinsics = take_intrinsics(*state_);
  state_->classes = take_classes(*state_);
  JS_KeepIntrinsics(state_->context, true);
  state_->limit_memory(0);  // last, so that a limit that is too small shows when script runs
}

Isolate::~Isolate() {
  state_->stop.request_stop();
  state_->end();
}

Realm Isolate::realm() { return Realm(*state_); }
const IsolateLimits& Isolate::limits() const { return state_->options.limits; }
Executor* Isolate::executor() const { return state_->options.executor; }

Value Isolate::eval(std::string_view source, std::string_view name) { return realm().evaluate(source, name); }

Value Isolate::call(std::string_view name, std::span<const Value> arguments) {
  return realm().global().get(name).call(arguments);
}

std::size_t Isolate::pump_jobs(std::size_t most) {
  IsolateState& state = *state_;
  std::size_t count = 0;
  {
    const Entry entry(state);
    while (count < most && JS_IsJobPending(state.runtime)) {
      JSContext* context = nullptr;
      try {
        if (state.must_stop()) throw time_over();
        ++count;
        if (JS_ExecutePendingJob(state.runtime, &context) < 0) throw_pending(state);
        report_lost(state);
      } catch (const ScriptError& error) {
        state.report(error);
      } catch (const Error& error) {
        if (!state.uncaught) state.uncaught = error;
        break;
      }
    }
    if (!JS_IsJobPending(state.runtime)) state.report_rejections();
  }
  return count;
}

bool Isolate::has_jobs() const { return JS_IsJobPending(state_->runtime); }

void Isolate::run_turn(const std::function<void(Realm)>& body) {
  IsolateState& state = *state_;
  try {
    const Entry entry(state);
    state.jobs_scheduled = true;  // they run below
    body(Realm(state));
  } catch (const ScriptError& error) {
    state.report(error);
  } catch (const std::exception& error) {
    if (!state.uncaught) {
      const auto* ours = dynamic_cast<const Error*>(&error);
      state.uncaught = ours != nullptr ? *ours : Error(BaseError::kInternal, error.what());
    }
  }
  if (state.depth == 0) {
    state.end_turn();
  } else {
    state.jobs_scheduled = false;  // the turn around this one has them run
  }
}

void Isolate::set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline) {
  state_->deadline = deadline;
  state_->interrupted = false;
}

void Isolate::interrupt() { state_->interrupted = true; }
bool Isolate::interrupted() const { return state_->interrupted; }
std::optional<Error> Isolate::take_uncaught() { return std::exchange(state_->uncaught, std::nullopt); }

bool Isolate::idle() const { return state_->link->pending == 0 && !JS_IsJobPending(state_->runtime); }

void Isolate::when_idle(Callback then) {
  if (state_->options.executor == nullptr) {
    throw Error(BaseError::kUnsupported, "[Isolate::when_idle] the isolate has no executor");
  }
  state_->on_idle = std::move(then);
  WeakIsolate(realm()).post([](Realm) {});
}

IsolateMemory Isolate::memory() const {
  JSMemoryUsage usage{};
  JS_ComputeMemoryUsage(state_->runtime, &usage);
  return {static_cast<std::size_t>(usage.malloc_size), static_cast<std::size_t>(usage.obj_count)};
}

void Isolate::collect_garbage() { JS_RunGC(state_->runtime); }
std::stop_token Isolate::stop_token() const { return state_->stop.get_token(); }

PendingWork::PendingWork(Realm realm) : isolate_(ValueAccess::state(realm).link) { ++isolate_->pending; }

PendingWork::~PendingWork() {
  if (isolate_ == nullptr || --isolate_->pending > 0 || isolate_->isolate == nullptr) return;
  IsolateState& state = isolate_->isolate->state();
  if (state.on_idle && state.depth == 0) WeakIsolate(Realm(state)).post([](Realm) {});
}

WeakIsolate::WeakIsolate(Realm realm) : link_(ValueAccess::state(realm).link) {}

void WeakIsolate::post(std::function<void(Realm)> body) const {
  if (link_ == nullptr) return;
  const std::lock_guard lock(link_->mutex);
  if (link_->executor == nullptr) return;
  link_->executor->post([link = link_, body = std::move(body)] {
    if (link->isolate != nullptr) link->isolate->run_turn(body);
  });
}

Isolate* WeakIsolate::get() const { return link_ == nullptr ? nullptr : link_->isolate; }

}  // namespace alknet::runtime
