#include "alknet/call/context.h"
#include "alknet/call/dispatcher_test_support.h"

// Calls that handlers make.

namespace alknet::call {
namespace {

using std::chrono::seconds;

Registration forwarding(std::string name, std::vector<std::string> reach, std::string callee,
                        NestedCallOptions options = {}) {
  Registration outer =
      simple_operation(std::move(name), [callee, options](OperationContext& context, Message input) -> Task<Message> {
        co_return co_await context.call(callee, std::move(input), options);
      });
  outer.environment = ScopedEnvironment(std::move(reach));
  return outer;
}

TEST_F(Dispatch, ANestedCallRunsUnderTheHandlersAuthorityNotTheCallers) {
  Registration inner = simple_operation("test/inner", [](OperationContext& context, Message) -> Task<Message> {
    EXPECT_TRUE(context.internal());
    EXPECT_EQ(context.identity()->id, "printer service");
    EXPECT_FALSE(context.parent_id().empty());
    co_return Message{Json("done"), {}};
  });
  inner.spec.visibility = Visibility::kInternal;
  inner.spec.access.required_scopes = {"print"};
  Registration outer = forwarding("test/outer", {"test/inner"}, "test/inner");
  outer.authority.id = "printer service";
  outer.authority.scopes = {"print"};
  Registration weak = forwarding("test/weak", {"test/inner"}, "test/inner");
  node.registry->curated().add({inner, outer, weak});
  EXPECT_EQ(node.call("test/outer", "{}"), Json("done"));
  Identity strong;
  strong.scopes = {"print"};
  node.owner->set_identity(strong);
  EXPECT_EQ(error_in("test/weak").code(), CallError::kForbidden) << "the caller's right does not flow inwards";
}

TEST_F(Dispatch, ANestedCallReachesOnlyTheScopedEnvironment) {
  node.registry->curated().add({simple_operation("test/inner", echo), forwarding("test/none", {}, "test/inner"),
                                forwarding("test/other", {"other/*"}, "test/inner"),
                                forwarding("test/some", {"test/*"}, "/test/inner")});
  EXPECT_EQ(error_in("test/none").code(), CallError::kNotFound);
  EXPECT_EQ(error_in("test/other").code(), CallError::kNotFound);
  EXPECT_NO_THROW(node.call("test/some", "{}"));
}

TEST_F(Dispatch, TheWholeTreeSharesOneDeadline) {
  node.registry->curated().add({simple_operation("test/slow", sleep_an_hour),
                                forwarding("test/one", {"*"}, "test/slow"), forwarding("test/two", {"*"}, "test/one")});
  const auto sink = start("test/two", "{}", seconds(3));
  EXPECT_EQ(node.dispatcher->running_calls(), 3U);
  node.executor.advance(seconds(3));
  EXPECT_EQ(sink->said, "failed TIMEOUT; ");
  EXPECT_EQ(node.dispatcher->running_calls(), 0U);
  EXPECT_EQ(node.executor.timers(), 0U);
}

TEST_F(Dispatch, ANestedTimeoutShortensAndNeverLengthens) {
  NestedCallOptions hasty;
  hasty.timeout = seconds(1);
  NestedCallOptions patient;
  patient.timeout = seconds(100);
  node.registry->curated().add({simple_operation("test/slow", sleep_an_hour),
                                forwarding("test/hasty", {"*"}, "test/slow", hasty),
                                forwarding("test/patient", {"*"}, "test/slow", patient)});
  const auto one = start("test/hasty", "{}", seconds(10));
  const auto two = start("test/patient", "{}", seconds(10));
  node.executor.advance(seconds(1));
  EXPECT_EQ(one->said, "failed TIMEOUT; ");
  node.executor.advance(seconds(9));
  EXPECT_EQ(two->said, "failed TIMEOUT; ");
}

TEST_F(Dispatch, AnAbortCascadesUnlessTheCallMayContinue) {
  int ended = 0;
  const auto noting = [&](OperationContext&, Message input) -> Task<Message> {
    co_await sleep_for(seconds(5));
    ++ended;
    co_return input;
  };
  NestedCallOptions detached;
  detached.abort_policy = AbortPolicy::kContinueRunning;
  node.registry->curated().add({simple_operation("test/work", noting), forwarding("test/bound", {"*"}, "test/work"),
                                forwarding("test/free", {"*"}, "test/work", detached)});
  start("test/bound");
  handle.abort();
  start("test/free");
  handle.abort();
  node.executor.advance(seconds(10));
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(node.dispatcher->running_calls(), 0U);
}

TEST_F(Dispatch, CapabilitiesPassOnlyByNameToWhoAcceptsThem) {
  const auto show = [](OperationContext& context, Message) -> Task<Message> {
    const auto token = context.capabilities().find("token");
    co_return Message{token ? Json(token->value()) : Json(nullptr), {}};
  };
  Registration accepting = simple_operation("test/accepting", show);
  accepting.accepted_capabilities = {"token"};
  NestedCallOptions passing;
  passing.pass_capabilities = {"token"};
  auto with_token = [](Registration registration) {
    registration.capabilities.add("token", std::make_shared<const Secret>("s3cret"));
    return registration;
  };
  node.registry->curated().add({accepting, simple_operation("test/plain", show),
                                with_token(forwarding("test/pass", {"*"}, "test/accepting", passing)),
                                with_token(forwarding("test/silent", {"*"}, "test/accepting")),
                                with_token(forwarding("test/wrong", {"*"}, "test/plain", passing)),
                                forwarding("test/poor", {"*"}, "test/accepting", passing)});
  EXPECT_EQ(node.call("test/pass", "{}"), Json("s3cret"));
  EXPECT_EQ(node.call("test/silent", "{}"), Json(nullptr));
  EXPECT_EQ(error_in("test/wrong").code(), CallError::kForbidden);
  EXPECT_EQ(error_in("test/poor").code(), CallError::kForbidden);
}

struct Kept final : Resource {
  std::uint64_t bytes() const override { return 8; }
  std::string_view kind() const override { return "thing"; }
};

TEST_F(Dispatch, HandlesOfNestedCallsDieUnlessTheAnswerReturnsThem) {
  const auto make = [](OperationContext& context, Message) -> Task<Message> {
    co_return Message{JsonObject{{"$tensor", context.add_resource(std::make_shared<Kept>())}}, {}};
  };
  Registration both = simple_operation("test/both", [](OperationContext& context, Message) -> Task<Message> {
    const Message kept = co_await context.call("test/make", {});
    co_await context.call("test/make", {});
    co_return kept;
  });
  both.environment = ScopedEnvironment({"test/make"});
  node.registry->curated().add({simple_operation("test/make", make), both});
  const Json answer = node.call("test/both", "{}");
  EXPECT_EQ(node.owner->resources().count(), 1U);
  EXPECT_NE(node.owner->resources().find(answer.at("$tensor").as_string()), nullptr);
  node.call("test/make", "{}");
  EXPECT_EQ(node.owner->resources().count(), 2U);
}

TEST_F(Dispatch, ALongCallForgetsHandlesThatItsNestedCallsLetGo) {
  std::size_t most = 0;
  const auto make = [](OperationContext& context, Message) -> Task<Message> {
    Message made{Json(context.add_resource(std::make_shared<Kept>())), {}};
    co_return made;
  };
  const auto drop = [](OperationContext& context, Message input) -> Task<Message> {
    context.resources().take(input.value.as_string());
    co_return input;
  };
  Registration all = simple_operation("test/all", [&](OperationContext& context, Message input) -> Task<Message> {
    const ResourceTable& table = context.resources();
    for (int i = 0; i < 1'000; ++i) {
      Message made = co_await context.call("test/make", {});
      co_await context.call("test/drop", std::move(made));
      most = std::max(most, table.temporary());
    }
    co_return input;
  });
  all.environment = ScopedEnvironment({"*"});
  node.registry->curated().add({simple_operation("test/make", make), simple_operation("test/drop", drop), all});
  node.call("test/all", "{}");
  EXPECT_EQ(most, 0U);
}

/// Answers as often as it is told, each time with a new handle of a nested call beside one that nobody gets.
TEST_F(Dispatch, WhatAnItemOfASubscriptionReturnsStaysWhenItEnds) {
  const auto make = [](OperationContext& context, Message) -> Task<Message> {
    Message made{JsonObject{{"$tensor", context.add_resource(std::make_shared<Kept>())}}, {}};
    co_return made;
  };
  Registration items;
  items.spec.name = "test/items";
  items.spec.type = OperationType::kSubscription;
  items.environment = ScopedEnvironment({"*"});
  items.handler = StreamHandler([](OperationContext& context, Message) -> AsyncGenerator<Message> {
    for (int i = 0; i < 2; ++i) {
      Message kept = co_await context.call("test/make", {});
      co_await context.call("test/make", {});
      co_yield std::move(kept);
    }
  });
  node.registry->curated().add({simple_operation("test/make", make), items});
  start("test/items");
  EXPECT_EQ(node.owner->resources().count(), 2U);
}

TEST_F(Dispatch, AnOwnerThatKeepsNothingIsRefusedHandles) {
  add(simple_operation("test/make", [](OperationContext& context, Message) -> Task<Message> {
    co_return Message{Json(context.add_resource(std::make_shared<Kept>())), {}};
  }));
  node.owner = std::make_shared<Owner>(Owner::Kind::kRequest, "http", std::nullopt);
  EXPECT_EQ(error_in("test/make").code(), CallError::kInvalidInput);
}

TEST_F(Dispatch, ACallAsTheCallerPassesEveryGateAgain) {
  Registration closed = simple_operation("test/closed", echo);
  closed.spec.access.required_scopes = {"secret"};
  Registration submit = simple_operation("test/submit", [](OperationContext& context, Message input) -> Task<Message> {
    const std::string operation(input.value.as_string());
    co_return co_await context.call_as_caller(operation, {});
  });
  submit.authority.scopes = {"secret"};
  node.registry->curated().add({closed, submit, forwarding("test/nested", {"*"}, "test/submit")});
  EXPECT_EQ(error_in("test/submit", R"("test/closed")").code(), CallError::kForbidden);
  EXPECT_EQ(error_in("test/nested", R"("test/closed")").code(), CallError::kForbidden);
  Identity identity;
  identity.scopes = {"secret"};
  node.owner->set_identity(identity);
  EXPECT_NO_THROW(node.call("test/submit", R"("test/closed")"));
}

TEST_F(Dispatch, ANestedCallAsTheCallerMayWhatTheCallingHandlerMayAndNoMore) {
  const auto who = [](OperationContext& context, Message) -> Task<Message> {
    EXPECT_TRUE(context.internal());
    EXPECT_EQ(context.find_visible("test/outside"), nullptr);
    Message answer{Json(context.identity()->id), {}};
    co_return answer;
  };
  Registration submit = simple_operation("test/submit", [](OperationContext& context, Message input) -> Task<Message> {
    const std::string operation(input.value.as_string());
    EXPECT_EQ(context.find_visible(operation) != nullptr, operation == "test/open" || operation == "test/inner");
    EXPECT_FALSE(context.visible_operations().contains("test/outside"));
    co_return co_await context.call_as_caller(operation, {});
  });
  submit.environment = ScopedEnvironment({"*"});
  submit.authority = Identity::local_program();
  Registration closed = simple_operation("test/closed", echo);
  closed.spec.access.required_scopes = {"secret"};
  Registration inner = simple_operation("test/inner", who);
  inner.spec.visibility = Visibility::kInternal;
  Registration session =
      forwarding("test/session", {"test/open", "test/closed", "test/inner", "test/submit"}, "test/submit");
  session.authority.id = "the session";
  node.registry->curated().add(
      {submit, closed, inner, simple_operation("test/open", who), simple_operation("test/outside", echo), session});
  node.owner->set_identity(Identity::local_program());
  EXPECT_EQ(node.call("test/session", R"("test/open")"), Json("the session"));
  EXPECT_EQ(node.call("test/session", R"("test/inner")"), Json("the session")) << "as its handler could itself";
  EXPECT_EQ(error_in("test/session", R"("test/outside")").code(), CallError::kNotFound);
  EXPECT_EQ(error_in("test/session", R"("test/closed")").code(), CallError::kForbidden);
}

TEST_F(Dispatch, ACallMadeAsTheCallerEndsWithWhatMadeIt) {
  Registration submit = simple_operation("test/submit", [](OperationContext& context, Message) -> Task<Message> {
    co_return co_await context.call_as_caller("test/slow", {});
  });
  NestedCallOptions hasty;
  hasty.timeout = seconds(1);
  node.registry->curated().add(
      {simple_operation("test/slow", sleep_an_hour), submit, forwarding("test/session", {"*"}, "test/submit", hasty)});
  const auto sink = start("test/session", "{}", seconds(100));
  EXPECT_EQ(node.dispatcher->running_calls(), 3U);
  node.executor.advance(seconds(1));
  EXPECT_EQ(sink->said, "failed TIMEOUT; ");
  EXPECT_EQ(node.dispatcher->running_calls(), 0U);
}

/// An operation that lets the test start calls for it, as the host of a sandbox does.
struct Sandboxed {
  OperationContext* context = nullptr;
  Registration registration(std::vector<std::string> reach) {
    Registration made = simple_operation("test/sandboxed", [this](OperationContext& running, Message) -> Task<Message> {
      context = &running;
      co_await sleep_for(std::chrono::hours(1));
      co_return Message{};
    });
    made.environment = ScopedEnvironment(std::move(reach));
    made.authority.id = "session";
    return made;
  }
};

TEST_F(Dispatch, ACallStartedForARunningOneIsNested) {
  Sandboxed sandbox;
  Registration inner = simple_operation("test/inner", [](OperationContext& context, Message input) -> Task<Message> {
    EXPECT_TRUE(context.internal());
    EXPECT_EQ(context.identity()->id, "session");
    EXPECT_TRUE(context.capabilities().empty());
    co_return input;
  });
  inner.spec.visibility = Visibility::kInternal;
  node.registry->curated().add({inner, simple_operation("test/hidden", echo), sandbox.registration({"test/inner"})});
  const auto outside = start("test/sandboxed");
  const auto sink = std::make_shared<NotingSink>();
  sandbox.context->start(TestNode::request("test/inner", json_message("{\"a\":1}")), sink);
  node.executor.run_ready();
  EXPECT_EQ(sink->said, "responded {\"a\":1}; ");
  EXPECT_EQ(code_of([&] { sandbox.context->start(TestNode::request("test/hidden", json_message("{}")), sink); }),
            "not_found");
  handle.abort();
}

TEST_F(Dispatch, ACallStartedForAnotherEndsWithItAndItsDeadline) {
  Sandboxed sandbox;
  node.registry->curated().add({simple_operation("test/slow", sleep_an_hour), sandbox.registration({"*"})});
  const auto outside = start("test/sandboxed", "{}", seconds(3));
  const auto sink = std::make_shared<NotingSink>();
  sandbox.context->start(TestNode::request("test/slow", json_message("{}")), sink);
  node.executor.advance(seconds(3));
  EXPECT_EQ(outside->said, "failed TIMEOUT; ");
  EXPECT_TRUE(sink->said == "failed TIMEOUT; " || sink->said == "failed INTERNAL; ") << sink->said;
  EXPECT_EQ(node.dispatcher->running_calls(), 0U);
  EXPECT_EQ(node.executor.timers(), 0U);
}

}  // namespace
}  // namespace alknet::call
