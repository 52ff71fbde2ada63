#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <string>

#include "alknet/base/await.h"
#include "alknet/base/testing.h"
#include "alknet/call/connection.h"
#include "alknet/net/connect.h"
#include "alknet/net/error.h"
#include "alknet/net/http/server.h"
#include "alknet/net/stream_transport.h"
#include "alknet/net/testing/peer.h"
#include "alknet/net/websocket.h"

namespace alknet::net {
namespace {

using call::Connection;
using call::Transport;
using peer_testing::PythonPeer;

/// A node that echoes, on a loop of its own, behind each transport.
class TransportTest : public ::testing::Test {
 protected:
  void SetUp() override {
    call::Registration echo;
    echo.spec.name = "test/echo";
    echo.handler = [](call::OperationContext&, Message input) -> Task<Message> { co_return input; };
    std::vector<call::Registration> all;
    all.push_back(std::move(echo));
    registry_->curated().add(std::move(all));
    dispatcher_ = std::make_unique<call::Dispatcher>(loop(), registry_);
    std::string pattern = (std::filesystem::temp_directory_path() / "alknet_net_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  void TearDown() override {
    on_loop([&] {
      client_.reset();
      connections_.clear();
      listener_.reset();
      server_.reset();
    });
    std::filesystem::remove_all(folder_);
  }
  Loop& loop() { return thread_.loop(); }
  template <typename Action>
  void on_loop(const Action& action) {
    const auto task = [&]() -> Task<void> {
      action();
      co_return;
    };
    wait_for(loop(), task());
  }
  call::PeerCredentials first_peer() {
    call::PeerCredentials peer;
    on_loop([&] { peer = peers_.at(0); });
    return peer;
  }
  TransportAccepted accept() {
    return [this](std::unique_ptr<Transport> transport) {
      peers_.push_back(transport->peer());
      connections_.push_back(Connection::open(loop(), std::move(transport), dispatcher_.get(), nullptr));
    };
  }
  std::string serve_websockets(std::shared_ptr<const TlsContext> tls, WebSocketServerOptions options) {
    std::string address;
    on_loop([&] {
      HttpServerOptions server;
      server.tls = std::move(tls);
      server_ = std::make_unique<HttpServer>(loop(), std::move(server));
      server_->route_upgrade(kWebSocketPath, "websocket", accept_websockets(loop(), std::move(options), accept()));
      address = server_->listen("127.0.0.1:0");
    });
    return address;
  }
  static WebSocketServerOptions only_good() {
    WebSocketServerOptions options;
    options.authenticate = [](const std::optional<std::string>& token) { return token == "good"; };
    return options;
  }
  static std::string port_of(const std::string& address) { return address.substr(address.rfind(':') + 1); }
  static void expect_passed(PythonPeer& peer) {
    for (std::string line = peer.first_line(); !line.empty(); line = peer.next_line()) {
      if (line.substr(0, 6) != "passed") ADD_FAILURE() << line;
    }
    EXPECT_EQ(peer.wait(), 0);
  }
  /// Calls over a transport of ours: small, many at a time, large, and with bytes.
  void expect_calls(Task<std::unique_ptr<Transport>> connect) {
    const auto open = [&](Task<std::unique_ptr<Transport>> connecting) -> Task<void> {
      std::unique_ptr<Transport> transport = co_await std::move(connecting);
      client_ = Connection::open(loop(), std::move(transport), nullptr, nullptr);
    };
    wait_for(loop(), open(std::move(connect)));
    const auto call = [&](Json value) -> Task<Json> {
      Message input{std::move(value), {}};  // not inside the call: GCC 12 destroys such temporaries twice
      Message answer = co_await client_->call("test/echo", std::move(input));
      co_return answer.value;
    };
    EXPECT_EQ(wait_for(loop(), call(Json(7))), Json(7));
    const Json large(std::string(8'000'000, 'x'));
    EXPECT_TRUE(wait_for(loop(), call(large)) == large);
    std::vector<std::promise<Json>> answers(200);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      start(loop(), call(Json(i)),
            [&, i](Outcome<Json> outcome) { answers[i].set_value(outcome.ok() ? outcome.take() : Json("failed")); });
    }
    for (std::size_t i = 0; i < answers.size(); ++i) EXPECT_EQ(answers[i].get_future().get(), Json(i));
  }

