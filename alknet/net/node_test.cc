#include "alknet/net/node.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "alknet/base/await.h"
#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/net/dial.h"

namespace alknet::net {
namespace {

namespace fs = std::filesystem;

/// A node on a loop of its own, with a peers file that knows `client_key`.
class NodeTest : public ::testing::Test {
 protected:
  template <typename Body>
  auto run(Body body) {
    return wait_for(thread_.loop(), body());
  }

  NodeTest() : folder_(::testing::TempDir() + "node_" + std::to_string(::getpid())) {
    fs::create_directories(folder_);
    PeersFile(folder_ / "peers.json").update([&](PeerList& list) {
      PeerEntry entry;
      entry.peer_id = "laptop";
      entry.fingerprints = {client_key.fingerprint()};
      entry.scopes = {"sum"};
      list.add(entry);
    });
    std::vector<call::Registration> operations = call::discovery_operations();
    operations.push_back(call::simple_operation("math/echo", call::echo));
    call::Registration closed = call::simple_operation("math/sum", call::echo);
    closed.spec.access.required_scopes = {"sum"};
    operations.push_back(closed);
    registry->curated().add(std::move(operations));
    run([&]() -> Task<void> {
      NodeOptions options;
      options.credentials.key = node_key;
      options.peers_file = folder_ / "peers.json";
      options.peers_interval = std::chrono::milliseconds(5);
      node = std::make_unique<Node>(loop(), registry, std::move(options));
      address = node->listen("quic://127.0.0.1:0");
      co_return;
    });
  }
  ~NodeTest() override {
    run([&]() -> Task<void> {
      node.reset();
      co_return;
    });
    fs::remove_all(folder_);
  }

  Loop& loop() { return thread_.loop(); }

  DialOptions dialling(const PrivateKey& key) const {
    DialOptions options;
    options.credentials.key = key;
    options.expected.fingerprints = {node_key.fingerprint()};
    return options;
  }

