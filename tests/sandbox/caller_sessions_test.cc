#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/testing.h"
#include "alknet/runtime/sandbox_host.h"

// `isolate/session` as its callers see it.

namespace alknet::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// One subscription of a caller, read as far as a test wants.
struct Subscribed final : call::CallSink {
  explicit Subscribed(Loop& on) : loop(on) {}
  void responded(Message output, const call::Operation&) override {
    events.push_back(std::move(output.value));
    loop.stop();
  }
  void completed() override {
    ended = true;
    loop.stop();
  }
  void failed(const call::WireError& why) override {
    error = why;
    ended = true;
    loop.stop();
  }

  Loop& loop;
  std::vector<Json> events;
  std::optional<call::WireError> error;
  bool ended = false;
};

struct Held final : call::Resource {
  std::uint64_t bytes() const override { return 1'000; }
  std::string_view kind() const override { return "thing"; }
};

class CallerSessions : public testing::Test {
 protected:
  CallerSessions() {
    call::Registration keep;
    keep.spec.name = "test/keep";
    keep.handler = call::OnceHandler([](call::OperationContext& context, Message) -> Task<Message> {
      Message handle{Json(context.add_resource(std::make_shared<Held>())), {}};
      co_return handle;
    });
    registry->curated().add({std::move(keep)});
    SandboxHostOptions options;
    options.spare = 0;
    host = std::make_unique<SandboxHost>(loop, dispatcher, std::move(options));
  }
  ~CallerSessions() override {
    for (const auto& owner : owners) owner->end();
    while (host->sessions() > 0) turn();
    registry->curated().clear();
    host.reset();
  }

  void serve(const CallerSessionLimits& limits = {}) {
    registry->curated().add(sandbox_operations(*host, *registry, limits));
  }

  std::shared_ptr<call::Owner> caller(std::string id, const call::OwnerLimits& limits = {}) {
    call::Identity identity;
    identity.id = std::move(id);
    identity.scopes = {"isolate"};
    owners.push_back(std::make_shared<call::Owner>(call::Owner::Kind::kConnection, "peer", identity, limits));
    return owners.back();
  }

  std::shared_ptr<Subscribed> subscribe(const std::shared_ptr<call::Owner>& owner, std::string source,
                                        JsonObject more = {}) {
    more.emplace("source", std::move(source));
    call::CallRequest request;
    request.operation = "isolate/session";
    request.input = {std::move(more), {}};
    auto made = std::make_shared<Subscribed>(loop);
    handles.push_back(dispatcher.start(owner, std::move(request), made));
    return made;
  }

  /// Lets a session run until it has said so much, or ended.
  void until(const Subscribed& session, std::size_t events) {
    while (!session.ended && session.events.size() < events) loop.run();
  }

  /// Lets a little happen.
  void turn() {
    loop.post_after(milliseconds(1), [this] { loop.stop(); });
    loop.run();
  }

