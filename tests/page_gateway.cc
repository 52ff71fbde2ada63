// A node as `alknet serve --http` makes it, for the tests of the page: discovery, compute operations, a subscription
// and an operation for administrators. Prints the gateway's address and serves until its standard input ends.
#include <chrono>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/call/context.h"
#include "alknet/call/discovery.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/net/http/gateway.h"

namespace alknet {
namespace {

call::Registration ticks() {
  call::Registration made;
  made.spec.name = "clock/ticks";
  made.spec.type = call::OperationType::kSubscription;
  made.spec.title = "Count";
  made.spec.input_schema = parse_json(R"({"type": "object", "properties": {
    "count": {"type": "integer", "minimum": 0}, "every_ms": {"type": "integer", "minimum": 1, "default": 5}},
    "required": ["every_ms"], "additionalProperties": false})");
  made.spec.output_schema = parse_json(R"({"type": "object", "properties": {"value": {"type": "integer"}}})");
  made.handler = call::StreamHandler([](call::OperationContext&, Message input) -> AsyncGenerator<Message> {
    const Json* count = input.value.as_object().if_contains("count");
    const std::chrono::milliseconds pause(input.value.at("every_ms").as_int64());
    for (std::int64_t i = 0; count == nullptr || i < count->as_int64(); ++i) {
      co_yield Message{JsonObject{{"value", i}}, {}};
      co_await sleep_for(pause);
    }
  });
  return made;
}

call::Registration restart() {
  call::Registration made;
  made.spec.name = "node/restart";
  made.spec.type = call::OperationType::kMutation;
  made.spec.input_schema = parse_json(R"({"type": "object", "additionalProperties": false})");
  made.spec.access.required_scopes = {"admin"};
  made.handler = call::OnceHandler([](call::OperationContext&, Message) -> Task<Message> {
    co_return Message{Json("restarted"), {}};
  });
  return made;
}

template <typename Action>
void on_loop(Loop& loop, Action action) {
  wait_for(loop, [](Action act) -> Task<void> {
    act();
    co_return;
  }(std::move(action)));
}

int serve(const char* model) {
  LoopThread thread;
  compute::ComputeServiceOptions open;
  open.device = "cpu";
  open.compute_scopes = {};
  open.model_scopes = {};
  compute::ComputeService service(open);
  auto registry = std::make_shared<call::Registry>();
  registry->curated().add(call::discovery_operations());
  registry->curated().add(compute::compute_operations(service));
  if (model != nullptr) {
    registry->curated().add(compute::sentence_model_operations(service, "minilm", model));
  }
  std::vector<call::Registration> others;
  others.push_back(ticks());
  others.push_back(restart());
  registry->curated().add(std::move(others));
  call::DispatcherOptions options;
  options.authenticate = [](std::string_view token) -> std::optional<call::Identity> {
    if (token != "secret") return std::nullopt;
    return call::Identity{"admin", {"admin"}, {}};
  };
  call::Dispatcher dispatcher(thread.loop(), registry, std::move(options));
  std::unique_ptr<net::HttpServer> server;
  std::unique_ptr<net::Gateway> gateway;
  on_loop(thread.loop(), [&] {
    server = std::make_unique<net::HttpServer>(thread.loop(), net::HttpServerOptions{});
    gateway = std::make_unique<net::Gateway>(*server, dispatcher, net::GatewayOptions{});
    std::cout << "http://" << server->listen("127.0.0.1:0") << "/" << std::endl;
  });
  std::cin.ignore(std::numeric_limits<std::streamsize>::max());
  on_loop(thread.loop(), [&] {
    server.reset();
    gateway.reset();
  });
  return 0;
}

}  // namespace
}  // namespace alknet

int main(int argc, char** argv) { return alknet::serve(argc > 1 ? argv[1] : nullptr); }
