#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/base/on_executor.h"
#include "alknet/call/context.h"
#include "alknet/call/error.h"
#include "alknet/runtime/bridge_state.h"
#include "alknet/runtime/convert.h"
#include "alknet/runtime/error.h"

// Host to JS: what a handler of script knows of its call, and how it calls on.

namespace alknet::runtime {
namespace {

/// Calls in the name of a handler, while its request runs.
class NestedCaller final : public call::Caller {
 public:
  explicit NestedCaller(std::shared_ptr<ServedCall> served) : served_(std::move(served)) {}

  Task<Message> call(std::string operation, Message input, call::CallOptions options) override {
    return on_executor(*served_->dispatcher, run(served_, std::move(operation), std::move(input), std::move(options)));
  }
  AsyncGenerator<Message> subscribe(std::string operation, Message input, call::CallOptions options) override {
    return on_executor(*served_->dispatcher,
                       items(served_, std::move(operation), std::move(input), std::move(options)));
  }

 private:
  static call::OperationContext& context_of(const ServedCall& served) {
    if (served.context != nullptr) return *served.context;
    throw Error(call::CallError::kAborted, fmt::format("the call of {} that asks has ended", served.operation));
  }

  static call::NestedCallOptions nested(const call::CallOptions& options) {
    call::NestedCallOptions nested;
    nested.timeout = options.timeout;
    nested.on_id = options.on_id;
    return nested;
  }

  static Task<Message> run(std::shared_ptr<ServedCall> served, std::string operation, Message input,
                           call::CallOptions options) {
    call::NestedCallOptions how = nested(options);
    Task<Message> call = context_of(*served).call(operation, std::move(input), std::move(how));
    co_return co_await std::move(call);
  }

  static AsyncGenerator<Message> items(std::shared_ptr<ServedCall> served, std::string operation, Message input,
                                       call::CallOptions options) {
    call::NestedCallOptions how = nested(options);
    AsyncGenerator<Message> all = context_of(*served).subscribe(operation, std::move(input), std::move(how));
    while (auto item = co_await all.next()) co_yield std::move(*item);
  }

  std::shared_ptr<ServedCall> served_;
};

/// The script object that a handler gets beside its input.
class ScriptContext final : public NativeObject {
 public:
  ScriptContext(std::weak_ptr<BridgeState> state, std::shared_ptr<ServedCall> served,
                std::shared_ptr<ScriptCaller> caller)
      : state_(std::move(state)), served_(std::move(served)), caller_(std::move(caller)) {}

  static ScriptContext& of(const Value& self) { return native_this<ScriptContext>(self, "context of a call"); }

  static Value request_id(Realm realm, const Value& self, Arguments) {
    return realm.string(of(self).served_->request_id);
  }
  static Value parent_id(Realm realm, const Value& self, Arguments) {
    return realm.string(of(self).served_->parent_id);
  }
  static Value operation(Realm realm, const Value& self, Arguments) {
    return realm.string(of(self).served_->operation);
  }
  static Value own(Realm realm, const Value& self, Arguments) { return realm.boolean(of(self).served_->own); }
  static Value identity(Realm realm, const Value& self, Arguments) {
    return from_json(realm, of(self).served_->identity);
  }
  static Value forwarded_for(Realm realm, const Value& self, Arguments) {
    return from_json(realm, of(self).served_->forwarded_for);
  }

  static Value remaining(Realm realm, const Value& self, Arguments) {
    const ServedCall& served = *of(self).served_;
    if (!served.deadline) return {};
    const std::chrono::duration<double, std::milli> left = *served.deadline - served.dispatcher->now();
    return realm.number(std::max(1.0, left.count()));
  }

  static Value on_abort(Realm realm, const Value& self, Arguments arguments) {
    const ScriptContext& context = of(self);
    const Value listener = arguments[0];
    if (!listener.is_function()) throw realm.type_error("[onAbort] the listener is no function");
    const auto state = context.state_.lock();
    if (!state) return {};
    const auto found = state->serving.find(context.served_->number);
    if (found == state->serving.end() || found->second.aborted) return listener.call();
    found->second.on_abort = listener;
    return {};
  }

  static Value call(Realm realm, const Value& self, Arguments arguments) {
    const ScriptContext& context = of(self);
    return script_call(realm, context.bridge(), context.caller_, arguments);
  }
  static Value subscribe(Realm realm, const Value& self, Arguments arguments) {
    const ScriptContext& context = of(self);
    return script_subscribe(realm, context.bridge(), context.caller_, arguments);
  }
  static Value abort(Realm realm, const Value& self, Arguments arguments) {
    return script_abort(realm, *of(self).caller_, arguments);
  }

 private:
  std::shared_ptr<BridgeState> bridge() const {
    if (auto state = state_.lock()) return state;
    throw Error(RuntimeError::kClosed, "[call] the program has ended");
  }

  std::weak_ptr<BridgeState> state_;
  std::shared_ptr<ServedCall> served_;
  std::shared_ptr<ScriptCaller> caller_;
};

}  // namespace

std::shared_ptr<call::Caller> make_nested_caller(std::shared_ptr<ServedCall> served) {
  return std::make_shared<NestedCaller>(std::move(served));
}

Value make_context(const std::shared_ptr<BridgeState>& state, std::shared_ptr<ServedCall> served,
                   std::shared_ptr<ScriptCaller> caller) {
  return make_object(state->context_class,
                     std::make_unique<ScriptContext>(state, std::move(served), std::move(caller)));
}

Value define_context_class(Realm realm) {
  static constexpr MethodSpec kMethods[] = {{"remaining", 0, ScriptContext::remaining},
                                            {"onAbort", 1, ScriptContext::on_abort},
                                            {"call", 3, ScriptContext::call},
                                            {"subscribe", 3, ScriptContext::subscribe},
                                            {"abort", 1, ScriptContext::abort}};
  static constexpr AttributeSpec kAttributes[] = {
      {"requestId", ScriptContext::request_id}, {"parentId", ScriptContext::parent_id},
      {"operation", ScriptContext::operation},  {"own", ScriptContext::own},
      {"identity", ScriptContext::identity},    {"forwardedFor", ScriptContext::forwarded_for}};
  ClassSpec spec;
  spec.name = "HostContext";
  spec.methods = kMethods;
  spec.attributes = kAttributes;
  return define_class(realm, spec);
}

}  // namespace alknet::runtime
