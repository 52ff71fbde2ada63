#include "alknet/call/from_call.h"

#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/call/discovery.h"
#include "alknet/call/local_link.h"
#include "alknet/call/peer_ref.h"
#include "alknet/call/remote_tensor.h"

namespace alknet::call {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A tensor of the far node.
struct FarTensor final : Resource {
  explicit FarTensor(int& count) : living(count) { ++living; }
  ~FarTensor() override { --living; }
  std::uint64_t bytes() const override { return 4; }
  std::string_view kind() const override { return "tensor"; }
  int& living;
};

/// A node whose handler "app/run" {operation, input} calls the operations that it imported from "gpu1".
class Import : public ::testing::Test {
 protected:
  Import() {
    far_registry->curated().add(discovery_operations());
    serve(simple_operation("test/echo", echo));
    serve(simple_operation("test/context", [](OperationContext& context, Message) -> Task<Message> {
      co_return Message{JsonObject{{"forwarded_for", context.forwarded_for()},
                                   {"remaining_ms", context.remaining()->count()},
                                   {"internal", context.internal()}},
                        {}};
    }));
    Registration fails = simple_operation("test/fail", [](OperationContext&, Message) -> Task<Message> {
      throw domain_error("MODEL_NOT_LOADED", "load it first", JsonObject{{"model", "m"}}, true);
      co_return Message{};
    });
    fails.spec.errors.push_back({"MODEL_NOT_LOADED", "not there", JsonObject{}, 409});
    serve(std::move(fails));
    serve(simple_operation("test/wait", [this](OperationContext&, Message) -> Task<Message> {
      struct AtEnd {
        bool& flag;
        ~AtEnd() { flag = true; }
      } const at_end{stopped};
      co_await sleep_for(std::chrono::hours(1));
      co_return Message{};
    }));
    serve(simple_subscription("test/count", [](OperationContext&, Message) -> AsyncGenerator<Message> {
      for (int i = 1; i <= 3; ++i) co_yield Message{Json(i), {}};
    }));
    serve(simple_operation("tensor/make", [this](OperationContext& context, Message) -> Task<Message> {
      const std::string handle = context.add_resource(std::make_shared<FarTensor>(living));
      co_return Message{JsonObject{{"$tensor", handle}, {"dtype", "f32"}, {"shape", JsonArray{1}}}, {}};
    }));
    serve(simple_operation("tensor/use", [](OperationContext& context, Message input) -> Task<Message> {
      const auto handle = std::string(input.value.at("input").at("$tensor").as_string());
      co_return Message{Json(context.resources().get<FarTensor>(handle)->living), {}};
    }));
    serve(simple_operation("compute/dispose", [](OperationContext& context, Message input) -> Task<Message> {
      for (const Json& handle : input.value.at("handles").as_array()) {
        context.resources().take(std::string_view(handle.as_string()));
      }
      co_return Message{};
    }));

    Registration run = simple_operation("app/run", [](OperationContext& context, Message input) -> Task<Message> {
      const std::string name(input.value.at("operation").as_string());
      Message inner{input.value.at("input"), input.bytes};
      co_return co_await context.call(name, std::move(inner));
    });
    run.authority.id = "app";
    run.environment = ScopedEnvironment({"gpu1/*", "other/*"});
    std::vector<Registration> one;
    one.push_back(std::move(run));
    near.registry->curated().add(std::move(one));
    connection = connect("gpu1");
  }
  ~Import() override {
    near.owner->end();
    near.executor.run_ready();
    peer.reset();
    connection.reset();
    other.reset();
    far_connections.clear();
    near.executor.run_ready();
  }

  void serve(Registration registration) {
    std::vector<Registration> one;
    one.push_back(std::move(registration));
    far_registry->curated().add(std::move(one));
  }

  std::shared_ptr<Connection> connect(const std::string& id) {
    auto [a, b] = make_local_link(near.executor, {.multiplexed = true});
    far_connections.push_back(Connection::open(near.executor, std::move(b), &far_dispatcher, nullptr));
    return Connection::open(near.executor, std::move(a), nullptr,
                            std::make_shared<Owner>(Owner::Kind::kConnection, id, std::nullopt));
  }

  std::shared_ptr<ImportedPeer> import_from(const std::shared_ptr<Connection>& from, ImportOptions options = {}) {
    auto imported = run_until_done(near.executor, import_peer(from, *near.registry, std::move(options)));
    near.owner->add_layer(imported->layer);
    return imported;
  }

