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

}  // namespace alknet::call
