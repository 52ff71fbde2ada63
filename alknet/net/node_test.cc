#include "alknet/net/node.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "alknet/base/await.h"
#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/net/dial.h"
#include "alknet/net/http/client.h"

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
    begin([](NodeOptions&) {});
  }

  /// Begins the node, or another one with other options.
  void begin(const std::function<void(NodeOptions&)>& change) {
    run([&]() -> Task<void> {
      node.reset();
      NodeOptions options;
      options.credentials.key = node_key;
      options.peers_file = folder_ / "peers.json";
      options.peers_interval = std::chrono::milliseconds(5);
      options.logger = Logger::to_sink(LogLevel::kInfo, [&](LogLevel, std::string_view line) { log += line; });
      options.wall_clock = [&] { return clock; };
      change(options);
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

  void change_peers(const std::function<void(PeerList&)>& change) { PeersFile(folder_ / "peers.json").update(change); }

  void add_token(const std::string& token) {
    change_peers([&](PeerList& list) {
      PeerEntry entry;
      entry.peer_id = "web";
      entry.auth_token_hash = auth_token_hash(token);
      entry.scopes = {"sum"};
      list.add(entry);
    });
  }

  /// Waits until the node has noticed a change of its peers file.
  Task<void> peers_read() {
    while (log.find("peers read again") == std::string::npos) co_await sleep_for(std::chrono::milliseconds(1));
    log.clear();
  }

  /// The code of an attempt to connect, or "no error".
  Task<std::string> dial_code(std::string where, DialOptions options) {
    std::string code = "no error";
    try {
      co_await dial(loop(), std::move(where), std::move(options));
    } catch (const Error& error) {
      code = error.code_name();
    }
    co_return code;
  }

  /// The status of an HTTP request to `place`.
  static Task<int> status_of(HttpClient& client, std::string url, std::string token, std::string body) {
    FetchRequest request;
    request.url = std::move(url);
    if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
    if (!body.empty()) {
      request.method = "POST";
      request.headers.add("Content-Type", "application/json");
      request.body = SharedBytes::copy(body);
    }
    FetchResponse response = co_await client.fetch(std::move(request));
    co_await response.body.read_all();
    co_return response.status;
  }

  const fs::path folder_;
  std::string log;                                 ///< of the node; used on the loop
  WallClock::time_point clock = WallClock::now();  ///< what the node takes for the time; used on the loop
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

TEST_F(NodeTest, APeerThatIsDisabledLosesItsConnectionAndHearsWhy) {
  std::vector<call::Registration> endless;
  endless.push_back(call::simple_operation("math/wait", [](call::OperationContext&, Message input) -> Task<Message> {
    co_await sleep_for(std::chrono::hours(1));
    co_return std::move(input);
  }));
  registry->curated().add(std::move(endless));
  run([&]() -> Task<void> {
    const auto connection = co_await dial(loop(), address, dialling(client_key));
    EXPECT_FALSE(connection->close_reason());
    Completion<void> closed;
    connection->on_close([closed](const Error&) mutable { closed.set_value(); });
    change_peers([](PeerList& list) { list.set_enabled("laptop", false); });
    try {
      co_await connection->call("math/wait", call::json_message("{}"));
      ADD_FAILURE() << "the call ended well";
    } catch (const Error& error) {
      EXPECT_EQ(error.code_name(), "internal");  // what the protocol says of a call that lost its connection
      const Error told = call_failure(*connection, error);
      EXPECT_EQ(told.code_name(), "unauthorized");
      EXPECT_NE(std::string(told.message()).find("no longer let in"), std::string::npos) << told.message();
    }
    co_await closed.wait();
  });
}

TEST_F(NodeTest, APeerThatIsDisabledLosesItsSubscriptionsOverHttp) {
  std::vector<call::Registration> endless;
  endless.push_back(
      call::simple_subscription("math/endless", [](call::OperationContext&, Message input) -> AsyncGenerator<Message> {
        co_yield std::move(input);
        co_await sleep_for(std::chrono::hours(1));
      }));
  registry->curated().add(std::move(endless));
  const std::string token = new_auth_token();
  run([&]() -> Task<void> {
    add_token(token);
    co_await peers_read();
    HttpClient client(loop(), {});
    for (const bool session : {false, true}) {
      FetchRequest request;
      request.url = "http" + node->listen("ws://127.0.0.1:0").substr(2) + "/subscribe/math/endless";
      request.headers.add("Authorization", "Bearer " + token);
      if (session) request.headers.add("Alknet-Session", "a-session-of-the-web");
      FetchResponse response = co_await client.fetch(std::move(request));
      const std::optional<SharedBytes> first = co_await response.body.next();
      EXPECT_EQ(first->text(), "data: {}\n\n");
      change_peers([](PeerList& list) { list.set_enabled("web", false); });
      std::string code = "no error";
      try {
        co_await response.body.read_all();
      } catch (const Error& error) {
        code = error.code_name();
      }
      // An answer that ends in the middle, or a reset: that is the system's choice.
      EXPECT_TRUE(code == "malformed" || code == "connection_lost") << code;
      while (node->dispatcher().running_calls() > 0) co_await sleep_for(std::chrono::milliseconds(1));
      change_peers([](PeerList& list) { list.set_enabled("web", true); });
      while (!node->authenticate(token)) co_await sleep_for(std::chrono::milliseconds(1));
    }
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

TEST_F(NodeTest, AReplacedKeyEndsWithItsTimeForItsConnectionToo) {
  const auto begun = clock;
  const PrivateKey new_key = PrivateKey::generate();
  run([&]() -> Task<void> {
    const auto old_one = co_await dial(loop(), address, dialling(client_key));
    change_peers([&](PeerList& list) { list.rotate("laptop", new_key.fingerprint(), begun + std::chrono::hours(1)); });
    co_await peers_read();
    const auto new_one = co_await dial(loop(), address, dialling(new_key));
    EXPECT_EQ(co_await dial_code(address, dialling(client_key)), "no error");
    Message first = call::json_message("[1]");
    co_await old_one->call("math/sum", std::move(first));
    Completion<void> closed;
    old_one->on_close([closed](const Error&) mutable { closed.set_value(); });
    clock = begun + std::chrono::hours(2);
    co_await closed.wait();
    EXPECT_EQ(co_await dial_code(address, dialling(client_key)), "unauthorized");
    EXPECT_EQ(co_await dial_code(address, dialling(new_key)), "no error");
    Message second = call::json_message("[2]");
    const Message output = co_await new_one->call("math/sum", std::move(second));
    EXPECT_EQ(json_text(output.value), "[2]");
  });
}

TEST_F(NodeTest, ClockJumpsNeitherFireNorHoldUpDeadlines) {
  const auto begun = clock;
  Completion<void> gate;
  std::vector<call::Registration> slow;
  slow.push_back(call::simple_operation("math/slow", [gate](call::OperationContext&, Message input) -> Task<Message> {
    Completion<void> opened = gate;
    co_await opened.wait();
    co_return input;
  }));
  slow.push_back(call::simple_operation("math/never", [](call::OperationContext&, Message input) -> Task<Message> {
    co_await sleep_for(std::chrono::hours(1));
    co_return input;
  }));
  registry->curated().add(std::move(slow));
  run([&]() -> Task<void> {
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
    for (const auto jump : {std::chrono::hours(24 * 3650), std::chrono::hours(-24 * 3650)}) {
      clock = begun + jump;
      EXPECT_EQ(co_await dial_code(address, dialling(client_key)), "no error");
      call::CallOptions options;
      options.timeout = std::chrono::milliseconds(20);
      std::string code = "no error";
      try {
        Message input = call::json_message("0");
        co_await connection->call("math/never", std::move(input), options);
      } catch (const Error& error) {
        code = error.code_name();
      }
      EXPECT_EQ(code, "timeout");
    }
    EXPECT_FALSE(connection->closed());
    gate.set_value();
    EXPECT_EQ(co_await answered.wait(), "7");
  });
}

TEST_F(NodeTest, TheTimeOfThePeersFileMayGoBack) {
  run([&]() -> Task<void> {
    change_peers([](PeerList& list) { list.set_enabled("laptop", false); });
    fs::last_write_time(folder_ / "peers.json", fs::file_time_type::clock::now() - std::chrono::hours(24 * 3650));
    co_await peers_read();
    while (co_await dial_code(address, dialling(client_key)) == "no error") {
      co_await sleep_for(std::chrono::milliseconds(1));
    }
  });
}

TEST_F(NodeTest, ARotatedTokenEndsAtOnceWithItsConnectionsButNotItsRequests) {
  Completion<void> gate;
  std::vector<call::Registration> slow;
  slow.push_back(call::simple_operation("math/slow", [gate](call::OperationContext&, Message input) -> Task<Message> {
    Completion<void> opened = gate;
    co_await opened.wait();
    co_return input;
  }));
  registry->curated().add(std::move(slow));
  const std::string old_token = new_auth_token();
  const std::string new_token = new_auth_token();
  run([&]() -> Task<void> {
    add_token(old_token);
    co_await peers_read();
    const std::string web = node->listen("ws://127.0.0.1:0");
    const std::string http = "http" + web.substr(2);
    DialOptions options;
    options.token = old_token;
    const auto connection = co_await dial(loop(), web, options);
    Completion<void> closed;
    connection->on_close([closed](const Error&) mutable { closed.set_value(); });
    HttpClient client(loop(), {});
    Completion<int> running;
    start(loop(), status_of(client, http + "/call/math/slow", old_token, "{}"),
          [running](Outcome<int> outcome) mutable {
            outcome.ok() ? running.set_value(outcome.take()) : running.set_error(outcome.error());
          });
    while (node->dispatcher().running_calls() == 0) co_await sleep_for(std::chrono::milliseconds(1));

    change_peers([&](PeerList& list) { list.find("web")->auth_token_hash = auth_token_hash(new_token); });
    co_await closed.wait();
    const std::string sum = http + "/call/math/sum";
    EXPECT_EQ(co_await status_of(client, sum, old_token, "{}"), 401);
    EXPECT_EQ(co_await status_of(client, sum, new_token, "{}"), 200);
    EXPECT_EQ(co_await dial_code(web, options), "unauthorized");
    options.token = new_token;
    EXPECT_EQ(co_await dial_code(web, options), "no error");
    gate.set_value();
    EXPECT_EQ(co_await running.wait(), 200);
  });
}

TEST_F(NodeTest, ACertificateIsRevokedByAnEntryThatIsDisabled) {
  const Certificate authority = Certificate::self_signed({.common_name = "Test CA", .is_authority = true});
  begin([&](NodeOptions& options) { options.client_authorities_pem = authority.chain_pem(); });
  DialOptions options = dialling(client_key);
  options.credentials.key.reset();
  options.credentials.certificate = Certificate::issued_by(authority, {.common_name = "gpu7"});
  run([&]() -> Task<void> {
    const auto connection = co_await dial(loop(), address, options);
    Message input = call::json_message("[1]");
    co_await connection->call("math/echo", std::move(input));
    Completion<void> closed;
    connection->on_close([closed](const Error&) mutable { closed.set_value(); });
    change_peers([](PeerList& list) {
      PeerEntry entry;
      entry.peer_id = "gpu7";
      entry.enabled = false;
      list.add(entry);
    });
    co_await closed.wait();
    EXPECT_EQ(co_await dial_code(address, options), "unauthorized");
    change_peers([](PeerList& list) { list.set_enabled("gpu7", true); });
    while (co_await dial_code(address, options) != "no error") co_await sleep_for(std::chrono::milliseconds(1));
  });
}

TEST_F(NodeTest, AnAddressThatTriesWrongTokensIsRefusedForAWhile) {
  begin([](NodeOptions& options) {
    options.failed_tokens = {.burst = 3, .refill = std::chrono::hours(1)};
    options.limit_local_tokens = true;
  });
  const std::string token = new_auth_token();
  run([&]() -> Task<void> {
    add_token(token);
    co_await peers_read();
    const std::string web = node->listen("ws://127.0.0.1:0");
    const std::string http = "http" + web.substr(2);
    HttpClient client(loop(), {});
    const std::string search = http + "/search";
    EXPECT_EQ(co_await status_of(client, search, token, ""), 200);
    EXPECT_EQ(co_await status_of(client, search, "wrong", ""), 401);
    DialOptions wrong;
    wrong.token = "wrong";
    EXPECT_EQ(co_await dial_code(web, wrong), "unauthorized");
    EXPECT_EQ(co_await status_of(client, http + "/mcp", "wrong", "{}"), 401);
    EXPECT_EQ(co_await status_of(client, search, "wrong", ""), 429);
    EXPECT_EQ(co_await status_of(client, search, token, ""), 429) << "a right guess is not told";
    DialOptions right;
    right.token = token;
    EXPECT_EQ(co_await dial_code(web, right), "refused");
    EXPECT_EQ(co_await status_of(client, http + "/health", "", ""), 200) << "others at that address go on";
    EXPECT_EQ(co_await dial_code(address, dialling(client_key)), "no error");
    EXPECT_NE(node->metrics().text().find("alknet_refused_credentials_total{transport=\"http\"} 3"), std::string::npos);
    EXPECT_NE(log.find("too many wrong tokens"), std::string::npos) << log;
  });
}

TEST_F(NodeTest, ClientsOfThisMachineMayTryTokensAsAProxyMayStandThere) {
  const std::string token = new_auth_token();
  run([&]() -> Task<void> {
    add_token(token);
    co_await peers_read();
    const std::string search = "http" + node->listen("ws://127.0.0.1:0").substr(2) + "/search";
    HttpClient client(loop(), {});
    for (int i = 0; i < 50; ++i) EXPECT_EQ(co_await status_of(client, search, "wrong", ""), 401);
    EXPECT_EQ(co_await status_of(client, search, token, ""), 200);
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

TEST_F(NodeTest, APortInUseIsNamedWithARemedy) {
  run([&]() -> Task<void> {
    for (const std::string& wanted : {std::string("http://127.0.0.1:0"), std::string("quic://127.0.0.1:0"),
                                      "unix:" + (folder_ / "taken").string()}) {
      const std::string taken = node->listen(wanted);
      const Error error = error_of([&] { node->listen(taken); });
      const std::string& message = error.message();
      const std::string place = taken.substr(taken.find(':') + (taken.starts_with("unix:") ? 1 : 3));
      EXPECT_NE(message.find(place), std::string::npos) << message;
      EXPECT_NE(message.find("choose another"), std::string::npos) << message;
    }
    co_return;
  });
}

}  // namespace
}  // namespace alknet::net
