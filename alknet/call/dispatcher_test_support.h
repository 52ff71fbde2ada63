#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/call/dispatcher.h"

namespace alknet::call {

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

/// A node without transports.
class Dispatch : public testing::Test {
 protected:
  void add(Registration registration) {
    std::vector<Registration> list;
    list.push_back(std::move(registration));
    node.registry->curated().add(std::move(list));
  }
  std::shared_ptr<NotingSink> start(std::string operation, std::string_view input = "{}",
                                    std::optional<std::chrono::milliseconds> timeout = {}) {
    auto sink = std::make_shared<NotingSink>();
    CallRequest request = TestNode::request(std::move(operation), json_message(input));
    request.timeout = timeout;
    handle = node.dispatcher->start(node.owner, std::move(request), sink);
    node.executor.run_ready();
    return sink;
  }
  Error error_in(std::string operation, std::string_view input = "{}") {
    return error_of([&] { node.call(operation, input); });
  }

  TestNode node;
  CallHandle handle;
};

inline Task<Message> sleep_an_hour(OperationContext&, Message input) {
  co_await sleep_for(std::chrono::hours(1));
  co_return input;
}

}  // namespace alknet::call