  const fs::path folder_;
  LoopThread thread_;
  const PrivateKey node_key = PrivateKey::generate();
  const PrivateKey client_key = PrivateKey::generate();
  std::shared_ptr<call::Registry> registry = std::make_shared<call::Registry>();
  std::unique_ptr<Node> node;
  std::string address;
};

TEST_F(NodeTest, AKnownPeerCallsWithItsScopes) {
  const Json answer = run([&]() -> Task<Json> {
    const auto connection = co_await dial(loop(), address, dialling(client_key));
    EXPECT_EQ(node->connections().size(), 1U);
    EXPECT_TRUE(node->peers().at(0).connected);
    Message input = call::json_message(R"({"a":1})");
    const Message output = co_await connection->call("math/sum", std::move(input));
    co_return output.value;
  });
  EXPECT_EQ(json_text(answer), R"({"a":1})");
}

TEST_F(NodeTest, AStrangerIsRefused) {
  const std::string code = run([&]() -> Task<std::string> {
    std::string seen = "no error";
    try {
      co_await dial(loop(), address, dialling(PrivateKey::generate()));
    } catch (const Error& error) {
      seen = error.code_name();
    }
    co_return seen;
  });
  EXPECT_EQ(code, "unauthorized");
}

TEST_F(NodeTest, APeerThatIsDisabledLosesItsConnection) {
  run([&]() -> Task<void> {
    const auto connection = co_await dial(loop(), address, dialling(client_key));
    Completion<void> closed;
    connection->on_close([closed](const Error&) mutable { closed.set_value(); });
    PeersFile(folder_ / "peers.json").update([](PeerList& list) { list.set_enabled("laptop", false); });
    co_await closed.wait();
  });
}

TEST_F(NodeTest, RightsThatChangeCountForTheNextCall) {
  run([&]() -> Task<void> {
    const auto connection = co_await dial(loop(), address, dialling(client_key));
    PeersFile(folder_ / "peers.json").update([](PeerList& list) { list.find("laptop")->scopes = {}; });
    std::string code;
    while (code.empty()) {
      try {
        Message input = call::json_message("{}");
        co_await connection->call("math/sum", std::move(input));
        co_await sleep_for(std::chrono::milliseconds(1));
      } catch (const Error& error) {
        code = error.code_name();
      }
    }
    EXPECT_EQ(code, "forbidden");
    Message input = call::json_message("{}");
    co_await connection->call("math/echo", std::move(input));
  });
}

TEST_F(NodeTest, TokensOfThePeersFileProveIdentities) {
  const std::string token = new_auth_token();
  PeersFile(folder_ / "peers.json").update([&](PeerList& list) {
    PeerEntry entry;
    entry.peer_id = "web";
    entry.auth_token_hash = auth_token_hash(token);
    entry.scopes = {"x"};
    list.add(entry);
  });
  run([&]() -> Task<void> {
    while (!node->authenticate(token)) co_await sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(node->authenticate(token)->id, "web");
    EXPECT_FALSE(node->authenticate(token + "x"));
    EXPECT_FALSE(node->authenticate(""));
  });
}

TEST_F(NodeTest, DrainingEndsWhatRunsAndClosesConnections) {
  run([&]() -> Task<void> {
    std::vector<call::Registration> slow;
    slow.push_back(call::simple_operation("math/slow", [](call::OperationContext&, Message input) -> Task<Message> {
      co_await sleep_for(std::chrono::milliseconds(30));
      co_return input;
    }));
    registry->curated().add(std::move(slow));
    const auto connection = co_await dial(loop(), address, dialling(client_key));
    Completion<std::string> answered;
    const auto call_slow = [](std::shared_ptr<call::Connection> on) -> Task<std::string> {
      Message input = call::json_message("7");
      const Message output = co_await on->call("math/slow", std::move(input));
      co_return json_text(output.value);
    };
    start(loop(), call_slow(connection), [answered](Outcome<std::string> outcome) mutable {
      outcome.ok() ? answered.set_value(outcome.take()) : answered.set_error(outcome.error());
    });
    while (node->dispatcher().running_calls() == 0) co_await sleep_for(std::chrono::milliseconds(1));
    co_await node->drain(std::chrono::seconds(5));
    EXPECT_EQ(co_await answered.wait(), "7");
    EXPECT_TRUE(node->connections().empty());
    EXPECT_TRUE(connection->closed());
  });
}

TEST_F(NodeTest, AWebSocketNeedsATokenUnlessAnybodyMayConnect) {
  const std::string token = new_auth_token();
  PeersFile(folder_ / "peers.json").update([&](PeerList& list) {
    PeerEntry entry;
    entry.peer_id = "web";
    entry.auth_token_hash = auth_token_hash(token);
    entry.scopes = {"sum"};
    list.add(entry);
  });
  run([&]() -> Task<void> {
    while (!node->authenticate(token)) co_await sleep_for(std::chrono::milliseconds(1));
    const std::string web = node->listen("ws://127.0.0.1:0");
    DialOptions options;
    std::string code;
    try {
      co_await dial(loop(), web, options);
    } catch (const Error& error) {
      code = error.code_name();
    }
    EXPECT_EQ(code, "unauthorized");
    options.token = token;
    const auto connection = co_await dial(loop(), web, options);
    Message input = call::json_message("[1]");
    const Message output = co_await connection->call("math/sum", std::move(input));
    EXPECT_EQ(json_text(output.value), "[1]");
  });
}

TEST_F(NodeTest, AUnixSocketOfTheSameUserIsALocalProgram) {
  run([&]() -> Task<void> {
    const std::string socket = node->listen("unix:" + (folder_ / "socket").string());
    DialOptions options;
    const auto connection = co_await dial(loop(), socket, options);
    Message input = call::json_message("[2]");
    const Message output = co_await connection->call("math/sum", std::move(input));
    EXPECT_EQ(json_text(output.value), "[2]");
  });
}

TEST_F(NodeTest, AnAddressThatIsNoneOrTakenIsAClearError) {
  const auto listen = [&](const std::string& where) {
    return run([&]() -> Task<std::string> {
      const Error error = error_of([&] { node->listen(where); });
      co_return error.code_name();
    });
  };
  EXPECT_EQ(listen("tcp://127.0.0.1:1"), "configuration");
  EXPECT_EQ(listen("quic://127.0.0.1"), "configuration");
  EXPECT_EQ(listen(address), "transport");
}

}  // namespace
}  // namespace alknet::net
