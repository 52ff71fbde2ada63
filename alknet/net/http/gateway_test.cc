#include "alknet/net/http/gateway.h"

#include <gtest/gtest.h>

#include <future>
#include <string>

#include "alknet/base/await.h"
#include "alknet/call/context.h"
#include "alknet/call/discovery.h"
#include "alknet/net/testing/peer.h"

namespace alknet::net {
namespace {

using call::OperationContext;
using call::Registration;
using peer_testing::PythonPeer;

struct Kept final : call::Resource {
  std::uint64_t bytes() const override { return 1; }
  std::string_view kind() const override { return "test"; }
};

Registration operation(std::string name, std::string_view input, call::Handler handler) {
  Registration made;
  made.spec.name = std::move(name);
  made.spec.input_schema = parse_json(input);
  if (std::holds_alternative<call::StreamHandler>(handler)) made.spec.type = call::OperationType::kSubscription;
  made.handler = std::move(handler);
  return made;
}

Message number(std::int64_t value) { return {Json(value), {}}; }

AsyncGenerator<Message> count(OperationContext&, Message input) {
  const auto to = input.value.at("to").as_int64();
  if (to < 0) throw call::domain_error("TAKEN", "less than nothing");
  for (std::int64_t i = 0; i < to; ++i) {
    co_await reschedule();
    co_yield number(i);
  }
}

/// Operations that answer and fail in each way.
std::vector<Registration> test_operations() {
  constexpr std::string_view kAny = "{}";
  const call::ErrorSpec taken{"TAKEN", "somebody was faster", JsonObject{}, 409};
  std::vector<Registration> all;
  all.push_back(operation("test/add",
                          R"({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
                              "required": ["a", "b"]})",
                          call::OnceHandler([](OperationContext&, Message input) -> Task<Message> {
                            co_return number(input.value.at("a").as_int64() + input.value.at("b").as_int64());
                          })));
  all.back().spec.description = "adds two integers";
  all.push_back(
      operation("test/secret", kAny, call::OnceHandler([](OperationContext& context, Message) -> Task<Message> {
                  co_return Message{Json("for " + context.identity()->id), {}};
                })));
  all.back().spec.access.required_scopes = {"secrets"};
  all.push_back(operation("test/hidden", kAny, call::OnceHandler([](OperationContext&, Message input) -> Task<Message> {
                            co_return input;
                          })));
  all.back().spec.visibility = call::Visibility::kInternal;
  all.push_back(operation("test/slow", kAny, call::OnceHandler([](OperationContext&, Message input) -> Task<Message> {
                            co_await sleep_for(std::chrono::hours(1));
                            co_return input;
                          })));
  all.push_back(operation("test/fails", kAny, call::OnceHandler([](OperationContext&, Message input) -> Task<Message> {
                            throw call::domain_error("TAKEN", "taken");
                            co_return input;
                          })));
  all.back().spec.errors = {taken};
  all.push_back(
      operation("test/undeclared", kAny, call::OnceHandler([](OperationContext&, Message input) -> Task<Message> {
                  throw call::domain_error("STRANGE", "not declared");
                  co_return input;
                })));
  all.push_back(operation(
      "test/bytes", R"({"type": "object", "properties": {"data": {"TypeDef:Bytes": true}}, "required": ["data"]})",
      call::OnceHandler([](OperationContext&, Message input) -> Task<Message> { co_return input; })));
  all.push_back(
      operation("test/nested",
                R"({"type": "object", "properties": {"tree": {"$ref": "#/$defs/tree"}},
                              "$defs": {"tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}}}}})",
                call::OnceHandler([](OperationContext&, Message input) -> Task<Message> { co_return input; })));
  all.push_back(operation("test/keep", kAny, call::OnceHandler([](OperationContext& context, Message) -> Task<Message> {
                            co_return Message{Json(context.add_resource(std::make_shared<Kept>())), {}};
                          })));
  all.push_back(
      operation("test/kept", kAny, call::OnceHandler([](OperationContext& context, Message input) -> Task<Message> {
                  context.resources().get<Kept>(input.value.at("handle").as_string());
                  co_return Message{Json(true), {}};
                })));
  all.push_back(operation("test/count", R"({"type": "object", "properties": {"to": {"type": "integer"}}})",
                          call::StreamHandler(count)));
  all.back().spec.errors = {taken};
  return all;
}

std::optional<call::Identity> authenticate(std::string_view token) {
  if (token == "good") return call::Identity{"alice", {"secrets"}, {}};
  if (token == "poor") return call::Identity{"bob", {}, {}};
  return std::nullopt;
}

TEST(Gateway, ServesOperationsOverHttp) {
  if (!peer_testing::has_python_peer()) GTEST_SKIP() << "the Python of bin/setup is missing";
  LoopThread thread;
  auto registry = std::make_shared<call::Registry>();
  auto operations = test_operations();
  const auto bytes_schema = operations[6].spec.input_schema;
  operations[6].spec.output_schema = bytes_schema;
  registry->curated().add(std::move(operations));
  registry->curated().add(call::discovery_operations());
  Metrics metrics;
  call::DispatcherOptions options;
  options.authenticate = authenticate;
  options.on_finished = [&](const call::CallRecord& record) { record_call(metrics, record); };
  call::Dispatcher dispatcher(thread.loop(), registry, std::move(options));
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<Gateway> gateway;
  const auto on_loop = [&](auto action) {
    wait_for(thread.loop(), [](auto act) -> Task<void> {
      act();
      co_return;
    }(action));
  };
  std::string address;
  on_loop([&] {
    server = std::make_unique<HttpServer>(thread.loop(), HttpServerOptions{});
    GatewayOptions gateway_options;
    gateway_options.metrics = &metrics;
    gateway = std::make_unique<Gateway>(*server, dispatcher, std::move(gateway_options));
    address = server->listen("127.0.0.1:0");
  });
  PythonPeer client("gateway_client.py", {address.substr(address.rfind(':') + 1)});
  for (std::string line = client.first_line(); !line.empty(); line = client.next_line()) {
    if (line.substr(0, 6) != "passed") ADD_FAILURE() << line;
  }
  EXPECT_EQ(client.wait(), 0);
  on_loop([&] {
    EXPECT_EQ(gateway->sessions(), 3U);
    server.reset();
    gateway.reset();
  });
}

}  // namespace
}  // namespace alknet::net
