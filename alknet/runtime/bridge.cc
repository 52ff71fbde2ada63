#include "alknet/runtime/bridge.h"

#include <fmt/format.h>

#include <atomic>
#include <utility>

#include "alknet/base/on_executor.h"
#include "alknet/base/random_hex.h"
#include "alknet/runtime/bridge_state.h"

namespace alknet::runtime {
namespace {

class OwnerCaller final : public call::Caller {
 public:
  OwnerCaller(call::Dispatcher& dispatcher, std::shared_ptr<call::Owner> owner)
      : dispatcher_(dispatcher), owner_(std::move(owner)), prefix_(random_hex(8)) {}

  Task<Message> call(std::string operation, Message input, call::CallOptions options) override {
    return on_executor(dispatcher_.executor(),
                       dispatcher_.call(owner_, request(std::move(operation), std::move(input), options)));
  }

  AsyncGenerator<Message> subscribe(std::string operation, Message input, call::CallOptions options) override {
    return on_executor(dispatcher_.executor(),
                       dispatcher_.subscribe(owner_, request(std::move(operation), std::move(input), options)));
  }

 private:
  call::CallRequest request(std::string operation, Message input, const call::CallOptions& options) {
    call::CallRequest request;
    request.operation = std::move(operation);
    request.input = std::move(input);
    request.id = fmt::format("{}-{}", prefix_, ++last_);
    request.auth_token = options.auth_token;
    request.forwarded_for = options.forwarded_for;
    request.timeout = options.timeout;
    if (options.on_id) options.on_id(request.id);
    return request;
  }

  call::Dispatcher& dispatcher_;
  std::shared_ptr<call::Owner> owner_;
  const std::string prefix_;
  std::uint64_t last_ = 0;
};

}  // namespace

BridgeState::BridgeState(Realm realm, BridgeOptions bridge_options)
    : options(std::move(bridge_options)), root(std::make_shared<ScriptCaller>()) {
  root->caller = options.caller;
  on_stop_.emplace(realm.isolate().stop_token(), OnStop{this});
}

BridgeState::~BridgeState() {
  on_stop_.reset();
  end();
}

void BridgeState::end() {
  for (const auto& [number, remove] : std::exchange(removers, {})) remove();
  handlers.clear();
  serving.clear();
  subscription_class = {};
  context_class = {};
}

NativeModule host_module(BridgeOptions options) {
  NativeModule module;
  module.name = "alknet:host";
  module.exports = {"call", "subscribe", "abort", "register"};
  module.evaluate = [options = std::move(options)](Realm realm) {
    const auto state = std::make_shared<BridgeState>(realm, options);
    state->subscription_class = define_subscription_class(realm);
    state->context_class = define_context_class(realm);
    return std::vector<Value>{
        realm.closure("call", 3,
                      [state](Realm in, const Value&, Arguments a) { return script_call(in, state, state->root, a); }),
        realm.closure(
            "subscribe", 3,
            [state](Realm in, const Value&, Arguments a) { return script_subscribe(in, state, state->root, a); }),
        realm.closure("abort", 1,
                      [state](Realm in, const Value&, Arguments a) { return script_abort(in, *state->root, a); }),
        realm.closure("register", 3,
                      [state](Realm in, const Value&, Arguments a) { return script_register(in, state, a); }),
    };
  };
  return module;
}

std::shared_ptr<call::Caller> owner_caller(call::Dispatcher& dispatcher, std::shared_ptr<call::Owner> owner) {
  return std::make_shared<OwnerCaller>(dispatcher, std::move(owner));
}

OperationAdder curated_adder(std::shared_ptr<call::Registry> registry) {
  return [registry = std::move(registry)](call::Registration registration) -> std::function<void()> {
    const std::string name = registration.spec.name;
    std::vector<call::Registration> one;
    one.push_back(std::move(registration));
    registry->curated().add(std::move(one));
    return [registry, name] { registry->curated().remove({name}); };
  };
}

OperationAdder overlay_adder(std::shared_ptr<const call::Registry> registry, std::shared_ptr<call::Layer> layer) {
  return [registry = std::move(registry),
          layer = std::move(layer)](call::Registration registration) -> std::function<void()> {
    const std::string name = registration.spec.name;
    std::vector<call::Registration> one;
    one.push_back(std::move(registration));
    registry->add_overlay(*layer, std::move(one));
    return [layer, name] { layer->remove({name}); };
  };
}

}  // namespace alknet::runtime