  Loop loop;
  std::shared_ptr<call::Registry> registry = std::make_shared<call::Registry>();
  call::Dispatcher dispatcher{loop, registry};
  std::unique_ptr<SandboxHost> host;
  std::vector<std::shared_ptr<call::Owner>> owners;
  std::vector<call::CallHandle> handles;
};

constexpr const char* kForever = "console.log('up'); setInterval(() => {}, 1000000);";

TEST_F(CallerSessions, EachCallerHasItsShare) {
  serve({.sessions = 2});
  const auto greedy = caller("greedy");
  const auto again = caller("greedy");  // by another connection
  const auto first = subscribe(greedy, kForever);
  const auto second = subscribe(again, kForever);
  until(*first, 1);
  until(*second, 1);
  const auto third = subscribe(greedy, kForever);
  until(*third, 1);
  ASSERT_TRUE(third->error);
  EXPECT_EQ(third->error->code, "RESOURCE_EXHAUSTED");
  EXPECT_EQ(third->error->details.at("limit"), Json("sandboxes"));
  const auto other = subscribe(caller("modest"), "console.log('up');");
  until(*other, 1);
  EXPECT_FALSE(other->error);
  handles[0].abort();
  while (host->sessions() > 1 && !other->ended) turn();
  const auto fourth = subscribe(greedy, kForever);
  until(*fourth, 1);
  EXPECT_FALSE(fourth->error) << fourth->error->message;
}

TEST_F(CallerSessions, LiveNoLongerThanTheirTime) {
  serve({.lifetime = milliseconds(100)});
  const auto session = subscribe(caller("one"), kForever);
  until(*session, 1'000);
  ASSERT_TRUE(session->error);
  EXPECT_EQ(session->error->code, "TIMEOUT");
}

TEST_F(CallerSessions, WhatTheyKeepCountsAgainstTheirCaller) {
  serve();
  call::OwnerLimits limits;
  limits.resources.max_bytes = 2'500;
  const auto owner = caller("one", limits);
  owner->resources().add(std::make_shared<Held>());
  const char* keeping = R"js(
    import { env } from "@alknet/operations";
    for (let i = 0; i < 2; ++i) console.log((await env.call("test/keep", {})).error?.details.limit ?? "kept");
    setInterval(() => {}, 1000000);
  )js";
  const auto session = subscribe(owner, keeping, {{"operations", JsonArray{"test/keep"}}});
  until(*session, 2);
  ASSERT_GE(session->events.size(), 2U) << (session->error ? session->error->message : "");
  EXPECT_EQ(session->events[0].at("text"), Json("kept\n"));
  EXPECT_EQ(session->events[1].at("text"), Json("bytes\n"));
  EXPECT_EQ(owner->resources().left().max_bytes, 500U);
  EXPECT_EQ(owner->resources().count(), 1U) << "the script's handle is not its caller's";
  handles[0].abort();
  while (host->sessions() > 0) turn();
  EXPECT_EQ(owner->resources().left().max_bytes, 1'500U);
}

TEST_F(CallerSessions, AnOperationIsCompiledOnce) {
  serve();
  const auto owner = caller("one");
  const auto session = subscribe(owner, R"js(
    import { operations } from "@alknet/operations";
    for (let i = 0; i < 20; ++i) operations.register({ name: `user/op${i}`, handler: () => i });
    setInterval(() => {}, 1000000);
  )js");
  until(*session, 1);
  ASSERT_EQ(owner->layers().size(), 1U);
  const call::OperationPtr first = owner->layers()[0]->snapshot()->at("user/op0");
  until(*session, 20);
  const call::Snapshot all = owner->layers()[0]->snapshot();
  EXPECT_EQ(all->size(), 20U);
  EXPECT_EQ(all->at("user/op0"), first);
}

TEST_F(CallerSessions, ImportTheModulesThatTheirCallerSends) {
  serve();
  const auto session = subscribe(caller("one"), "import { two } from './two.ts'; console.log(two);",
                                 {{"modules", JsonObject{{"./two.ts", "export const two: number = 2;"}}}});
  until(*session, 1);
  ASSERT_FALSE(session->error) << session->error->message;
  EXPECT_EQ(session->events[0].at("text"), Json("2\n"));
  const auto refused = subscribe(caller("one"), "1", {{"modules", JsonObject{{"two.ts", ""}}}});
  until(*refused, 1);
  ASSERT_TRUE(refused->error);
  EXPECT_EQ(refused->error->code, "INVALID_INPUT");
}

TEST_F(CallerSessions, ACallerWhoReadsSlowlyHoldsItsScriptBack) {
  serve();
  const auto owner = caller("one");
  call::CallRequest request;
  request.operation = "isolate/session";
  request.input = {JsonObject{{"source", "for (let i = 0; i < 5000; ++i) console.log(i);"}}, {}};
  auto items = dispatcher.subscribe(owner, std::move(request));
  std::vector<std::string> texts;
  bool done = false;
  const auto read = [](auto& from, auto& into, bool& ended) -> Task<void> {
    while (auto item = co_await from.next()) {
      const Json* text = item->value.as_object().if_contains("text");
      if (text != nullptr) into.emplace_back(text->get_string());
    }
    ended = true;
  };
  alknet::start(loop, read(items, texts, done), [&](const Outcome<void>&) { loop.stop(); });
  while (!done) loop.run();
  ASSERT_EQ(texts.size(), 5'000U);
  EXPECT_EQ(texts.back(), "4999\n");
}

}  // namespace
}  // namespace alknet::runtime
