#include "alknet/call/connection.h"

#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/call/discovery.h"
#include "alknet/call/local_link.h"

namespace alknet::call {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Two nodes joined in memory; each serves what the test registers.
class Pair {
 public:
  explicit Pair(const LocalLinkOptions& link = {}, const ConnectionOptions& options = {}) {
    near_registry->curated().add(discovery_operations());
    far_registry->curated().add(discovery_operations());
    auto [a, b] = make_local_link(executor, link);
    near = Connection::open(executor, std::move(a), &near_dispatcher, nullptr, options);
    far = Connection::open(executor, std::move(b), &far_dispatcher, nullptr, options);
  }
  ~Pair() {
    near.reset();
    far.reset();
    executor.run_ready();
  }

  void serve(Registration registration) {
    std::vector<Registration> one;
    one.push_back(std::move(registration));
    far_registry->curated().add(std::move(one));
  }

  Message call(std::string operation, Message input = {JsonObject{}, {}}, CallOptions options = {}) {
    return run_until_done(executor, near->call(std::move(operation), std::move(input), std::move(options)));
  }

  ManualExecutor executor;
  std::shared_ptr<Registry> near_registry = std::make_shared<Registry>();
  std::shared_ptr<Registry> far_registry = std::make_shared<Registry>();
  Dispatcher near_dispatcher{executor, near_registry};
  Dispatcher far_dispatcher{executor, far_registry};
  std::shared_ptr<Connection> near;
  std::shared_ptr<Connection> far;
};

class EveryLink : public ::testing::TestWithParam<LocalLinkOptions> {};

TEST_P(EveryLink, CarriesACallAndItsAnswer) {
  Pair pair(GetParam());
  pair.serve(simple_operation("test/echo", echo));
  EXPECT_EQ(pair.call("test/echo", json_message(R"({"a":[1,2.5,"é"]})")).value, parse_json(R"({"a":[1,2.5,"é"]})"));
  EXPECT_EQ(pair.call("/test/echo", json_message("{}")).value, parse_json("{}"));
}

TEST_P(EveryLink, CallsInBothDirections) {
  Pair pair(GetParam());
  std::vector<Registration> one;
  one.push_back(simple_operation("near/name", [](OperationContext&, Message) -> Task<Message> {
    co_return Message{Json("near"), {}};
  }));
  pair.near_registry->curated().add(std::move(one));
  EXPECT_EQ(run_until_done(pair.executor, pair.far->call("near/name", {})).value, Json("near"));
}

TEST_P(EveryLink, TellsTheCallerWhatWentWrong) {
  Pair pair(GetParam());
  pair.serve(simple_operation("test/fail", [](OperationContext&, Message) -> Task<Message> {
    throw Error(CallError::kForbidden, "not you", JsonObject{{"required", "a"}});
    co_return Message{};
  }));
  const Error error = error_of([&] { pair.call("test/fail"); });
  EXPECT_EQ(error.code_name(), "forbidden");
  EXPECT_EQ(error.message(), "not you");
  EXPECT_EQ(error.details(), parse_json(R"({"required":"a"})"));
  EXPECT_EQ(code_of([&] { pair.call("test/none"); }), "not_found");
}

AsyncGenerator<Message> count_to(OperationContext&, Message input) {
  const auto last = input.value.at("to").as_int64();
  for (std::int64_t i = 1; i <= last; ++i) co_yield Message{Json(i), {}};
}

/// Reads a subscription to its end and adds the numbers up.
Task<std::int64_t> sum_of(AsyncGenerator<Message> items) {
  std::int64_t sum = 0;
  while (auto item = co_await items.next()) sum += item->value.as_int64();
  co_return sum;
}

TEST_P(EveryLink, CarriesASubscriptionToItsEnd) {
  Pair pair(GetParam());
  pair.serve(simple_subscription("test/count", count_to));
  EXPECT_EQ(run_until_done(pair.executor, sum_of(pair.near->subscribe("test/count", json_message(R"({"to":100})")))),
            5050);
  EXPECT_EQ(pair.near->stats().pending_calls, 0U);
  EXPECT_EQ(pair.far->stats().running_calls, 0U);
}

TEST_P(EveryLink, NegotiatesFeaturesAndCarriesBytes) {
  Pair pair(GetParam());
  pair.serve(simple_operation("test/echo", echo));
  EXPECT_EQ(pair.near->features(), Features{});
  const Message list = run_until_done(pair.executor, pair.near->negotiate());
  EXPECT_EQ(list.value.at("operations").as_array().size(), 3U);
  EXPECT_EQ(pair.near->features(), Features::all());
  EXPECT_EQ(pair.far->features(), Features::all());

  Message input{JsonObject{}, {}};
  input.value.as_object()["large"] = attach_bytes(input, SharedBytes::copy(std::string(3'000'000, 'x')));
  input.value.as_object()["small"] = attach_bytes(input, SharedBytes::copy("y"));
  const auto operation = simple_operation("test/bytes", [](OperationContext&, Message in) -> Task<Message> {
    co_return Message{JsonObject{{"sizes", JsonArray{in.bytes.at(0).size(), in.bytes.at(1).size()}},
                                 {"back", JsonObject{{"$bytes", 0}}}},
                      {in.bytes.at(1)}};
  });
  Registration typed = operation;
  typed.spec.input_schema =
      parse_json(R"({"properties":{"large":{"TypeDef:Bytes":true},"small":{"TypeDef:Bytes":true}}})");
  typed.spec.output_schema = parse_json(R"({"properties":{"back":{"TypeDef:Bytes":true}}})");
  pair.serve(std::move(typed));
  const Message output = pair.call("test/bytes", input);
  EXPECT_EQ(output.value, parse_json(R"({"sizes":[3000000,1],"back":{"$bytes":0}})"));
  ASSERT_EQ(output.bytes.size(), 1U);
  EXPECT_EQ(output.bytes[0].text(), "y");
  EXPECT_EQ(pair.near->stats().bytes_in_flight, 0U);
  EXPECT_EQ(pair.near->stats().bytes_unsent, 0U);
}

TEST_P(EveryLink, GivesAPlainPeerBase64) {
  Pair pair(GetParam());
  Registration typed = simple_operation("test/bytes", [](OperationContext&, Message in) -> Task<Message> {
    co_return Message{JsonObject{{"back", JsonObject{{"$bytes", 0}}}}, {in.bytes.at(0)}};
  });
  typed.spec.input_schema = parse_json(R"({"properties":{"data":{"TypeDef:Bytes":true}}})");
  typed.spec.output_schema = parse_json(R"({"properties":{"back":{"TypeDef:Bytes":true}}})");
  const auto known = std::make_shared<const Operation>(typed);
  pair.serve(std::move(typed));
  Message input{parse_json(R"({"data":{"$bytes":0}})"), {SharedBytes::copy("bytes")}};
  EXPECT_EQ(pair.call("test/bytes", input).value, parse_json(R"({"back":"Ynl0ZXM="})"));
  CallOptions options;
  options.known = known;
  const Message output = pair.call("test/bytes", input, options);
  EXPECT_EQ(output.value, parse_json(R"({"back":{"$bytes":0}})"));
  EXPECT_EQ(output.bytes.at(0).text(), "bytes");
}

TEST_P(EveryLink, HoldsASubscriptionWhoseReaderIsSlow) {
  ConnectionOptions options;
  options.limits.queue_items = 8;
  auto link = GetParam();
  link.high_water = 2'000;
  Pair pair(link, options);
  run_until_done(pair.executor, pair.near->negotiate());
  std::int64_t made = 0;
  pair.serve(simple_subscription("test/endless", [&](OperationContext&, Message) -> AsyncGenerator<Message> {
    while (true) co_yield Message{Json(++made), {}};
  }));
  auto items = pair.near->subscribe("test/endless", {});
  for (std::int64_t expected = 1; expected <= 200; ++expected) {
    const auto next = [&]() -> Task<Message> { co_return *co_await items.next(); };
    EXPECT_EQ(run_until_done(pair.executor, next()).value, Json(expected));
    EXPECT_LE(made, expected + 60) << "the handler runs ahead of its reader";
  }
}

/// A handler that waits until it is stopped, and says so.
Registration waiting_operation(std::string name, bool& stopped) {
  return simple_operation(std::move(name), [&stopped](OperationContext&, Message) -> Task<Message> {
    struct AtEnd {
      bool& flag;
      ~AtEnd() { flag = true; }
    } const at_end{stopped};
    co_await sleep_for(std::chrono::hours(1));
    co_return Message{};
  });
}

TEST_P(EveryLink, AbortsTheHandlerWhenTheCallerGivesUp) {
  Pair pair(GetParam());
  bool stopped = false;
  pair.serve(waiting_operation("test/wait", stopped));
  std::stop_source stop;
  std::string code;
  start(
      pair.executor, pair.near->call("test/wait", {}),
      [&](Outcome<Message> outcome) { code = code_of([&] { outcome.take(); }); }, stop.get_token());
  pair.executor.run_ready();
  EXPECT_EQ(pair.far->stats().running_calls, 1U);
  stop.request_stop();
  pair.executor.run_ready();
  EXPECT_EQ(code, "aborted");
  EXPECT_TRUE(stopped);
  EXPECT_EQ(pair.far->stats().running_calls, 0U);
}

TEST_P(EveryLink, ADroppedSubscriptionStopsItsHandler) {
  Pair pair(GetParam());
  bool stopped = false;
  pair.serve(simple_subscription("test/wait", [&](OperationContext&, Message) -> AsyncGenerator<Message> {
    struct AtEnd {
      bool& flag;
      ~AtEnd() { flag = true; }
    } const at_end{stopped};
    co_yield Message{Json(1), {}};
    co_await sleep_for(std::chrono::hours(1));
  }));
  {
    auto items = pair.near->subscribe("test/wait", {});
    const auto next = [&]() -> Task<Message> { co_return *co_await items.next(); };
    run_until_done(pair.executor, next());
    EXPECT_FALSE(stopped);
  }
  pair.executor.run_ready();
  EXPECT_TRUE(stopped);
}

TEST_P(EveryLink, EndsACallAtItsDeadline) {
  Pair pair(GetParam());
  bool stopped = false;
  pair.serve(waiting_operation("test/wait", stopped));
  std::string code;
  CallOptions options;
  options.timeout = milliseconds(250);
  start(pair.executor, pair.near->call("test/wait", {}, options),
        [&](Outcome<Message> outcome) { code = code_of([&] { outcome.take(); }); });
  pair.executor.advance(milliseconds(249));
  EXPECT_EQ(code, "");
  pair.executor.advance(milliseconds(1));
  EXPECT_EQ(code, "timeout");
  EXPECT_TRUE(stopped);
  start(pair.executor, pair.near->call("test/wait", {}),
        [&](Outcome<Message> outcome) { code = code_of([&] { outcome.take(); }); });
  pair.executor.advance(seconds(29));
  EXPECT_EQ(pair.near->stats().pending_calls, 1U);
  pair.executor.advance(seconds(1));
  EXPECT_EQ(pair.near->stats().pending_calls, 0U);
}

TEST_P(EveryLink, FailsWhatIsPendingWhenTheConnectionIsLost) {
  Pair pair(GetParam());
  bool stopped = false;
  pair.serve(waiting_operation("test/wait", stopped));
  std::vector<std::string> ends;
  for (int i = 0; i < 2; ++i) {
    start(pair.executor, pair.near->call("test/wait", {}), [&](Outcome<Message> outcome) {
      const Error error = error_of([&] { outcome.take(); });
      ends.push_back(error.code_name() + ": " + error.message());
    });
  }
  int closed = 0;
  pair.near->on_close([&](const Error&) { ++closed; });
  pair.far->on_close([&](const Error&) { ++closed; });
  pair.executor.run_ready();
  pair.far->close();
  pair.executor.run_ready();
  EXPECT_EQ(ends, (std::vector<std::string>(2, "internal: connection closed")));
  EXPECT_TRUE(stopped);
  EXPECT_EQ(closed, 2);
  EXPECT_TRUE(pair.near->closed() && pair.near->owner()->ended());
  EXPECT_EQ(code_of([&] { pair.call("test/wait"); }), "internal");
  pair.near->on_close([&](const Error&) { ++closed; });
  pair.executor.run_ready();
  EXPECT_EQ(closed, 3) << "also when it is closed already";
}

TEST_P(EveryLink, IsGoneWhenItsFarewellHasLeft) {
  Pair pair(GetParam());
  bool closed = false;
  bool ended = false;
  pair.near->on_close([&](const Error& reason) {
    EXPECT_EQ(reason.message(), "closed") << "by us, whatever the transport says then";
    closed = true;
  });
  start(pair.executor, pair.near->call("test/none", {}), [&](const Outcome<Message>&) { ended = true; });
  pair.executor.run_ready();
  pair.near->close();
  EXPECT_TRUE(pair.near->closed() && pair.near->owner()->ended());
  EXPECT_FALSE(closed);
  pair.executor.run_ready();
  EXPECT_TRUE(closed && ended);
}

TEST_P(EveryLink, DrainsBeforeItCloses) {
  Pair pair(GetParam());
  Completion<void> go_on;
  pair.serve(simple_operation("test/slow", [&](OperationContext&, Message) -> Task<Message> {
    co_await go_on.wait();
    co_return Message{Json("done"), {}};
  }));
  std::string answer;
  start(pair.executor, pair.near->call("test/slow", {}),
        [&](Outcome<Message> outcome) { answer = outcome.ok() ? json_text(outcome.take().value) : "failed"; });
  pair.executor.run_ready();
  pair.far->drain(seconds(10));
  const Error refused = error_of([&] { pair.call("test/slow"); });
  EXPECT_EQ(refused.code_name(), "resource_exhausted");
  EXPECT_EQ(refused.details(), parse_json(R"({"limit":"draining"})"));
  EXPECT_FALSE(pair.near->closed());
  go_on.set_value();
  pair.executor.run_ready();
  EXPECT_EQ(answer, "\"done\"");
  EXPECT_TRUE(pair.near->closed());
}

TEST_P(EveryLink, DrainingEndsAtItsLimit) {
  Pair pair(GetParam());
  bool stopped = false;
  pair.serve(waiting_operation("test/wait", stopped));
  std::string code;
  start(pair.executor, pair.near->call("test/wait", {}),
        [&](Outcome<Message> outcome) { code = code_of([&] { outcome.take(); }); });
  pair.executor.run_ready();
  pair.far->drain(seconds(10));
  pair.executor.advance(seconds(9));
  EXPECT_EQ(code, "");
  pair.executor.advance(seconds(1));
  EXPECT_EQ(code, "internal");
}

INSTANTIATE_TEST_SUITE_P(Links, EveryLink,
                         ::testing::Values(LocalLinkOptions{}, LocalLinkOptions{.multiplexed = true},
                                           LocalLinkOptions{.framing = Framing::kMessage}));

TEST(Connection, APeerWithoutFeaturesIsPlain) {
  ManualExecutor executor;
  auto [a, b] = make_local_link(executor);
  Registration list = simple_operation("services/list", [](OperationContext&, Message) -> Task<Message> {
    co_return Message{parse_json(R"({"operations":[]})"), {}};
  });
  list.spec.input_schema = parse_json(R"({"type":"object","additionalProperties":false})");
  const auto registry = std::make_shared<Registry>();
  std::vector<Registration> one;
  one.push_back(std::move(list));
  registry->curated().add(std::move(one));
  Dispatcher dispatcher(executor, registry);
  const auto far = Connection::open(executor, std::move(b), &dispatcher, nullptr);
  const auto near = Connection::open(executor, std::move(a), nullptr, nullptr);
  EXPECT_EQ(run_until_done(executor, near->negotiate()).value, parse_json(R"({"operations":[]})"));
  EXPECT_EQ(near->features(), Features{});
  EXPECT_EQ(code_of([&] { run_until_done(executor, far->call("a/b", {})); }), "not_found") << "near serves nothing";
}

TEST(Connection, KnownOperationsAreCheckedBeforeTheyAreSent) {
  Pair pair;
  CallOptions options;
  options.known = std::make_shared<const Operation>(simple_subscription("test/count", count_to));
  EXPECT_EQ(code_of([&] { pair.call("test/count", {}, options); }), "invalid_operation_type");
  options.known = std::make_shared<const Operation>(simple_operation("test/echo", echo));
  EXPECT_EQ(code_of([&] { run_until_done(pair.executor, sum_of(pair.near->subscribe("test/echo", {}, options))); }),
            "invalid_operation_type");
  EXPECT_EQ(pair.near->stats().requests_sent, 0U);
}

TEST(Connection, HandsRequestsWithAParentToItsHostOnASandboxLink) {
  ManualExecutor executor;
  const auto registry = std::make_shared<Registry>();
  std::vector<Registration> one;
  one.push_back(simple_operation("test/echo", echo));
  registry->curated().add(std::move(one));
  Dispatcher dispatcher(executor, registry);
  auto [a, b] = make_local_link(executor);
  ConnectionOptions host_options;
  host_options.sandbox_link = true;
  std::vector<std::string> parents;
  std::shared_ptr<Connection> host;
  host_options.start_nested = [&](std::string_view parent, CallRequest request, std::shared_ptr<CallSink> sink) {
    parents.emplace_back(parent);
    if (parent != "session-1") throw Error(CallError::kForbidden, "no such request runs");
    return dispatcher.start(host->owner(), std::move(request), std::move(sink));
  };
  host = Connection::open(executor, std::move(a), &dispatcher, nullptr, host_options);
  ConnectionOptions helper_options;
  helper_options.sandbox_link = true;
  const auto helper = Connection::open(executor, std::move(b), nullptr, nullptr, helper_options);
  EXPECT_EQ(helper->features(), Features::all()) << "from the start";
  CallOptions options;
  options.parent = "session-1";
  std::string id;
  options.on_id = [&](const std::string& given) { id = given; };
  EXPECT_EQ(run_until_done(executor, helper->call("test/echo", {Json(1), {}}, options)).value, Json(1));
  EXPECT_EQ(id.size(), 18U) << "16 digits, a dash and a number";
  options.parent = "other";
  EXPECT_EQ(code_of([&] { run_until_done(executor, helper->call("test/echo", {Json(1), {}}, options)); }), "forbidden");
  EXPECT_EQ(parents, (std::vector<std::string>{"session-1", "other"}));
}

TEST(Connection, ClosesWhenItsLastReferenceGoes) {
  Pair pair;
  int closed = 0;
  pair.far->on_close([&](const Error&) { ++closed; });
  pair.near.reset();
  pair.executor.run_ready();
  EXPECT_EQ(closed, 1);
  EXPECT_EQ(pair.executor.timers(), 0U);
}

}  // namespace
}  // namespace alknet::call
