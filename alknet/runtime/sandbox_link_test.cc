#include "alknet/runtime/sandbox_link.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/call/local_link.h"

// The parent rule, with a helper in this process that does as the test says.

namespace alknet::runtime {
namespace {

using call::CallError;
using call::OperationContext;
using call::Registration;
using std::chrono::seconds;

/// A host with a session operation whose script may reach `math/*`, and the other end of its link.
class Parents : public testing::Test {
 protected:
  Parents() {
    auto [near, far] = call::make_local_link(host.executor);
    link = SandboxLink::open(host.executor, std::move(near), {});
    call::ConnectionOptions options;
    options.sandbox_link = true;
    helper_registry->curated().add({call::simple_subscription(
        "helper/work", [this](OperationContext& context, Message) { return work(context); })});
    helper_dispatcher = std::make_unique<call::Dispatcher>(host.executor, helper_registry);
    helper = call::Connection::open(host.executor, std::move(far), helper_dispatcher.get(), nullptr, options);

    Registration described = call::simple_subscription(
        "helper/work", [](OperationContext&, Message) { return AsyncGenerator<Message>(nothing()); });
    const auto known = std::make_shared<const call::Operation>(described);
    Registration session =
        call::simple_subscription("host/session", [this, known](OperationContext& context, Message input) {
          return link->ask(context, known, std::move(input));
        });
    session.authority.id = "session";
    session.authority.scopes = {"math"};
    session.environment = call::ScopedEnvironment({"math/*"});
    Registration add =
        call::simple_operation("math/add", [this](OperationContext& context, Message input) -> Task<Message> {
          callers.push_back(context.identity() ? context.identity()->id : "nobody");
          internal = context.internal();
          remaining = context.remaining();
          co_return input;
        });
    add.spec.access.required_scopes = {"math"};
    Registration secret = call::simple_operation("secret/read", call::echo);
    Registration slow = call::simple_operation("math/slow", [this](OperationContext&, Message input) -> Task<Message> {
      struct Count {
        int& ended;
        ~Count() { ++ended; }
      } count{slow_ended};
      co_await sleep_for(std::chrono::hours(1));
      co_return input;
    });
    host.registry->curated().add({session, add, secret, slow});
  }
  ~Parents() override {
    helper->close();
    link->connection().close();
    host.executor.run_ready();
  }

  struct Sink final : call::CallSink {
    void responded(Message, const call::Operation&) override {}
    void completed() override {}
    void failed(const call::WireError& error) override { code = error.code; }
    std::string code;
  };

  static AsyncGenerator<Message> nothing() { co_return; }

  AsyncGenerator<Message> work(OperationContext& context) {
    wire_id = context.request_id();
    co_yield Message{Json("ready"), {}};
    co_await sleep_for(std::chrono::hours(2));
  }

  /// Starts the session; then the helper knows its root.
  void begin(std::optional<std::chrono::milliseconds> timeout = {}) {
    auto request = call::TestNode::request("host/session", {JsonObject{}, {}});
    request.timeout = timeout;
    sink = std::make_shared<Sink>();
    root = host.dispatcher->start(host.owner, std::move(request), sink);
    host.executor.run_ready();
    ASSERT_FALSE(wire_id.empty());
  }

  /// The code with which a call of the helper ends; "no error" when it is answered.
  std::string code_of_call(std::string operation, std::optional<std::string> parent) {
    call::CallOptions options;
    options.parent = std::move(parent);
    Message input{JsonObject{{"a", 1}}, {}};
    return code_of(
        [&] { run_until_done(host.executor, helper->call(std::move(operation), std::move(input), options)); });
  }

  call::TestNode host;
  std::shared_ptr<call::Registry> helper_registry = std::make_shared<call::Registry>();
  std::unique_ptr<call::Dispatcher> helper_dispatcher;
  std::shared_ptr<SandboxLink> link;
  std::shared_ptr<call::Connection> helper;
  call::CallHandle root;
  std::shared_ptr<Sink> sink;
  std::string wire_id;
  std::vector<std::string> callers;
  bool internal = false;
  std::optional<std::chrono::milliseconds> remaining;
  int slow_ended = 0;
};

TEST_F(Parents, ACallOfTheHelperIsNestedInTheCallThatItNames) {
  begin(seconds(10));
  EXPECT_EQ(code_of_call("math/add", wire_id), "no error");
  EXPECT_EQ(callers, std::vector<std::string>{"session"});
  EXPECT_TRUE(internal);
  ASSERT_TRUE(remaining);
  EXPECT_LE(*remaining, seconds(10)) << "the deadline of the whole";
}

TEST_F(Parents, AForgedOrMissingParentIsForbidden) {
  begin();
  for (const std::string& forged : {std::string("h1"), wire_id + "0", std::string("session"), std::string()}) {
    EXPECT_EQ(code_of_call("math/add", forged), "forbidden") << forged;
  }
  EXPECT_EQ(code_of_call("math/add", std::nullopt), "forbidden");
  EXPECT_TRUE(callers.empty());
}

TEST_F(Parents, AParentCountsOnlyWhileItRuns) {
  begin();
  root.abort();
  host.executor.run_ready();
  EXPECT_EQ(code_of_call("math/add", wire_id), "forbidden");
}

TEST_F(Parents, AParentOfAnotherLinkIsForbidden) {
  Parents::begin();
  auto [near, far] = call::make_local_link(host.executor);
  const auto other = SandboxLink::open(host.executor, std::move(near), {});
  call::ConnectionOptions options;
  options.sandbox_link = true;
  const auto stranger = call::Connection::open(host.executor, std::move(far), nullptr, nullptr, options);
  call::CallOptions with;
  with.parent = wire_id;
  EXPECT_EQ(code_of([&] {
              run_until_done(host.executor, stranger->call("math/add", {JsonObject{}, {}}, with));
            }),
            "forbidden");
  stranger->close();
  other->connection().close();
  host.executor.run_ready();
}

TEST_F(Parents, OnlyTheScopedEnvironmentIsReached) {
  begin();
  EXPECT_EQ(code_of_call("secret/read", wire_id), "not_found");
  EXPECT_EQ(code_of_call("math/none", wire_id), "not_found");
}

TEST_F(Parents, CallsEndWithTheirParent) {
  begin();
  call::CallOptions options;
  options.parent = wire_id;
  std::string code = "none";
  start(host.executor, helper->call("math/slow", {JsonObject{}, {}}, options),
        [&](Outcome<Message> outcome) { code = code_of([&] { outcome.take(); }); });
  host.executor.run_ready();
  EXPECT_EQ(slow_ended, 0);
  root.abort();
  host.executor.run_ready();
  EXPECT_EQ(slow_ended, 1);
  EXPECT_EQ(code, "internal");
  EXPECT_EQ(host.dispatcher->running_calls(), 0U);
}

TEST_F(Parents, ALostHelperFailsWhatItRan) {
  link->set_on_loss([](const Error&) { return Error(CallError::kResourceExhausted, "[test] killed"); });
  begin();
  helper->close();
  host.executor.run_ready();
  EXPECT_TRUE(link->connection().closed());
  EXPECT_EQ(sink->code, "RESOURCE_EXHAUSTED");
  EXPECT_EQ(host.dispatcher->running_calls(), 0U);
}

TEST_F(Parents, AnAbandonedCallIsNoticed) {
  int abandoned = 0;
  link->set_on_abandoned([&] { ++abandoned; });
  begin(seconds(1));
  host.executor.advance(seconds(1));
  EXPECT_EQ(abandoned, 1);
}

}  // namespace
}  // namespace alknet::runtime
