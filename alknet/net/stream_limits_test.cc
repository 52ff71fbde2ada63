#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <limits>
#include <string>

#include "alknet/base/await.h"
#include "alknet/base/testing.h"
#include "alknet/call/call_test_support.h"
#include "alknet/call/connection.h"
#include "alknet/net/connect.h"
#include "alknet/net/http/server.h"
#include "alknet/net/stream_transport.h"
#include "alknet/net/testing/peer.h"
#include "alknet/net/websocket.h"

// Times and numbers of the transports over one stream of bytes: TLS, Unix sockets, WebSocket.

namespace alknet::net {
namespace {

using call::Connection;
using call::Transport;
using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::string_view kUpgrade =
    "GET /alknet/call HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

class StreamLimits : public ::testing::Test {
 protected:
  Loop& loop() { return thread_.loop(); }
  template <typename Body>
  auto run(Body body) {
    return wait_for(loop(), body());
  }

  StreamLimits() {
    std::vector<call::Registration> all;
    all.push_back(call::simple_operation("test/echo", call::echo));
    registry_->curated().add(std::move(all));
    dispatcher_ = std::make_unique<call::Dispatcher>(loop(), registry_);
    std::string pattern = (std::filesystem::temp_directory_path() / "alknet_limits_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~StreamLimits() override {
    run([&]() -> Task<void> {
      clients_.clear();
      served_.clear();
      silent_.clear();
      listener_.reset();
      server_.reset();
      co_return;
    });
    std::filesystem::remove_all(folder_);
  }
  TransportAccepted accept() {
    return [this](std::unique_ptr<Transport> transport) {
      served_.push_back(Connection::open(loop(), std::move(transport), dispatcher_.get(), nullptr));
    };
  }
  TlsOptions server_tls() const {
    TlsOptions tls;
    tls.certificate_file = certificates_ / "server.pem";
    tls.private_key_file = certificates_ / "server.key";
    return tls;
  }
  Task<void> connect(Task<std::unique_ptr<Transport>> connecting) {
    std::unique_ptr<Transport> transport = co_await std::move(connecting);
    clients_.push_back(Connection::open(loop(), std::move(transport), nullptr, nullptr));
  }
  static Task<void> expect_echo(Connection& client) {
    Message input = call::json_message("[1]");
    const Message output = co_await client.call("test/echo", std::move(input));
    EXPECT_EQ(json_text(output.value), "[1]");
  }

  /// Two clients of a listener that takes one: the second is served when the first has left.
  Task<void> expect_one_at_a_time(std::function<Task<std::unique_ptr<Transport>>()> dial) {
    co_await connect(dial());
    co_await expect_echo(*clients_.at(0));
    Completion<void> connected;
    start(loop(), connect(dial()), [connected](Outcome<void> outcome) mutable {
      outcome.ok() ? connected.set_value() : connected.set_error(outcome.error());
    });
    // Many turns of the loop, in any of which the second could be taken.
    for (int i = 0; i < 20; ++i) co_await expect_echo(*clients_.at(0));
    EXPECT_EQ(served_.size(), 1U);
    EXPECT_EQ(listener_->connections(), 1U);
    clients_.at(0)->close();
    served_.clear();
    co_await connected.wait();
    co_await expect_echo(*clients_.at(1));
    EXPECT_EQ(listener_->connections(), 1U);
  }

  /// A WebSocket server, and what a raw client of it is told.
  std::uint16_t serve_websockets(WebSocketServerOptions options, TransportAccepted accepted) {
    server_ = std::make_unique<HttpServer>(loop(), HttpServerOptions{});
    server_->route_upgrade(kWebSocketPath, "websocket",
                           accept_websockets(loop(), std::move(options), std::move(accepted)));
    const std::string address = server_->listen("127.0.0.1:0");
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  /// Everything until the server hangs up.
  static Task<std::string> read_all(ByteStream& stream) {
    std::string text;
    try {
      while (true) {
        const auto bytes = co_await read_some(stream, "client");
        if (bytes.empty()) break;
        text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      }
    } catch (const Error&) {
      text += "|reset";
    }
    co_return text;
  }

  std::filesystem::path folder_;
  const std::filesystem::path certificates_ = peer_testing::certificates();
  LoopThread thread_;
  std::shared_ptr<call::Registry> registry_ = std::make_shared<call::Registry>();
  std::unique_ptr<call::Dispatcher> dispatcher_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<HttpServer> server_;
  std::vector<std::shared_ptr<Connection>> served_;
  std::vector<std::shared_ptr<Connection>> clients_;
  std::vector<std::unique_ptr<ByteStream>> silent_;
};

TEST_F(StreamLimits, AUnixSocketServesOnlySoManyConnections) {
  run([&]() -> Task<void> {
    ListenOptions options;
    options.max_connections = 1;
    listener_ = listen_unix(loop(), folder_ / "node", options, accept());
    co_await expect_one_at_a_time([&] { return connect_unix_transport(loop(), folder_ / "node"); });
  });
}

TEST_F(StreamLimits, TlsServesOnlySoManyConnections) {
  if (certificates_.empty()) GTEST_SKIP() << "no certificates could be made";
  run([&]() -> Task<void> {
    ListenOptions options;
    options.max_connections = 1;
    listener_ = listen_tls(loop(), "127.0.0.1:0", server_tls(), options, accept());
    TlsOptions client;
    client.ca_file = certificates_ / "ca.pem";
    co_await expect_one_at_a_time([&] { return connect_tls(loop(), "localhost", listener_->port(), client); });
  });
}

TEST_F(StreamLimits, ATlsHandshakeThatStopsHalfwayIsDropped) {
  if (certificates_.empty()) GTEST_SKIP() << "no certificates could be made";
  run([&]() -> Task<void> {
    ListenOptions options;
    options.handshake_timeout = milliseconds(20);
    listener_ = listen_tls(loop(), "127.0.0.1:0", server_tls(), options, accept());
    for (const std::string_view begun : {std::string_view(), std::string_view("\x16\x03\x01\x02", 4)}) {
      ConnectOptions plain;
      const auto stream = co_await connect_tcp(loop(), "127.0.0.1", listener_->port(), plain);
      if (!begun.empty()) {
        std::vector<SharedBytes> bytes{SharedBytes::copy(begun)};
        co_await write_all(*stream, std::move(bytes), "client");
      }
      const std::string told = co_await read_all(*stream);
      EXPECT_TRUE(told.empty() || told == "|reset") << told;
      EXPECT_EQ(listener_->connections(), 0U);
    }
    EXPECT_TRUE(served_.empty());
  });
}

TEST_F(StreamLimits, AWebSocketClientWaitsOnlySoLongForTheHandshake) {
  run([&]() -> Task<void> {
    listener_ = Listener::tcp(loop(), "127.0.0.1:0", {}, [&](auto stream) { silent_.push_back(std::move(stream)); });
    WebSocketClientOptions options;
    options.handshake_timeout = milliseconds(20);
    std::string code = "no error";
    try {
      co_await connect_websocket(loop(), "ws://" + listener_->address(), options);
    } catch (const Error& error) {
      code = error.code_name();
    }
    EXPECT_EQ(code, "timeout");
  });
}

TEST_F(StreamLimits, AWebSocketThatIsSilentIsPingedAndThenClosed) {
  run([&]() -> Task<void> {
    WebSocketServerOptions options;
    options.idle_timeout = milliseconds(40);
    options.close_timeout = hours(1);
    const std::uint16_t port = serve_websockets(std::move(options), accept());
    ConnectOptions plain;
    const auto stream = co_await connect_tcp(loop(), "127.0.0.1", port, plain);
    std::vector<SharedBytes> upgrade{SharedBytes::copy(kUpgrade)};
    co_await write_all(*stream, std::move(upgrade), "client");
    const std::string told = co_await read_all(*stream);
    EXPECT_TRUE(told.starts_with("HTTP/1.1 101 ")) << told;
    const std::string frames = told.substr(told.find("\r\n\r\n") + 4);
    EXPECT_EQ(frames.substr(0, 1), "\x89") << "a ping (RFC 6455 section 5.5.2)";
    EXPECT_EQ(served_.size(), 1U);
    EXPECT_TRUE(served_.at(0)->closed());
  });
}

/// Notes the end of a transport.
struct EndOf final : call::TransportEvents {
  void received(call::StreamId, std::span<const std::byte>) override {}
  void finished(call::StreamId) override {}
  void was_reset(call::StreamId, std::uint64_t) override {}
  void writable(call::StreamId) override {}
  void closed(const Error& error) override { end.set_value(error.message()); }
  Completion<std::string> end;
};

TEST_F(StreamLimits, AWebSocketWaitsOnlySoLongForTheAnswerToItsClose) {
  run([&]() -> Task<void> {
    WebSocketServerOptions options;
    options.handshake_timeout = hours(1);
    options.idle_timeout = hours(1);
    options.close_timeout = milliseconds(20);
    EndOf notes;
    std::unique_ptr<Transport> accepted;
    const std::uint16_t port = serve_websockets(std::move(options), [&](std::unique_ptr<Transport> transport) {
      accepted = std::move(transport);
      accepted->start(notes);
      accepted->close(call::TransportCode::kDraining, "enough");
    });
    ConnectOptions plain;
    const auto stream = co_await connect_tcp(loop(), "127.0.0.1", port, plain);
    std::vector<SharedBytes> upgrade{SharedBytes::copy(kUpgrade)};
    co_await write_all(*stream, std::move(upgrade), "client");
    const std::string told = co_await read_all(*stream);
    const std::string frames = told.substr(told.find("\r\n\r\n") + 4);
    EXPECT_EQ(frames.substr(0, 1), "\x88") << "a close (RFC 6455 section 5.5.1)";
    EXPECT_EQ(frames.substr(2, 2), "\x03\xE9") << "1001, going away";
    const std::string reason = co_await notes.end.wait();
    EXPECT_EQ(reason, "[websocket] enough");
    accepted.reset();
  });
}

}  // namespace
}  // namespace alknet::net
