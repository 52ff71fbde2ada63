#include "alknet/runtime/isolate_state.h"

#include <algorithm>

#include "alknet/runtime/convert.h"
#include "alknet/runtime/quickjs.h"

namespace alknet::runtime {

namespace {

/// An isolate that nobody holds anything of gives its memory back without a look at each object, which takes a fifth of
/// the time of a short script. Builds with assertions free all of them: what C++ forgot to free shows then.
#ifdef NDEBUG
constexpr bool kDropsHeaps = true;
#else
constexpr bool kDropsHeaps = false;
#endif

}  // namespace

EngineKept::EngineKept(IsolateState& state) : state_(state) { state_.kept.insert(this); }
EngineKept::~EngineKept() { state_.kept.erase(this); }

JSRuntime* IsolateState::new_engine() {
  return kDropsHeaps ? JS_NewRuntime2(&EngineHeap::functions(), &heap) : JS_NewRuntime();
}

bool IsolateState::must_stop() {
  if (deadline && std::chrono::steady_clock::now() >= *deadline) interrupted = true;
  return interrupted;
}

int IsolateState::number_of(NativeFunction function) {
  const auto [found, inserted] = function_numbers.emplace(function, static_cast<int>(functions.size()));
  if (inserted) {
    if (functions.size() > INT16_MAX) throw Error(BaseError::kInternal, "[isolate] too many native functions");
    functions.push_back(function);
  }
  return found->second;
}

JSValue IsolateState::raise(const std::exception& error) noexcept {
  if (context == nullptr) return JS_EXCEPTION;
  try {
    const auto* ours = dynamic_cast<const Error*>(&error);
    const bool ends = ours != nullptr && ours->code() == RuntimeError::kTimeout && interrupted;
    const JSValue thrown = ValueAccess::copy(*this, Realm(*this).error_value(error));
    if (ends) JS_SetUncatchableError(context, thrown);
    return JS_Throw(context, thrown);
  } catch (const std::exception&) {  // no memory is left for the error's own object
    return JS_HasException(context) ? JS_EXCEPTION : JS_ThrowOutOfMemory(context);
  }
}

void throw_pending(IsolateState& state) {
  const Value thrown = ValueAccess::adopt(state, JS_GetException(state.context));
  const bool ended = JS_IsUncatchableError(ValueAccess::raw(thrown));
  if (ended) JS_ClearUncatchableError(state.context, ValueAccess::raw(thrown));
  if (ended && state.interrupted) {
    throw time_over();
  }
  throw Realm(state).thrown(thrown);
}

void IsolateState::schedule_jobs() {
  if (options.executor == nullptr || context == nullptr || jobs_scheduled) return;
  if (!JS_IsJobPending(runtime) && rejections.empty()) return;
  jobs_scheduled = true;
  WeakIsolate(Realm(*this)).post([](Realm) {});
}

void IsolateState::report(const ScriptError& error) {
  if (options.on_uncaught) return options.on_uncaught(error);
  if (!uncaught) uncaught = error.plain();
}

void IsolateState::report_rejections() {
  for (const auto& [promise, reason] : std::exchange(rejections, {})) report(Realm(*this).thrown(reason));
}

void IsolateState::end_turn() {
  jobs_scheduled = false;
  isolate->pump_jobs();
  if (on_idle && isolate->idle()) std::exchange(on_idle, {})();
}

void IsolateState::limit_memory(std::size_t more) {
  const auto limit = options.limits.memory_bytes;
  if (!limit) return;
  // The engine takes 0 for no limit.
  JS_SetMemoryLimit(runtime, std::max<std::size_t>(1, *limit + std::min(more, SIZE_MAX - *limit)));
}

void IsolateState::hold(JSValueConst value) {
  std::unique_lock<std::recursive_mutex> lock;
  if (phase == Phase::kEnded) lock = std::unique_lock(link->mutex);
  JS_DupValueRT(runtime, value);
  ++values;
}

void IsolateState::drop(JSValueConst value) {
  if (phase == Phase::kDropped) return;
  if (phase != Phase::kEnded) {
    JS_FreeValueRT(runtime, value);
    --values;
    return;
  }
  const std::shared_ptr<IsolateLink> kept = link;
  bool last = false;
  {
    const std::lock_guard lock(kept->mutex);
    JS_FreeValueRT(runtime, value);
    --values;
    last = unused(false);
    // Native objects end on this thread, not on that of whoever has the last bytes.
    if (!last && unused(true)) JS_RunGC(runtime);
  }
  if (last) free_engine();
}

void IsolateState::end() {
  phase = Phase::kEnds;
  {
    const std::lock_guard lock(link->mutex);
    link->executor = nullptr;
  }
  link->isolate = nullptr;
  intrinsics = {};
  promises.clear();
  rejections.clear();
  on_idle = {};
  options = {};
  link->free_returned();
  if (kDropsHeaps && unused(false)) return drop_engine();
  if (context != nullptr) JS_FreeContext(std::exchange(context, nullptr));
  link->free_returned();
  JS_RunGC(runtime);
  isolate = nullptr;
  bool last = false;
  {
    const std::lock_guard lock(link->mutex);
    link->free_returned();
    link->ended = true;
    phase = Phase::kEnded;
    last = unused(false);
  }
  if (last) free_engine();
}

bool IsolateState::unused(bool but_lent) const {
  struct Counter final : ValueVisitor {
    std::size_t count = 0;
    void visit(const Value& value) override { count += ValueAccess::counted(ValueAccess::raw(value)) ? 1 : 0; }
  } inside;
  for (const NativeObject* native : natives) native->visit(inside);
  return values == inside.count + (but_lent ? lent : 0);
}

void IsolateState::free_engine() {
  phase = Phase::kFreed;
  JS_FreeRuntime(runtime);
  delete this;
}

void IsolateState::drop_engine() {
  {
    const std::lock_guard lock(link->mutex);
    link->ended = true;
  }
  phase = Phase::kDropped;
  context = nullptr;
  isolate = nullptr;
  while (!natives.empty()) delete natives.extract(natives.begin()).value();
  while (!kept.empty()) delete *kept.begin();
  delete this;  // with the heap
}

void IsolateLink::give_back(std::unique_ptr<Value> value) {
  const std::lock_guard lock(mutex);
  if (ended) {
    --ValueAccess::state(*value)->lent;
    value.reset();
    return;
  }
  returned.push_back(std::move(value));
  if (executor == nullptr || returned.size() > 1) return;
  executor->post([link = shared_from_this()] { link->free_returned(); });
}

void IsolateLink::free_returned() {
  std::vector<std::unique_ptr<Value>> values;
  {
    const std::lock_guard lock(mutex);
    values.swap(returned);
  }
  for (const auto& value : values) --ValueAccess::state(*value)->lent;
}

}  // namespace alknet::runtime
