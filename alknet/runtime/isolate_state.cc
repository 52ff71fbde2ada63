#include "alknet/runtime/isolate_state.h"

#include "alknet/runtime/convert.h"
#include "alknet/runtime/quickjs.h"

namespace alknet::runtime {

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
    throw Error(RuntimeError::kTimeout, "[isolate] the script was stopped: its time was over");
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

void IsolateState::free_if_unused() {
  if (ending) return;
  struct Counter final : ValueVisitor {
    std::size_t count = 0;
    void visit(const Value& value) override { count += ValueAccess::counted(ValueAccess::raw(value)) ? 1 : 0; }
  } inside;
  for (const NativeObject* native : natives) native->visit(inside);
  if (values != inside.count) return;
  ending = true;
  JS_FreeRuntime(runtime);
  delete this;
}

}  // namespace alknet::runtime