  Json run(std::string_view operation, Json input = JsonObject{}) {
    return near.call("app/run", {JsonObject{{"operation", operation}, {"input", std::move(input)}}, {}}).value;
  }
  Error error(std::string_view operation, Json input = JsonObject{}) {
    return error_of([&] { run(operation, std::move(input)); });
  }

  int living = 0;
  bool stopped = false;
  TestNode near;
  std::shared_ptr<Registry> far_registry = std::make_shared<Registry>();
  Dispatcher far_dispatcher{near.executor, far_registry};
  std::vector<std::shared_ptr<Connection>> far_connections;
  std::shared_ptr<Connection> connection;
  std::shared_ptr<Connection> other;
  std::shared_ptr<ImportedPeer> peer;
};

TEST_F(Import, PutsThePeersOperationsUnderItsId) {
  peer = import_from(connection);
  EXPECT_TRUE(peer->skipped.empty());
  EXPECT_EQ(peer->operations.size(), 8U) << "all but discovery";
  const auto snapshot = peer->layer->snapshot();
  ASSERT_TRUE(snapshot->contains("gpu1/test/echo"));
  const Operation& echo_operation = *snapshot->at("gpu1/test/echo");
  EXPECT_EQ(echo_operation.registration().provenance, Provenance::kFromCall);
  EXPECT_EQ(echo_operation.spec().visibility, Visibility::kInternal);
  EXPECT_EQ(connection->features(), Features::all());
  EXPECT_EQ(run("gpu1/test/echo", parse_json(R"({"a":1})")), parse_json(R"({"a":1})"));
  EXPECT_EQ(code_of([&] { near.call("gpu1/test/echo"); }), "not_found") << "callers from outside do not see it";
}

TEST_F(Import, ForwardsTheDeadlineAndWhomItCallsFor) {
  peer = import_from(connection);
  const Json context = run("gpu1/test/context");
  EXPECT_EQ(context.at("forwarded_for").at("id"), Json("app"));
  EXPECT_EQ(context.at("remaining_ms"), Json(30'000));
  EXPECT_EQ(context.at("internal"), Json(false)) << "for the peer it comes from outside";
  auto request =
      TestNode::request("app/run", {JsonObject{{"operation", "gpu1/test/context"}, {"input", JsonObject{}}}, {}});
  request.timeout = milliseconds(700);
  const Message answer = run_until_done(near.executor, near.dispatcher->call(near.owner, request));
  EXPECT_EQ(answer.value.at("remaining_ms"), Json(700));
}

TEST_F(Import, PassesDeclaredErrorsOn) {
  peer = import_from(connection);
  std::vector<Registration> one;
  one.push_back(simple_operation("app/catch", [](OperationContext& context, Message) -> Task<Message> {
    try {
      co_await context.call("gpu1/test/fail", Message{JsonObject{}, {}});
    } catch (const Error& error) {
      co_return Message{JsonObject{{"code", wire_code(error)}, {"message", error.message()}}, {}};
    }
    co_return Message{};
  }));
  one.back().environment = ScopedEnvironment({"*"});
  near.registry->curated().add(std::move(one));
  EXPECT_EQ(near.call("app/catch").value, parse_json(R"({"code":"MODEL_NOT_LOADED","message":"load it first"})"));
}

TEST_F(Import, AnAbortReachesThePeer) {
  peer = import_from(connection);
  std::stop_source stop;
  bool ended = false;
  start(
      near.executor,
      near.dispatcher->call(
          near.owner,
          TestNode::request("app/run", {JsonObject{{"operation", "gpu1/test/wait"}, {"input", JsonObject{}}}, {}})),
      [&](const Outcome<Message>&) { ended = true; }, stop.get_token());
  near.executor.run_ready();
  EXPECT_FALSE(ended || stopped);
  stop.request_stop();
  near.executor.run_ready();
  EXPECT_TRUE(ended && stopped);
}

TEST_F(Import, SubscriptionsAreForwarded) {
  peer = import_from(connection);
  std::vector<Registration> one;
  one.push_back(simple_operation("app/sum", [](OperationContext& context, Message) -> Task<Message> {
    std::int64_t sum = 0;
    auto items = context.subscribe("gpu1/test/count", Message{JsonObject{}, {}});
    while (auto item = co_await items.next()) sum += item->value.as_int64();
    co_return Message{Json(sum), {}};
  }));
  one.back().environment = ScopedEnvironment({"*"});
  near.registry->curated().add(std::move(one));
  EXPECT_EQ(near.call("app/sum").value, Json(6));
}

TEST_F(Import, OperationsGoWithTheConnection) {
  peer = import_from(connection);
  connection->close();
  near.executor.run_ready();
  EXPECT_TRUE(peer->layer->snapshot()->empty());
  EXPECT_EQ(error("gpu1/test/echo").code_name(), "not_found");
}

TEST_F(Import, RefusesToTakeNamesThatAreNotThePeers) {
  const auto refused = [&](std::string prefix) {
    return code_of([&] { import_from(connection, {.namespace_prefix = std::move(prefix)}); });
  };
  EXPECT_EQ(refused("compute"), "name_taken");
  EXPECT_EQ(refused("services"), "name_taken");
  std::vector<Registration> one;
  one.push_back(simple_operation("mine/test/echo", echo));
  near.registry->curated().add(std::move(one));
  EXPECT_EQ(refused("mine"), "name_taken");
}

TEST_F(Import, APeerWithoutDiscoveryCannotBeImported) {
  auto [a, b] = make_local_link(near.executor);
  const auto silent = Connection::open(near.executor, std::move(b), nullptr, nullptr);
  const auto to_silent = Connection::open(near.executor, std::move(a), nullptr, nullptr);
  EXPECT_EQ(code_of([&] { import_from(to_silent, {.namespace_prefix = "x"}); }), "discovery_failed");
}

TEST_F(Import, AMalformedDescriptionIsSkippedAndSaid) {
  auto [a, b] = make_local_link(near.executor);
  const auto registry = std::make_shared<Registry>();
  std::vector<Registration> operations;
  operations.push_back(simple_operation("services/list", [](OperationContext&, Message) -> Task<Message> {
    co_return Message{parse_json(R"({"operations":[{"name":"a/b"},{"name":"c/d"}],"features":[]})"), {}};
  }));
  operations.push_back(simple_operation("services/schema", [](OperationContext&, Message input) -> Task<Message> {
    if (input.value.at("name") == Json("a/b"))
      co_return Message{parse_json(R"({"name":"a/b","op_type":"sometimes"})"), {}};
    co_return Message{parse_json(R"({"name":"c/d","op_type":"query","input_schema":{},"output_schema":{}})"), {}};
  }));
  registry->curated().add(std::move(operations));
  Dispatcher dispatcher(near.executor, registry);
  const auto far = Connection::open(near.executor, std::move(b), &dispatcher, nullptr);
  other = Connection::open(near.executor, std::move(a), nullptr, nullptr);
  const auto imported = import_from(other, {.namespace_prefix = "x"});
  ASSERT_EQ(imported->skipped.size(), 1U);
  EXPECT_EQ(imported->skipped[0].first, "a/b");
  EXPECT_TRUE(imported->layer->snapshot()->contains("x/c/d"));
}

TEST_F(Import, WhatThePeerImportedItselfIsNotImportedAgain) {
  Registration passed_on = simple_operation("third/test/echo", echo);
  passed_on.spec.tags = {std::string(kImportedTag)};
  serve(std::move(passed_on));
  peer = import_from(connection);
  EXPECT_FALSE(peer->operations.contains("third/test/echo"));
  EXPECT_EQ(peer->layer->snapshot()->at("gpu1/test/echo")->spec().tags, std::vector<std::string>{"imported"});
}

TEST_F(Import, CallersOfASharedConnectionNameNothingByPlainHandles) {
  const Json handle = parse_json(R"({"type":"string","format":"alknet-handle"})");
  const auto serve_with = [&](std::string name, Json input, Json output) {
    Registration registration = simple_operation(std::move(name), echo);
    registration.spec.input_schema = std::move(input);
    registration.spec.output_schema = std::move(output);
    serve(std::move(registration));
  };
  const auto object = [](std::string_view member, Json schema) {
    return JsonObject{{"properties", JsonObject{{member, std::move(schema)}}}, {"additionalProperties", false}};
  };
  serve_with("plan/make", JsonObject{}, object("plan", handle));
  serve_with("plan/use", object("plans", JsonObject{{"items", JsonObject{{"anyOf", JsonArray{handle}}}}}),
             JsonObject{});
  Registration named =
      simple_operation("tensor/named", [this](OperationContext& context, Message input) -> Task<Message> {
        EXPECT_EQ(input.value, Json(JsonObject{})) << "the peer does not hear of names";
        const std::string made = context.add_resource(std::make_shared<FarTensor>(living));
        co_return Message{JsonObject{{"$tensor", made}}, {}};
      });
  named.spec.input_schema = object("ids", JsonObject{{"type", "array"}, {"items", handle}});
  serve(std::move(named));
  peer = import_from(connection, {.namespace_prefix = "own"});
  EXPECT_TRUE(peer->skipped.empty());

  other = connect("gpu1");
  const auto shared = import_from(other, {.shared = true});
  ASSERT_EQ(shared->skipped.size(), 2U);
  EXPECT_EQ(shared->skipped[0].first, "plan/make");
  EXPECT_EQ(shared->skipped[1].first, "plan/use");
  EXPECT_EQ(run("gpu1/tensor/named", parse_json(R"({"ids":["c1"]})")), parse_json(R"({"$tensor":"c1"})"));
  EXPECT_EQ(living, 1);
  EXPECT_EQ(error("gpu1/tensor/named", parse_json(R"({"ids":["c2","c3"]})")).code_name(), "invalid_input");
  near.executor.run_ready();
  EXPECT_EQ(living, 1) << "what could not be named goes at the peer too";
}

TEST_F(Import, APeerThatListsTooMuchIsRefused) {
  const Error refused = error_of([&] { import_from(connection, {.max_operations = 7}); });
  EXPECT_EQ(refused.code_name(), "discovery_failed");
  EXPECT_EQ(refused.details().at("limit"), Json("operations"));
}

TEST_F(Import, TensorsOfThePeerBecomeHandlesOfTheCaller) {
  peer = import_from(connection);
  const Json made = run("gpu1/tensor/make");
  EXPECT_EQ(living, 1);
  const std::string handle(made.at("$tensor").as_string());
  EXPECT_NE(near.owner->resources().find(handle), nullptr);
  EXPECT_EQ(made.at("dtype"), Json("f32"));
  EXPECT_EQ(run("gpu1/tensor/use", JsonObject{{"input", made}}), Json(1));

  near.owner->resources().take(handle);
  near.executor.run_ready();
  EXPECT_EQ(living, 0) << "the peer's goes with ours";
  EXPECT_EQ(error("gpu1/tensor/use", JsonObject{{"input", made}}).code_name(), "invalid_input");
}

TEST_F(Import, TensorsOfOthersAreForeign) {
  peer = import_from(connection);
  other = connect("other");
  const auto second = import_from(other);
  const Json made = run("gpu1/tensor/make");
  const Error foreign = error("other/tensor/use", JsonObject{{"input", made}});
  EXPECT_EQ(foreign.code_name(), "internal") << "app/run does not declare it";
  EXPECT_EQ(foreign.details().at("code"), Json("FOREIGN_HANDLE"));
  EXPECT_NE(foreign.message().find(".to('peer:other')"), std::string::npos);
  const std::string local = near.owner->resources().add(std::make_shared<FarTensor>(living));
  const Error ours = error("gpu1/tensor/use", JsonObject{{"input", JsonObject{{"$tensor", local}}}});
  EXPECT_EQ(ours.details().at("code"), Json("FOREIGN_HANDLE"));
}

TEST_F(Import, APeerRefGoesToThatPeerOrToTheFirstThatHasIt) {
  peer = import_from(connection);
  other = connect("other");
  const auto second = import_from(other);
  PeerSet peers;
  peers.add(peer);
  peers.add(second);
  EXPECT_EQ(peers.find(PeerRef::any(), "test/echo").local_name, "gpu1/test/echo");
  EXPECT_EQ(peers.find(PeerRef::specific("other"), "/test/echo").local_name, "other/test/echo");
  EXPECT_EQ(code_of([&] { peers.find(PeerRef::specific("third"), "test/echo"); }), "not_found");
  EXPECT_EQ(code_of([&] { peers.find(PeerRef::any(), "test/none"); }), "not_found");
  connection->close();
  EXPECT_EQ(peers.connected().size(), 1U);
  EXPECT_EQ(peers.find(PeerRef::any(), "test/echo").local_name, "other/test/echo");
  EXPECT_EQ(code_of([&] { peers.find(PeerRef::specific("gpu1"), "test/echo"); }), "not_found");
  auto clash = std::make_shared<ImportedPeer>(*second);
  clash->peer_id = "third";
  EXPECT_EQ(code_of([&] { peers.add(clash); }), "name_taken");
  peers.add(std::make_shared<ImportedPeer>(*second));
  EXPECT_EQ(peers.layers().size(), 2U) << "the same peer again takes its place";
}

}  // namespace
}  // namespace alknet::call
