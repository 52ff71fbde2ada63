#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/base/manual_executor.h"
#include "alknet/call/dispatcher.h"

/// For tests: a node in one thread, whose time the test lets pass.

namespace alknet::call {

/// An external query "ns/op" that takes and gives anything.
inline Registration simple_operation(std::string name, OnceHandler handler) {
  Registration registration;
  registration.spec.name = std::move(name);
  registration.handler = std::move(handler);
  return registration;
}

inline Registration simple_subscription(std::string name, StreamHandler handler) {
  Registration registration;
  registration.spec.name = std::move(name);
  registration.spec.type = OperationType::kSubscription;
  registration.handler = std::move(handler);
  return registration;
}

inline Task<Message> echo(OperationContext&, Message input) { co_return input; }

inline Message json_message(std::string_view text) { return {parse_json(text), {}}; }

/// Notes what a transport would send.
struct NotingSink final : CallSink {
  void responded(Message output, const Operation&) override { said += "responded " + json_text(output.value) + "; "; }
  void completed() override { said += "completed; "; }
  void failed(const WireError& error) override {
    said += "failed " + error.code + "; ";
    last = error;
  }
  std::string said;
  WireError last;
};

inline Registration with_schema(Registration registration, std::string_view input, std::string_view output = "{}") {
  registration.spec.input_schema = parse_json(input);
  registration.spec.output_schema = parse_json(output);
  return registration;
}

inline Task<Message> sleep_an_hour(OperationContext&, Message input) {
  co_await sleep_for(std::chrono::hours(1));
  co_return input;
}

class TestNode {
 public:
  explicit TestNode(DispatcherOptions options = {}) {
    options.check_outputs = true;
    dispatcher = std::make_unique<Dispatcher>(executor, registry, std::move(options));
  }
  ~TestNode() {
    if (owner) owner->end();
    executor.run_ready();
  }

  /// Calls as `owner` without letting time pass. Throws what a caller would see.
  Message call(std::string operation, Message input = {JsonObject{}, {}}) {
    return run_until_done(executor, dispatcher->call(owner, request(std::move(operation), std::move(input))));
  }
  Json call(std::string operation, std::string_view input) {
    return call(std::move(operation), json_message(input)).value;
  }

  static CallRequest request(std::string operation, Message input) {
    CallRequest made;
    made.operation = std::move(operation);
    made.input = std::move(input);
    return made;
  }

  ManualExecutor executor;
  std::shared_ptr<Registry> registry = std::make_shared<Registry>();
  std::unique_ptr<Dispatcher> dispatcher;
  std::shared_ptr<Owner> owner = std::make_shared<Owner>(Owner::Kind::kConnection, "peer", std::nullopt);
};

}  // namespace alknet::call