  LoopThread thread_;
  std::shared_ptr<call::Registry> registry_ = std::make_shared<call::Registry>();
  std::unique_ptr<call::Dispatcher> dispatcher_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<call::PeerCredentials> peers_;
  std::shared_ptr<Connection> client_;
  std::filesystem::path folder_;
};

TEST_F(TransportTest, UnixSocketServesAPlainClient) {
  if (!peer_testing::has_python_peer()) GTEST_SKIP() << "the Python of bin/setup is missing";
  on_loop([&] { listener_ = listen_unix(loop(), folder_ / "node", {}, accept()); });
  PythonPeer client("call_client.py", {"unix", folder_ / "node"});
  expect_passed(client);
  EXPECT_TRUE(first_peer().same_user);
}

TEST_F(TransportTest, UnixSocketCarriesOurCalls) {
  on_loop([&] { listener_ = listen_unix(loop(), folder_ / "node", {}, accept()); });
  expect_calls(connect_unix_transport(loop(), folder_ / "node"));
}

TEST_F(TransportTest, UnixSocketFilesBelongToTheirOwner) {
  const auto path = folder_ / "node";
  on_loop([&] {
    listener_ = listen_unix(loop(), path, {}, accept());
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_EQ(code_of([&] { listen_unix(loop(), path, {}, accept()); }), "listen_failed");
    listener_.reset();
    EXPECT_FALSE(std::filesystem::exists(path));
    // A file that a process left behind is replaced; one that is no socket is not.
    const int left = socket(AF_UNIX, SOCK_STREAM, 0);
    listener_ = listen_unix(loop(), folder_ / "other", {}, accept());
    std::filesystem::rename(folder_ / "other", path);
    listener_.reset();
    close(left);
    EXPECT_EQ(code_of([&] { listener_ = listen_unix(loop(), path, {}, accept()); }), "no error");
    std::filesystem::create_directory(folder_ / "folder");
    EXPECT_EQ(code_of([&] { listen_unix(loop(), folder_ / "folder", {}, accept()); }), "listen_failed");
  });
}

TEST_F(TransportTest, TlsServesAPlainClientWithACertificate) {
  const auto folder = peer_testing::certificates();
  if (folder.empty()) GTEST_SKIP() << "no certificates could be made";
  TlsOptions tls;
  tls.certificate_file = folder / "server.pem";
  tls.private_key_file = folder / "server.key";
  tls.ca_file = folder / "ca.pem";
  tls.require_client_certificate = true;
  on_loop([&] { listener_ = listen_tls(loop(), "127.0.0.1:0", tls, {}, accept()); });
  PythonPeer client("call_client.py", {"tls", std::to_string(listener_->port()), folder / "ca.pem",
                                       folder / "client.pem", folder / "client.key"});
  expect_passed(client);
  EXPECT_EQ(first_peer().certificate_name, "client one");
  EXPECT_EQ(first_peer().fingerprint.value_or("").substr(0, 7), "sha256:");
}

TEST_F(TransportTest, TlsRefusesClientsWhoseCertificateHasExpired) {
  const auto folder = peer_testing::certificates();
  if (folder.empty()) GTEST_SKIP() << "no certificates could be made";
  TlsOptions tls;
  tls.certificate_file = folder / "server.pem";
  tls.private_key_file = folder / "server.key";
  tls.ca_file = folder / "ca.pem";
  tls.require_client_certificate = true;
  std::string log;
  ListenOptions listening;
  listening.logger = Logger::to_sink(LogLevel::kInfo, [&](LogLevel, std::string_view line) { log += line; });
  on_loop([&] { listener_ = listen_tls(loop(), "127.0.0.1:0", tls, listening, accept()); });
  TlsOptions client;
  client.ca_file = folder / "ca.pem";
  client.certificate_file = folder / "expired.pem";
  client.private_key_file = folder / "expired.key";
  const auto open = [&]() -> Task<std::string> {
    std::string code = "no error";
    try {
      // A client of TLS 1.3 has ended its handshake before the server looks at its certificate.
      std::unique_ptr<Transport> transport = co_await connect_tls(loop(), "localhost", listener_->port(), client);
      client_ = Connection::open(loop(), std::move(transport), nullptr, nullptr);
      Message input{Json(7), {}};
      co_await client_->call("test/echo", std::move(input));
    } catch (const Error& error) {
      code = error.code_name();
    }
    EXPECT_TRUE(connections_.empty());
    co_return code;
  };
  EXPECT_NE(wait_for(loop(), open()), "no error");
  on_loop([&] { EXPECT_NE(log.find("certificate has expired"), std::string::npos) << log; });
  client.certificate_file = folder / "client.pem";
  client.private_key_file = folder / "client.key";
  expect_calls(connect_tls(loop(), "localhost", listener_->port(), client));
}

TEST_F(TransportTest, TlsCarriesOurCalls) {
  const auto folder = peer_testing::certificates();
  if (folder.empty()) GTEST_SKIP() << "no certificates could be made";
  TlsOptions tls;
  tls.certificate_file = folder / "server.pem";
  tls.private_key_file = folder / "server.key";
  on_loop([&] { listener_ = listen_tls(loop(), "127.0.0.1:0", tls, {}, accept()); });
  TlsOptions client;
  client.ca_file = folder / "ca.pem";
  expect_calls(connect_tls(loop(), "localhost", listener_->port(), client));
  client.ca_file = folder / "other_ca.pem";
  EXPECT_EQ(code_of([&] { wait_for(loop(), connect_tls(loop(), "localhost", listener_->port(), client)); }),
            "certificate_rejected");
}

TEST_F(TransportTest, WebSocketServesAPlainClient) {
  if (!peer_testing::has_python_peer()) GTEST_SKIP() << "the Python of bin/setup is missing";
  PythonPeer client("call_client.py", {"ws", port_of(serve_websockets(nullptr, only_good()))});
  expect_passed(client);
  EXPECT_EQ(first_peer().bearer_token, "good");
}

TEST_F(TransportTest, WebSocketServesAPlainClientOverTls) {
  const auto folder = peer_testing::certificates();
  if (folder.empty()) GTEST_SKIP() << "no certificates could be made";
  TlsOptions tls;
  tls.certificate_file = folder / "server.pem";
  tls.private_key_file = folder / "server.key";
  WebSocketServerOptions options = only_good();
  options.allowed_origins = {};
  const std::string address = serve_websockets(TlsContext::server(tls), std::move(options));
  PythonPeer client("call_client.py", {"wss", port_of(address), folder / "ca.pem"});
  expect_passed(client);
}

TEST_F(TransportTest, WebSocketCarriesOurCalls) {
  const std::string url = "ws://" + serve_websockets(nullptr, only_good());
  WebSocketClientOptions options;
  EXPECT_EQ(code_of([&] { wait_for(loop(), connect_websocket(loop(), url, options)); }), "unauthorized");
  options.bearer_token = "good";
  expect_calls(connect_websocket(loop(), url, options));
}

/// Notes what a transport says.
struct Notes final : call::TransportEvents {
  void received(call::StreamId, std::span<const std::byte> bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    changed.set_value();
  }
  void finished(call::StreamId) override {}
  void was_reset(call::StreamId, std::uint64_t) override {}
  void writable(call::StreamId) override { room.set_value(); }
  void closed(const Error& error) override {
    reason = error.message();
    end.set_value();
  }
  std::string text;
  std::string reason;
  Completion<void> changed, room, end;
};

TEST_F(TransportTest, WebSocketClientTalksToAnotherServer) {
  if (!peer_testing::has_python_peer()) GTEST_SKIP() << "the Python of bin/setup is missing";
  const PythonPeer server("websocket_server.py", {});
  const std::string base = "ws://127.0.0.1:" + server.port();
  const auto talk = [&](std::string path) -> Task<std::string> {
    WebSocketClientOptions options;
    std::unique_ptr<Transport> transport = co_await connect_websocket(loop(), base + path, std::move(options));
    Notes notes;
    transport->start(notes);
    transport->write(0, SharedBytes::copy("hello"));
    if (path == "/echo") {
      co_await notes.changed.wait();
      transport->close(call::TransportCode::kNone, "done");
    }
    co_await notes.end.wait();
    co_return notes.text + "|" + notes.reason;
  };
  EXPECT_EQ(wait_for(loop(), talk("/echo")), "hello|[websocket] done");
  EXPECT_EQ(wait_for(loop(), talk("/text")), "|[websocket] text messages are not allowed");
  EXPECT_EQ(wait_for(loop(), talk("/close")), "|[websocket] the peer closed it (1001)");
  EXPECT_EQ(code_of([&] { wait_for(loop(), talk("/refuse")); }), "refused");
  EXPECT_EQ(code_of([&] { wait_for(loop(), talk("/unauthorized")); }), "unauthorized");
  EXPECT_EQ(code_of([&] { wait_for(loop(), connect_websocket(loop(), "http://h/", {})); }), "invalid_url");
  WebSocketClientOptions token;
  token.bearer_token = "secret";
  EXPECT_EQ(code_of([&] { wait_for(loop(), connect_websocket(loop(), "ws://192.0.2.1/", token)); }),
            "insecure_credentials");
}

TEST_F(TransportTest, AStreamHoldsBackAndPauses) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  const auto test = [&]() -> Task<void> {
    StreamTransportOptions options;
    options.high_water = 1000;
    std::unique_ptr<Transport> left = make_stream_transport(loop(), adopt_socket(loop(), ends[0], "left"), {}, options);
    std::unique_ptr<Transport> right = make_stream_transport(loop(), adopt_socket(loop(), ends[1], "right"), {});
    Notes at_left, at_right;
    left->start(at_left);
    right->start(at_right);
    right->set_reading(0, false);
    EXPECT_TRUE(left->write(0, SharedBytes::copy("one,")));
    EXPECT_FALSE(left->write(0, SharedBytes::copy(std::string(2000, 'x'))));
    co_await at_left.room.wait();  // it fits in the system's buffers
    EXPECT_EQ(at_right.text, "");
    right->set_reading(0, true);
    while (at_right.text.size() < 2004) {
      co_await at_right.changed.wait();
      at_right.changed = Completion<void>();
    }
    EXPECT_EQ(at_right.text.substr(0, 5), "one,x");
    right->write(0, SharedBytes::copy("last words"));
    right->close(call::TransportCode::kNone, "enough");
    co_await at_left.end.wait();
    co_await at_right.end.wait();
    EXPECT_EQ(at_left.text, "last words");
    EXPECT_EQ(at_right.reason, "[transport] enough");
  };
  wait_for(loop(), test());
}

}  // namespace
}  // namespace alknet::net
