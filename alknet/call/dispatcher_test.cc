#include "alknet/call/dispatcher.h"

#include "alknet/call/dispatcher_test_support.h"

namespace alknet::call {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(Dispatch, CallsAnOperationByItsNameWithOrWithoutASlash) {
  add(simple_operation("test/echo", echo));
  EXPECT_EQ(json_text(node.call("test/echo", R"({"a":1})")), R"({"a":1})");
  EXPECT_EQ(json_text(node.call("/test/echo", "[2]")), "[2]");
  EXPECT_EQ(start("/test/echo", "3")->said, "responded 3; ");
  EXPECT_EQ(node.dispatcher->running_calls(), 0U);
}

TEST_F(Dispatch, AnUnknownOrInternalOperationIsNotFound) {
  Registration internal = simple_operation("test/internal", echo);
  internal.spec.visibility = Visibility::kInternal;
  add(internal);
  EXPECT_EQ(error_in("test/internal").code(), CallError::kNotFound);
  EXPECT_EQ(error_in("test/none").code(), CallError::kNotFound);
  EXPECT_EQ(error_in("").code(), CallError::kNotFound);
  EXPECT_EQ(error_in("test/internal").message(), "there is no operation test/internal");
}

TEST_F(Dispatch, AccessIsCheckedBeforeTheInput) {
  Registration closed = with_schema(simple_operation("test/closed", echo), R"({"type":"object"})");
  closed.spec.access.required_scopes = {"secret"};
  add(closed);
  EXPECT_EQ(error_in("test/closed", "3").code(), CallError::kForbidden);
  Identity identity;
  identity.scopes = {"secret"};
  node.owner->set_identity(identity);
  EXPECT_EQ(error_in("test/closed", "3").code(), CallError::kInvalidInput);
}

TEST_F(Dispatch, ATokenReplacesTheIdentityOnlyWhereItResolves) {
  DispatcherOptions options;
  options.authenticate = [](std::string_view token) -> std::optional<Identity> {
    if (token != "good") return std::nullopt;
    Identity identity;
    identity.scopes = {"secret"};
    return identity;
  };
  TestNode guarded(std::move(options));
  Registration closed = simple_operation("test/closed", echo);
  closed.spec.access.required_scopes = {"secret"};
  guarded.registry->curated().add({closed});
  const auto with_token = [&](std::string token) {
    CallRequest request = TestNode::request("test/closed", {JsonObject{}, {}});
    request.auth_token = std::move(token);
    return code_of(
        [&] { run_until_done(guarded.executor, guarded.dispatcher->call(guarded.owner, std::move(request))); });
  };
  EXPECT_EQ(with_token("good"), "no error");
  EXPECT_EQ(with_token("bad"), "forbidden");
  EXPECT_EQ(with_token(""), "forbidden");
}

TEST_F(Dispatch, ARightToOneResourceIsNotARightToAnother) {
  Registration run = simple_operation("model/run", echo);
  run.spec.access.resource_type = "model";
  run.spec.access.resource_action = "run";
  run.spec.resource_id_path = "/model";
  add(run);
  Identity identity;
  identity.resources = {{"model:a", {"run"}}};
  node.owner->set_identity(identity);
  EXPECT_NO_THROW(node.call("model/run", R"({"model":"a"})"));
  for (const char* input : {R"({"model":"b"})", R"({"model":["a"]})", "{}", R"({"model":{"a":1}})", "[]"}) {
    EXPECT_EQ(error_in("model/run", input).code(), CallError::kForbidden) << input;
  }
}

TEST_F(Dispatch, InvalidInputNamesEveryViolation) {
  add(with_schema(
      simple_operation("test/typed", echo),
      R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["a","c"]})"));
  const Error error = error_in("test/typed", R"({"a":"x","b":2})");
  EXPECT_EQ(error.code(), CallError::kInvalidInput);
  EXPECT_EQ(error.details().at("violations").as_array().size(), 3U);
}

TEST_F(Dispatch, BytesReachTheHandlerAsBuffers) {
  add(with_schema(simple_operation("test/bytes",
                                   [](OperationContext&, Message input) -> Task<Message> {
                                     co_return Message{Json(attached_bytes(input, input.value.at("data")).size()), {}};
                                   }),
                  R"({"type":"object","properties":{"data":{"TypeDef:Bytes":true}}})"));
  EXPECT_EQ(node.call("test/bytes", R"({"data":"aGVsbG8="})"), Json(5));
  EXPECT_EQ(error_in("test/bytes", R"({"data":"?"})").code(), CallError::kInvalidInput);
  EXPECT_EQ(error_in("test/bytes", R"({"data":{"$bytes":0}})").code(), CallError::kInvalidInput);
  CallRequest request = TestNode::request("test/bytes", json_message(R"({"data":{"$bytes":77}})"));
  request.input.bytes = {SharedBytes::copy(std::string_view("abc"))};
  request.attachment_ids = {77};
  EXPECT_EQ(run_until_done(node.executor, node.dispatcher->call(node.owner, std::move(request))).value, Json(3));
}

TEST_F(Dispatch, AnAttachmentNumberThatDidNotComeIsInvalidInput) {
  bool ran = false;
  add(with_schema(simple_operation("test/bytes",
                                   [&](OperationContext&, Message) -> Task<Message> {
                                     ran = true;
                                     co_return Message{};
                                   }),
                  R"({"properties":{"a":{"TypeDef:Bytes":true},"b":{"TypeDef:Bytes":true}}})"));
  // Also where the number would be the index of a buffer, and where a base64 text adds one behind the attachments.
  for (const char* input : {R"({"b":{"$bytes":99}})", R"({"b":{"$bytes":0}})", R"({"a":"AA==","b":{"$bytes":99}})",
                            R"({"a":"AA==","b":{"$bytes":1}})"}) {
    CallRequest request = TestNode::request("test/bytes", json_message(input));
    request.input.bytes = {SharedBytes::copy(std::string_view("abc"))};
    request.attachment_ids = {77};
    const auto sink = std::make_shared<NotingSink>();
    node.dispatcher->start(node.owner, std::move(request), sink);
    node.executor.run_ready();
    EXPECT_EQ(sink->said, "failed INVALID_INPUT; ") << input;
    EXPECT_NE(sink->last.message.find("no attachment"), std::string::npos) << sink->last.message;
  }
  EXPECT_FALSE(ran);
}

TEST_F(Dispatch, DeclaredErrorsReachTheCallerAndOthersDoNot) {
  Registration declared = simple_operation("test/declared", [](OperationContext&, Message input) -> Task<Message> {
    const std::string kind(input.value.as_string());
    if (kind == "domain") throw domain_error("OUT_OF_PAPER", "no paper", JsonObject{{"tray", 2}}, true);
    if (kind == "other domain") throw domain_error("ON_FIRE", "burning", JsonObject{{"where", "here"}});
    if (kind == "layer") throw Error(BaseError::kOutOfMemory, "too big", JsonObject{{"bytes", 1}});
    if (kind == "other layer") throw Error(BaseError::kIoError, "disk", JsonObject{{"path", "x"}});
    if (kind == "protocol") throw Error(CallError::kResourceExhausted, "quota", JsonObject{{"limit", "x"}});
    throw std::runtime_error("secret text");
    co_return input;
  });
  declared.spec.errors = {{"OUT_OF_PAPER", "", JsonObject{}, 503}, {"OUT_OF_MEMORY", "", JsonObject{}, 507}};
  add(declared);
  const auto seen = [&](std::string_view kind) {
    return start("test/declared", json_text(Json(kind)))->last.to_json();
  };
  EXPECT_EQ(json_text(seen("domain")),
            R"({"code":"OUT_OF_PAPER","message":"no paper","retryable":true,"details":{"tray":2}})");
  EXPECT_EQ(
      json_text(seen("other domain")),
      R"({"code":"INTERNAL","message":"burning","retryable":false,"details":{"code":"ON_FIRE","details":{"where":"here"}}})");
  EXPECT_EQ(json_text(seen("layer")),
            R"({"code":"OUT_OF_MEMORY","message":"too big","retryable":false,"details":{"bytes":1}})");
  EXPECT_EQ(
      json_text(seen("other layer")),
      R"({"code":"INTERNAL","message":"disk","retryable":false,"details":{"code":"base.io_error","details":{"path":"x"}}})");
  EXPECT_EQ(json_text(seen("protocol")),
            R"({"code":"RESOURCE_EXHAUSTED","message":"quota","retryable":true,"details":{"limit":"x"}})");
  const std::string other = json_text(seen("throw"));
  EXPECT_EQ(other.find("secret"), std::string::npos) << other;
  EXPECT_NE(other.find("\"reference\""), std::string::npos) << other;
}

TEST_F(Dispatch, AnOutputThatBreaksItsSchemaIsTheHandlersFault) {
  add(with_schema(simple_operation("test/wrong", echo), "{}", R"({"type":"string"})"));
  EXPECT_EQ(error_in("test/wrong", "3").code(), CallError::kInternal);
  EXPECT_EQ(node.call("test/wrong", R"("x")"), Json("x"));
}

TEST_F(Dispatch, TheDeadlineAnswersWhetherOrNotTheHandlerStops) {
  add(simple_operation("test/slow", sleep_an_hour));
  Registration patient = simple_operation("test/patient", sleep_an_hour);
  patient.spec.default_timeout = seconds(90);
  add(patient);
  const auto usual = start("test/slow");
  const auto longer = start("test/patient");
  const auto asked = start("test/slow", "{}", milliseconds(5));
  EXPECT_EQ(node.dispatcher->running_calls(), 3U);
  node.executor.advance(milliseconds(5));
  EXPECT_EQ(asked->said, "failed TIMEOUT; ");
  EXPECT_TRUE(asked->last.retryable);
  node.executor.advance(seconds(30));
  EXPECT_EQ(usual->said, "failed TIMEOUT; ");
  node.executor.advance(seconds(60));
  EXPECT_EQ(longer->said, "failed TIMEOUT; ");
  EXPECT_EQ(node.dispatcher->running_calls(), 0U);
  EXPECT_EQ(node.executor.timers(), 0U);
}

TEST_F(Dispatch, AnAbortedCallSaysNothingMore) {
  add(simple_operation("test/slow", sleep_an_hour));
  const auto sink = start("test/slow");
  handle.abort();
  handle.abort();
  node.executor.advance(std::chrono::hours(2));
  EXPECT_EQ(sink->said, "");
  EXPECT_EQ(node.dispatcher->running_calls(), 0U);
  EXPECT_EQ(node.executor.timers(), 0U);
}

TEST_F(Dispatch, TheEndOfAnOwnerAbortsItsCallsAndDropsItsThings) {
  add(simple_operation("test/slow", sleep_an_hour));
  const auto sink = start("test/slow");
  node.owner->end();
  node.executor.run_ready();
  EXPECT_EQ(sink->said, "");
  EXPECT_EQ(node.owner->running_calls(), 0U);
  EXPECT_EQ(start("test/slow")->said, "failed TRANSPORT; ");
}

TEST_F(Dispatch, SubscriptionsGiveItemsThenComplete) {
  add(simple_subscription("test/count", [](OperationContext&, Message input) -> AsyncGenerator<Message> {
    for (std::int64_t i = 0; i < input.value.as_int64(); ++i) {
      co_await sleep_for(seconds(1));
      co_yield Message{Json(i), {}};
    }
  }));
  const auto sink = start("test/count", "2");
  node.executor.advance(seconds(60));
  EXPECT_EQ(sink->said, "responded 0; responded 1; completed; ");
  EXPECT_EQ(start("test/count", "0")->said, "completed; ");
  EXPECT_EQ(error_in("test/count", "1").code(), CallError::kInvalidOperationType);
}

TEST_F(Dispatch, ASubscriptionHasNoDeadlineUnlessAsked) {
  add(simple_subscription("test/forever", [](OperationContext&, Message) -> AsyncGenerator<Message> {
    while (true) {
      co_await sleep_for(seconds(100));
      co_yield Message{Json(1), {}};
    }
  }));
  const auto patient = start("test/forever");
  const auto hasty = start("test/forever", "{}", seconds(150));
  node.executor.advance(seconds(350));
  EXPECT_EQ(patient->said, "responded 1; responded 1; responded 1; ");
  EXPECT_EQ(hasty->said, "responded 1; failed TIMEOUT; ");
}

TEST_F(Dispatch, ASubscriptionWaitsForRoom) {
  struct FullSink final : CallSink {
    void responded(Message, const Operation&) override { ++items; }
    void completed() override { done = true; }
    void failed(const WireError&) override {}
    Task<void> room() override {
      while (items == allowed) {
        more = Completion<void>();
        co_await more.wait();
      }
    }
    int items = 0, allowed = 2;
    bool done = false;
    Completion<void> more;
  };
  int made = 0;
  add(simple_subscription("test/fast", [&](OperationContext&, Message) -> AsyncGenerator<Message> {
    for (; made < 5;) co_yield Message{Json(++made), {}};
  }));
  const auto sink = std::make_shared<FullSink>();
  node.dispatcher->start(node.owner, TestNode::request("test/fast", {}), sink);
  node.executor.run_ready();
  EXPECT_EQ(sink->items, 2);
  EXPECT_EQ(made, 2) << "nothing is made before there is room";
  sink->allowed = 100;
  sink->more.set_value();
  node.executor.run_ready();
  EXPECT_EQ(sink->items, 5);
  EXPECT_TRUE(sink->done);
}

TEST_F(Dispatch, AGeneratorThatIsDestroyedAbortsItsSubscription) {
  bool ended = false;
  struct Noting {
    bool& flag;
    ~Noting() { flag = true; }
  };
  add(simple_subscription("test/forever", [&](OperationContext&, Message) -> AsyncGenerator<Message> {
    const Noting noting{ended};
    for (std::int64_t i = 0;; ++i) {
      co_yield Message{Json(i), {}};
      co_await sleep_for(seconds(1));
    }
  }));
  const auto take_two = [](TestNode& on) -> Task<std::int64_t> {
    auto items = on.dispatcher->subscribe(on.owner, TestNode::request("test/forever", {}));
    auto first = co_await items.next();
    auto second = co_await items.next();
    co_return first->value.as_int64() + second->value.as_int64();
  };
  std::int64_t sum = -1;
  alknet::start(node.executor, take_two(node), [&](Outcome<std::int64_t> outcome) { sum = outcome.take(); });
  node.executor.advance(seconds(10));
  EXPECT_EQ(sum, 1);
  EXPECT_TRUE(ended);
  EXPECT_EQ(node.dispatcher->running_calls(), 0U);
}

TEST_F(Dispatch, LimitsOfAnOwnerHold) {
  add(simple_operation("test/slow", sleep_an_hour));
  add(simple_operation("test/echo", echo));
  OwnerLimits limits;
  limits.max_running_calls = 2;
  limits.max_calls_per_second = 4;
  node.owner = std::make_shared<Owner>(Owner::Kind::kConnection, "peer", std::nullopt, limits);
  start("test/slow");
  start("test/slow");
  const auto third = start("test/slow");
  EXPECT_EQ(third->last.details.at("limit"), "running_calls");
  EXPECT_TRUE(third->last.retryable);
  handle = {};
  node.owner->end();
  node.owner = std::make_shared<Owner>(Owner::Kind::kConnection, "peer", std::nullopt, limits);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(start("test/echo")->said, "responded {}; ");
  EXPECT_EQ(start("test/echo")->last.details.at("limit"), "calls_per_second");
  node.executor.advance(milliseconds(250));
  EXPECT_EQ(start("test/echo")->said, "responded {}; ");
  EXPECT_EQ(start("test/echo")->last.details.at("limit"), "calls_per_second");
}

TEST_F(Dispatch, ADrainingNodeTakesNoNewCallsAndEndsTheOld) {
  add(simple_operation("test/short", [](OperationContext&, Message input) -> Task<Message> {
    co_await sleep_for(seconds(1));
    co_return input;
  }));
  const auto before = start("test/short", "1");
  node.dispatcher->drain();
  EXPECT_EQ(start("test/short")->last.details.at("limit"), "draining");
  node.executor.advance(seconds(1));
  EXPECT_EQ(before->said, "responded 1; ");
}

TEST_F(Dispatch, ARunningCallKeepsTheOperationsItStartedWith) {
  Registration outer = simple_operation("test/outer", [](OperationContext& context, Message input) -> Task<Message> {
    co_await sleep_for(seconds(1));
    co_return co_await context.call("test/inner", std::move(input));
  });
  outer.environment = ScopedEnvironment({"test/inner"});
  node.registry->curated().add({outer, simple_operation("test/inner", echo)});
  const auto running = start("test/outer", "7");
  node.registry->curated().clear();
  node.executor.advance(seconds(1));
  EXPECT_EQ(running->said, "responded 7; ");
  EXPECT_EQ(start("test/outer")->said, "failed NOT_FOUND; ");
}

TEST_F(Dispatch, EveryEndIsRecordedOnce) {
  std::vector<std::string> records;
  DispatcherOptions options;
  options.on_finished = [&](const CallRecord& record) {
    records.push_back(std::string(record.operation) + " " + std::string(record.code));
  };
  TestNode recorded(std::move(options));
  recorded.registry->curated().add({simple_operation("test/echo", echo), simple_operation("test/slow", sleep_an_hour),
                                    with_schema(simple_operation("test/typed", echo), R"({"type":"string"})")});
  recorded.call("test/echo", "{}");
  EXPECT_THROW(recorded.call("test/none", "{}"), Error);
  const auto sink = std::make_shared<NotingSink>();
  const CallHandle running = recorded.dispatcher->start(recorded.owner, TestNode::request("test/slow", {}), sink);
  recorded.executor.run_ready();
  running.abort();
  recorded.dispatcher->start(recorded.owner, TestNode::request("test/none", {}), sink);
  recorded.dispatcher->start(recorded.owner, TestNode::request("/test/typed", json_message("1")), sink);
  EXPECT_THROW(recorded.call("test/typed", "1"), Error);
  EXPECT_EQ(records,
            (std::vector<std::string>{"test/echo ", "test/none NOT_FOUND", "test/slow ABORTED", "test/none NOT_FOUND",
                                      "test/typed INVALID_INPUT", "test/typed INVALID_INPUT"}));
}

}  // namespace
}  // namespace alknet::call
