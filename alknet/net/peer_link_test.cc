#include "alknet/net/peer_link.h"

#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/call/discovery.h"
#include "alknet/call/local_link.h"

namespace alknet::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Two nodes in one thread: the near one keeps a link to the far one, which can be absent, refuse, or go away.
class PeerLinkTest : public ::testing::Test {
 protected:
  PeerLinkTest() {
    far_registry->curated().add(call::discovery_operations());
    serve(call::simple_operation("test/echo", call::echo));
    serve(call::simple_operation("test/wait", [this](call::OperationContext& context, Message) -> Task<Message> {
      struct AtEnd {
        bool& flag;
        ~AtEnd() { flag = true; }
      } const at_end{wait_ended};
      for_whom = context.forwarded_for();
      remaining = context.remaining();
      co_await sleep_for(std::chrono::hours(1));
      co_return Message{};
    }));
    near.owner->add_layer(overlay);
    near.owner->set_identity(call::Identity{.id = "caller", .scopes = {"gpu1"}, .resources = {}});
  }
  ~PeerLinkTest() override {
    link.reset();
    near.owner->end();
    near.executor.run_ready();
    far.reset();
    near.executor.run_ready();
  }

  void serve(call::Registration registration) {
    std::vector<call::Registration> one;
    one.push_back(std::move(registration));
    far_registry->curated().add(std::move(one));
  }

  PeerLinkOptions options() {
    PeerLinkOptions made;
    made.peer_id = "gpu1";
    made.dial = [this] { return dial(); };
    made.import.layer = overlay;
    made.import.visibility = call::Visibility::kExternal;
    made.import.access.required_scopes = {"gpu1"};
    made.import.shared = true;
    made.random = [this] { return jitter; };
    made.on_attempt = [this](const Error* failed) { attempts.push_back(failed == nullptr ? "" : failed->code_name()); };
    return made;
  }

  Task<std::shared_ptr<call::Connection>> dial() {
    if (refusal) throw Error(*refusal);
    auto [a, b] = call::make_local_link(near.executor, {.multiplexed = true});
    far = call::Connection::open(near.executor, std::move(b), &far_dispatcher, nullptr);
    auto owner = std::make_shared<call::Owner>(call::Owner::Kind::kConnection, "gpu1", std::nullopt);
    co_return call::Connection::open(near.executor, std::move(a), nullptr, std::move(owner));
  }

  void connect() { connect(options()); }
  void connect(PeerLinkOptions with) {
    link = std::make_unique<PeerLink>(near.executor, *near.registry, std::move(with));
    near.executor.run_ready();
  }

  bool imported() const { return overlay->snapshot()->contains("gpu1/test/echo"); }

  call::TestNode near;
  std::shared_ptr<call::Registry> far_registry = std::make_shared<call::Registry>();
  call::Dispatcher far_dispatcher{near.executor, far_registry};
  std::shared_ptr<call::Layer> overlay = std::make_shared<call::Layer>();
  std::shared_ptr<call::Connection> far;
  bool wait_ended = false;
  Json for_whom;
  std::optional<milliseconds> remaining;
  std::optional<Error> refusal;
  double jitter = 1;
  std::vector<std::string> attempts;
  std::unique_ptr<PeerLink> link;
};

TEST_F(PeerLinkTest, ImportsWhatThePeerOffers) {
  connect();
  const PeerLinkState state = link->state();
  EXPECT_EQ(state.phase, LinkPhase::kConnected);
  EXPECT_EQ(state.operations, 2U);
  EXPECT_EQ(state.attempts, 1U);
  EXPECT_FALSE(state.last_error || state.next_dial);
  EXPECT_EQ(near.call("gpu1/test/echo", R"({"a":1})"), parse_json(R"({"a":1})"));
  EXPECT_EQ(attempts, (std::vector<std::string>{""}));
}

TEST_F(PeerLinkTest, CallersNeedTheScopeOfThePeer) {
  connect();
  near.owner->set_identity(call::Identity{.id = "other", .scopes = {"compute"}, .resources = {}});
  EXPECT_EQ(code_of([&] { near.call("gpu1/test/echo"); }), "forbidden");
}

