#include "alknet/runtime/isolate.h"

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
Value getter_of(IsolateState& state, const Value& prototype, const char* name) {
  const JSAtom atom = JS_NewAtom(state.context, name);
  JSPropertyDescriptor property{};
  const int found = JS_GetOwnProperty(state.context, &property, ValueAccess::raw(prototype), atom);
  JS_FreeAtom(state.context, atom);
  checked(state, found);
  JS_FreeValue(state.context, property.setter);
  JS_FreeValue(state.context, property.value);
  return ValueAccess::adopt(state, property.getter);
}

IsolateState::Intrinsics take_intrinsics(IsolateState& state) {
  const Value global = Realm(state).global();
  const Value view = global.get("DataView").get("prototype");
  return {getter_of(state, view, "buffer"), getter_of(state, view, "byteOffset"), getter_of(state, view, "byteLength"),
          global.get("ArrayBuffer").get("prototype").get("transfer")};
}

int must_stop(JSRuntime*, void* opaque) { return static_cast<IsolateState*>(opaque)->must_stop() ? 1 : 0; }

}  // namespace

Isolate::Isolate(IsolateOptions options) : state_(new IsolateState) {
  state_->options = std::move(options);
  state_->isolate = this;
  state_->link->isolate = this;
  state_->link->executor = state_->options.executor;
  state_->runtime = JS_NewRuntime();
  if (state_->runtime == nullptr) {
    delete state_;
    throw Error(BaseError::kOutOfMemory, "[isolate] no memory for a JavaScript engine");
  }
  JS_SetRuntimeOpaque(state_->runtime, state_);
  JS_SetMaxStackSize(state_->runtime, state_->options.limits.stack_bytes);
  JS_SetCanBlock(state_->runtime, false);
  state_->context = JS_NewContext(state_->runtime);
  if (state_->context == nullptr) {
    JS_FreeRuntime(state_->runtime);
    delete state_;
    throw Error(BaseError::kOutOfMemory, "[isolate] no memory for a JavaScript context");
  }
  JS_SetContextOpaque(state_->context, state_);
  JS_NewClassID(state_->runtime, &state_->native_class);
  const JSClassDef native{"Native", finalize_native, mark_native, nullptr, nullptr};
  JS_NewClass(state_->runtime, state_->native_class, &native);
  JS_SetInterruptHandler(state_->runtime, must_stop, state_);
  JS_SetHostPromiseRejectionTracker(state_->runtime, track_rejection, state_);
  set_module_loader(*state_);
  state_->intrinsics = take_intrinsics(*state_);
  // Last, so that a limit that is too small shows when script runs.
  if (state_->options.limits.memory_bytes) JS_SetMemoryLimit(state_->runtime, *state_->options.limits.memory_bytes);
}

Isolate::~Isolate() {
  state_->stop.request_stop();
  {
    const std::lock_guard lock(state_->link->mutex);
    state_->link->executor = nullptr;
  }
  state_->link->isolate = nullptr;
  state_->intrinsics = {};
  state_->promises.clear();
  state_->rejections.clear();
  state_->on_idle = {};
  state_->options = {};
  state_->ending = true;  // native objects that go let values go, in the middle of the engine's work
  JS_FreeContext(std::exchange(state_->context, nullptr));
  // The last Value may go with the native objects that this frees: the engine must not be freed under itself.
  state_->ending = true;
  JS_RunGC(state_->runtime);
  state_->ending = false;
  state_->free_if_unused();
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
        if (state.must_stop())
          throw Error(RuntimeError::kTimeout, "[isolate] the script was stopped: its time was over");
        ++count;
        if (JS_ExecutePendingJob(state.runtime, &context) < 0) throw_pending(state);
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
bool Isolate::interrupted_now() { return state_->must_stop(); }
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

PendingWork::PendingWork(Realm realm) : isolate_(realm.isolate().state().link) { ++isolate_->pending; }

PendingWork::~PendingWork() {
  if (isolate_ == nullptr || --isolate_->pending > 0 || isolate_->isolate == nullptr) return;
  IsolateState& state = isolate_->isolate->state();
  if (state.on_idle && state.depth == 0) WeakIsolate(Realm(state)).post([](Realm) {});
}

WeakIsolate::WeakIsolate(Realm realm) : link_(realm.isolate().state().link) {}

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
