// Serves some operations on an inherited socket, for a peer that was written elsewhere.
//
// usage: alknet_plain_peer_host DESCRIPTOR
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/loop.h"
#include "alknet/call/connection.h"
#include "alknet/call/descriptor_transport.h"
#include "alknet/call/discovery.h"

namespace {

using alknet::AsyncGenerator;
using alknet::Json;
using alknet::JsonObject;
using alknet::Message;
using alknet::Task;
using namespace alknet::call;

Registration operation(std::string_view name, Handler handler) {
  Registration registration;
  registration.spec.name = name;
  if (std::holds_alternative<StreamHandler>(handler)) registration.spec.type = OperationType::kSubscription;
  registration.handler = std::move(handler);
  return registration;
}

Task<Message> echo(OperationContext&, Message input) { co_return input; }

AsyncGenerator<Message> count(OperationContext&, Message input) {
  const auto last = input.value.at("to").as_int64();
  for (std::int64_t i = 1; i <= last; ++i) co_yield Message{Json(i), {}};
}

Task<Message> wait(OperationContext&, Message) {
  co_await alknet::sleep_for(std::chrono::hours(1));
  co_return Message{};
}

/// {"data": Bytes} -> {"size", "data": the same bytes backwards}.
Task<Message> reverse(OperationContext&, Message input) {
  const auto bytes = input.bytes.at(0).span();
  std::vector<std::byte> reversed(bytes.rbegin(), bytes.rend());
  Message output{JsonObject{{"size", bytes.size()}}, {}};
  output.value.as_object()["data"] = attach_bytes(output, alknet::SharedBytes::take(std::move(reversed)));
  co_return output;
}

/// {"operation", "input"} -> what the peer answers.
Task<Message> call_back(std::shared_ptr<Connection> peer, Message input) {
  Message inner{input.value.at("input"), {}};
  co_return co_await peer->call(std::string(input.value.at("operation").as_string()), std::move(inner));
}

}  // namespace

int main(int count_of_arguments, char** arguments) {
  if (count_of_arguments != 2) return 2;
  const auto registry = std::make_shared<Registry>();
  std::vector<Registration> operations = discovery_operations();
  operations.push_back(operation("test/echo", OnceHandler(echo)));
  operations.push_back(operation("test/count", StreamHandler(count)));
  operations.push_back(operation("test/wait", OnceHandler(wait)));
  operations.push_back(operation("test/reverse", OnceHandler(reverse)));
  operations.back().spec.input_schema =
      alknet::parse_json(R"({"properties":{"data":{"TypeDef:Bytes":true}},"required":["data"]})");
  operations.back().spec.output_schema = alknet::parse_json(R"({"properties":{"data":{"TypeDef:Bytes":true}}})");
  std::shared_ptr<Connection> connection;
  // Calls the peer: the other direction of the same connection.
  operations.push_back(operation("test/call_back", OnceHandler([&](OperationContext&, Message input) {
                                   return call_back(connection, std::move(input));
                                 })));
  registry->curated().add(std::move(operations));

  alknet::Loop loop;
  Dispatcher dispatcher(loop, registry);
  loop.post([&] {
    connection = Connection::open(loop, make_descriptor_transport(loop, std::atoi(arguments[1])), &dispatcher, nullptr);
    connection->on_close([&](const alknet::Error&) { loop.stop(); });
  });
  loop.run();
  const ConnectionStats stats = connection->stats();
  std::printf("running %llu pending %llu\n", static_cast<unsigned long long>(stats.running_calls),
              static_cast<unsigned long long>(stats.pending_calls));
  return 0;
}