TEST_F(PeerLinkTest, ForwardedCallsCarryDeadlineCallerAndAbort) {
  connect();
  auto request = call::TestNode::request("gpu1/test/wait", {JsonObject{}, {}});
  request.timeout = milliseconds(900);
  std::stop_source stop;
  std::string ended;
  start(
      near.executor, near.dispatcher->call(near.owner, std::move(request)),
      [&](Outcome<Message> outcome) { ended = code_of([&] { outcome.take(); }); }, stop.get_token());
  near.executor.run_ready();
  EXPECT_EQ(remaining, milliseconds(900));
  EXPECT_EQ(for_whom.at("id"), Json("caller"));
  EXPECT_FALSE(wait_ended);
  stop.request_stop();
  near.executor.run_ready();
  EXPECT_TRUE(wait_ended);
  EXPECT_EQ(ended, "aborted");
}

TEST_F(PeerLinkTest, ALostPeersOperationsGoAndComeBack) {
  connect();
  near.executor.advance(seconds(31));  // a good connection
  std::string ended;
  start(near.executor, near.dispatcher->call(near.owner, call::TestNode::request("gpu1/test/wait", {JsonObject{}, {}})),
        [&](Outcome<Message> outcome) {
          const Error error = error_of([&] { outcome.take(); });
          ended = error.code_name() + ": " + error.message();
        });
  near.executor.run_ready();
  far->close();
  near.executor.run_ready();
  EXPECT_EQ(ended, "internal: connection closed");
  EXPECT_FALSE(imported());
  EXPECT_EQ(code_of([&] { near.call("gpu1/test/echo"); }), "not_found");
  EXPECT_EQ(link->state().phase, LinkPhase::kWaiting);
  EXPECT_EQ(link->connection(), nullptr);
  ASSERT_TRUE(link->state().last_error);

  near.executor.advance(milliseconds(499));
  EXPECT_FALSE(imported());
  near.executor.advance(milliseconds(1));
  EXPECT_TRUE(imported());
  EXPECT_EQ(near.call("gpu1/test/echo", "{}"), Json(JsonObject{}));
}

