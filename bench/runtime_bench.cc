// R2 and R3: isolates and the way from script to C++ and back. A program of its own, as a script host is: it links the
// runtime and nothing of the compute engine.
#include <array>
#include <stdexcept>

#include "alknet/base/loop.h"
#include "alknet/bindings/schema.h"
#include "alknet/bindings/tensors.h"
#include "alknet/call/dispatcher.h"
#include "alknet/runtime/bridge.h"
#include "alknet/runtime/bundles/embedded.h"
#include "alknet/runtime/isolate.h"
#include "alknet/runtime/promise.h"
#include "alknet/runtime/resolver.h"
#include "alknet/runtime/web/web.h"
#include "bench/cases.h"
#include "bench/protocol.h"

namespace alknet::bench {
namespace {

using runtime::Arguments;
using runtime::Isolate;
using runtime::Realm;
using runtime::Value;

/// R2: an isolate from nothing, one call, and its end.
Case isolate_life(const Json&) {
  return [] {
    Isolate isolate;
    isolate.eval("function twice(x) { return 2 * x }");
    const std::array arguments = {isolate.realm().number(21)};
    keep(isolate.call("twice", arguments).to_number());
  };
}

Value add(Realm realm, const Value&, Arguments arguments) {
  return realm.number(arguments[0].to_number() + arguments[1].to_number());
}

/// R3: `count` calls of a host function of two numbers in a loop of script.
Case host_calls(const Json& parameters) {
  const auto isolate = std::make_shared<Isolate>();
  const Realm realm = isolate->realm();
  realm.global().set("add", realm.function("add", 2, add));
  isolate->eval("function loop(count) { let sum = 0; for (let i = 0; i < count; i++) sum = add(sum, i); return sum }");
  return [isolate, count = parameters.at("count").to_number<double>()] {
    const std::array arguments = {isolate->realm().number(count)};
    keep(isolate->call("loop", arguments).to_number());
  };
}

/// A node in one thread, and what a program gives to the isolates of its scripts.
class ScriptNode {
 public:
  ScriptNode() {
    call::Registration add;
    add.spec.name = "bench/add";
    add.handler = [](call::OperationContext&, Message input) -> Task<Message> {
      const double sum = input.value.at("a").to_number<double>() + input.value.at("b").to_number<double>();
      co_return Message{sum, {}};
    };
    std::vector<call::Registration> operations;
    operations.push_back(std::move(add));
    registry_->curated().add(std::move(operations));
  }
  ~ScriptNode() { owner_->end(); }
  ScriptNode(const ScriptNode&) = delete;
  ScriptNode& operator=(const ScriptNode&) = delete;

  /// With the web platform and all native modules that need no device.
  std::unique_ptr<Isolate> isolate() {
    runtime::BridgeOptions bridge;
    bridge.caller = runtime::owner_caller(dispatcher_, owner_);
    runtime::IsolateOptions options;
    options.executor = &loop_;
    options.modules = {runtime::host_module(std::move(bridge)), bindings::graph_module(), bindings::schema_module()};
    runtime::ScriptResolverOptions resolving;
    resolving.bundles = runtime::embedded_bundles();
    for (const auto& module : options.modules) resolving.native.push_back(module.name);
    options.resolver = std::make_shared<runtime::ScriptResolver>(std::move(resolving));
    auto made = std::make_unique<Isolate>(std::move(options));
    runtime::install_web(*made);
    return made;
  }

  /// Runs the loop until the isolate has nothing to wait for; the promise must be fulfilled by then.
  Value settled(Isolate& isolate, const Value& promise) {
    isolate.pump_jobs();
    if (!isolate.idle()) {
      isolate.when_idle([this] { loop_.stop(); });
      loop_.run();
    }
    if (runtime::promise_state(promise) != runtime::PromiseState::kFulfilled) {
      throw std::runtime_error("the script failed: " + runtime::promise_result(promise).to_string());
    }
    return runtime::promise_result(promise);
  }

 private:
  Loop loop_;
  std::shared_ptr<call::Registry> registry_ = std::make_shared<call::Registry>();
  call::Dispatcher dispatcher_{loop_, registry_};
  std::shared_ptr<call::Owner> owner_ =
      std::make_shared<call::Owner>(call::Owner::Kind::kProgram, "bench", call::Identity::local_program());
};

constexpr std::array<std::string_view, 13> kCorePackages = {
    "@preact/signals-core", "@sinclair/typebox", "@sinclair/typebox/value",
    "@logtape/logtape",     "@alknet/schema",    "@alknet/operations",
    "@alknet/pubsub",       "@alknet/ujsx",      "@alknet/ujsx/jsx-runtime",
    "@alknet/flowgraph",    "@alknet/layout",    "@alknet/tensor",
    "@alknet/nn",
};

/// R2: the same as isolate_life after an import of each package of the core bundle.
Case isolate_packages(const Json&) {
  std::string imports;
  for (const std::string_view name : kCorePackages) imports.append("import '").append(name).append("';\n");
  imports += "globalThis.twice = (x) => 2 * x";
  return [imports, node = std::make_shared<ScriptNode>()] {
    const auto isolate = node->isolate();
    node->settled(*isolate, isolate->eval_module(imports, "packages.js"));
    const std::array arguments = {isolate->realm().number(21)};
    keep(isolate->call("twice", arguments).to_number());
  };
}

/// R3: `count` calls of an operation of the registry, each awaited before the next.
Case env_calls(const Json& parameters) {
  const auto node = std::make_shared<ScriptNode>();
  const std::shared_ptr<Isolate> isolate = node->isolate();
  node->settled(*isolate, isolate->eval_module(R"(
    import {env} from '@alknet/operations';
    globalThis.loop = async (count) => {
      let sum = 0;
      for (let i = 0; i < count; i++) sum = (await env.call('bench/add', {a: sum, b: i})).data;
      return sum;
    };)",
                                               "env_calls.js"));
  return [node, isolate, count = parameters.at("count").to_number<double>()] {
    const std::array arguments = {isolate->realm().number(count)};
    keep(node->settled(*isolate, isolate->call("loop", arguments)).to_number());
  };
}

}  // namespace
}  // namespace alknet::bench

int main() {
  using namespace alknet::bench;
  serve({{"isolate_life", isolate_life},
         {"isolate_packages", isolate_packages},
         {"host_calls", host_calls},
         {"env_calls", env_calls}},
        "alknet " ALKNET_VERSION);
}