TEST_F(PeerLinkTest, WaitsGrowToTheCapAndNoFurther) {
  refusal = Error(call::CallError::kUnauthorized, "the server showed another key");
  connect();
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 10; ++i) {
    const PeerLinkState state = link->state();
    ASSERT_EQ(state.phase, LinkPhase::kWaiting);
    EXPECT_EQ(state.failures, static_cast<std::uint32_t>(i + 1));
    const auto wait = *state.next_dial - near.executor.now();
    waits.push_back(std::chrono::duration_cast<milliseconds>(wait).count());
    near.executor.advance(wait);
  }
  EXPECT_EQ(waits,
            (std::vector<std::int64_t>{500, 1'000, 2'000, 4'000, 8'000, 16'000, 32'000, 60'000, 60'000, 60'000}));
  EXPECT_EQ(attempts, std::vector<std::string>(11, "unauthorized"));
  EXPECT_EQ(link->state().last_error->message(), "the server showed another key");
}

TEST_F(PeerLinkTest, WaitsAreDrawnFromZeroOn) {
  refusal = Error(call::CallError::kTransport, "nobody listens");
  jitter = 0.25;
  connect();
  near.executor.advance(milliseconds(124));
  EXPECT_EQ(attempts.size(), 1U);
  near.executor.advance(milliseconds(1));
  EXPECT_EQ(attempts.size(), 2U);
  EXPECT_EQ(*link->state().next_dial - near.executor.now(), milliseconds(250));
}

TEST_F(PeerLinkTest, APeerThatThrowsUsOutIsNotDialledMoreAndMoreOften) {
  connect();
  for (int i = 0; i < 9; ++i) {
    far->close();
    near.executor.run_ready();
    ASSERT_EQ(link->state().phase, LinkPhase::kWaiting);
    near.executor.advance(*link->state().next_dial - near.executor.now());
    ASSERT_EQ(link->state().phase, LinkPhase::kConnected);
  }
  EXPECT_EQ(link->state().failures, 9U);
  near.executor.advance(seconds(30));
  far->close();
  near.executor.run_ready();
  EXPECT_EQ(link->state().failures, 1U) << "after a good connection the counting begins anew";
}

TEST_F(PeerLinkTest, APeerThatForbidsItsListIsAFailure) {
  far_registry->curated().clear();
  std::vector<call::Registration> closed = call::discovery_operations();
  for (call::Registration& operation : closed) operation.spec.access.required_scopes = {"all"};
  far_registry->curated().add(std::move(closed));
  connect();
  EXPECT_EQ(attempts, (std::vector<std::string>{"forbidden"}));
  EXPECT_TRUE(far->closed());
}

TEST_F(PeerLinkTest, DialsAtOnceWhenSomethingChanged) {
  refusal = Error(call::CallError::kConfiguration, "no address");
  connect();
  near.executor.advance(seconds(100));
  const auto failures = link->state().failures;
  EXPECT_GT(failures, 5U);
  refusal.reset();
  link->retry();
  near.executor.run_ready();
  EXPECT_TRUE(imported());
  EXPECT_EQ(link->state().failures, 0U);
  link->retry();
  near.executor.run_ready();
  EXPECT_EQ(link->state().phase, LinkPhase::kConnected) << "a link that holds is left alone";
}

TEST_F(PeerLinkTest, ReadsAgainWhatThePeerOffers) {
  connect();
  serve(call::simple_operation("test/new", call::echo));
  EXPECT_EQ(code_of([&] { near.call("gpu1/test/new"); }), "not_found");
  link->refresh();
  near.executor.run_ready();
  EXPECT_EQ(near.call("gpu1/test/new", "1"), Json(1));
  EXPECT_EQ(link->state().operations, 3U);
  far_registry->curated().remove({"test/new"});
  link->refresh();
  near.executor.run_ready();
  EXPECT_EQ(code_of([&] { near.call("gpu1/test/new"); }), "not_found");
  EXPECT_TRUE(imported());

  far_registry->curated().remove({"services/list"});
  link->refresh();
  near.executor.run_ready();
  EXPECT_EQ(link->state().phase, LinkPhase::kWaiting);
  EXPECT_FALSE(imported());
  link->refresh();
  EXPECT_EQ(attempts.size(), 1U);
}

TEST_F(PeerLinkTest, StopsWhereverItIs) {
  connect();
  link->stop();
  EXPECT_FALSE(imported());
  near.executor.run_ready();
  EXPECT_TRUE(far->closed());
  EXPECT_EQ(link->state().phase, LinkPhase::kStopped);
  link->stop();
  link->retry();
  near.executor.advance(seconds(100));
  EXPECT_EQ(attempts.size(), 1U);

  refusal = Error(call::CallError::kTransport, "nobody listens");
  connect();
  EXPECT_EQ(link->state().phase, LinkPhase::kWaiting);
  link.reset();
  near.executor.run_ready();
  EXPECT_EQ(near.executor.timers(), 0U);
  near.executor.advance(seconds(100));
  EXPECT_EQ(attempts.size(), 2U);

  refusal.reset();
  link = std::make_unique<PeerLink>(near.executor, *near.registry, options());
  link.reset();  // before it began
  near.executor.run_ready();
  EXPECT_FALSE(imported());
}

TEST_F(PeerLinkTest, AnotherLinkUnderTheSameNameDoesNotLoseItsOperationsToTheFirst) {
  connect();
  link->stop();
  const auto first = std::exchange(link, nullptr);
  connect();
  EXPECT_TRUE(imported());
  near.executor.run_ready();
  EXPECT_TRUE(imported()) << "the end of the first connection takes only its own away";
}

TEST_F(PeerLinkTest, APeerMayNotHaveOurNames) {
  const auto refused = [&](std::string id) {
    PeerLinkOptions with = options();
    with.peer_id = std::move(id);
    return code_of([&] { PeerLink(near.executor, *near.registry, std::move(with)); });
  };
  EXPECT_EQ(refused("compute"), "name_taken");
  EXPECT_EQ(refused("services"), "name_taken");
  std::vector<call::Registration> one;
  one.push_back(call::simple_operation("pets/list", call::echo));
  near.registry->curated().add(std::move(one));
  EXPECT_EQ(refused("pets"), "name_taken");
  EXPECT_EQ(refused("pet"), "no error");
}

TEST_F(PeerLinkTest, NamesTakenSinceAreNotTakenBack) {
  connect();
  std::vector<call::Registration> one;
  one.push_back(call::simple_operation("gpu1/test/echo", [](call::OperationContext&, Message) -> Task<Message> {
    co_return Message{Json("ours"), {}};
  }));
  near.registry->curated().add(std::move(one));
  far->close();
  near.executor.run_ready();
  near.executor.advance(seconds(1));
  EXPECT_EQ(link->state().last_error->code_name(), "name_taken");
  EXPECT_EQ(near.call("gpu1/test/echo", "{}"), Json("ours"));
}

}  // namespace
}  // namespace alknet::net
