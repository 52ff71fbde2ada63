#pragma once

#include <gtest/gtest.h>

#include <boost/asio/ip/udp.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/loop_asio.h"
#include "alknet/base/testing.h"
#include "alknet/call/error.h"
#include "alknet/net/quic/endpoint.h"

// What the tests of QUIC share: nodes on loopback, recorders of events, a relay that loses datagrams.

namespace alknet::net::quic {

inline SocketAddress loopback(std::uint16_t port = 0) { return SocketAddress::of(HostPort("127.0.0.1", port)); }

/// Waits until `holds` does; fails the test after 20 seconds.
inline Task<void> until(std::function<bool()> holds, std::string what) {
  const auto begin = Executor::Clock::now();
  while (!holds()) {
    if (Executor::Clock::now() - begin > std::chrono::seconds(20)) {
      throw Error(BaseError::kInternal, "waited in vain for: " + what);
    }
    co_await sleep_for(std::chrono::milliseconds(1));
  }
}

/// Records what a connection tells, and may echo.
class Recorder final : public ConnectionEvents {
 public:
  explicit Recorder(std::unique_ptr<Connection> connection, bool echoes = false)
      : connection_(std::move(connection)), echoes_(echoes) {
    connection_->start(*this);
  }
  Connection& operator*() { return *connection_; }
  Connection* operator->() { return connection_.get(); }
  void drop() { connection_.reset(); }

  void received(StreamId stream, std::span<const std::byte> bytes) override {
    if (on_received) on_received(stream);
    text[stream].append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    order.push_back(stream);
    if (echoes_) connection_->write(stream, SharedBytes::copy(bytes));
  }
  void finished(StreamId stream) override {
    ended.insert(stream);
    if (echoes_ && !is_unidirectional(stream)) connection_->finish(stream);
  }
  void was_reset(StreamId stream, std::uint64_t code) override { resets[stream] = code; }
  void was_stopped(StreamId stream, std::uint64_t code) override { stops[stream] = code; }
  void writable(StreamId stream) override {
    if (on_writable) on_writable(stream);
  }
  void closed(const Error& reason) override { end = reason; }

  std::map<StreamId, std::string> text;
  std::vector<StreamId> order;
  std::set<StreamId> ended;
  std::map<StreamId, std::uint64_t> resets;
  std::map<StreamId, std::uint64_t> stops;
  std::optional<Error> end;
  std::function<void(StreamId)> on_writable;
  std::function<void(StreamId)> on_received;

 private:
  std::unique_ptr<Connection> connection_;
  bool echoes_;
};

/// A server that accepts everybody for "test" and a client endpoint.
struct Nodes {
  explicit Nodes(Loop& runs_on) : loop(runs_on) {
    server_config.credentials.key = PrivateKey::generate();
    server_config.admission = [](const call::PeerCredentials&) {};
    server_config.logger =
        Logger::to_sink(LogLevel::kInfo, [this](LogLevel, std::string_view line) { log += std::string(line) + "\n"; });
    client_config.credentials.key = PrivateKey::generate();
    expected.fingerprints = {server_config.credentials.key->fingerprint()};
  }

  void start() {
    server.emplace(loop, loopback(), server_config);
    server->accept("test", [this](std::unique_ptr<Connection> connection) {
      accepted.push_back(std::make_unique<Recorder>(std::move(connection), echoes));
    });
    client.emplace(loop, loopback(), client_config);
  }

  /// Dials the server, or `port` of this machine.
  Task<std::unique_ptr<Recorder>> dial(std::uint16_t port = 0, std::string alpn = "test") {
    if (!server) start();
    const SocketAddress place = port == 0 ? server->address() : loopback(port);
    auto connection = co_await client->connect(place, alpn, expected);
    co_return std::make_unique<Recorder>(std::move(connection));
  }

  /// The error of a dial that must fail.
  Task<Error> refusal(std::uint16_t port = 0, std::string alpn = "test") {
    try {
      co_await dial(port, alpn);
    } catch (const Error& error) {
      co_return error;
    }
    co_return Error(BaseError::kInternal, "the connection was accepted");
  }

  Loop& loop;
  Endpoint::Config server_config;
  Endpoint::Config client_config;
  ExpectedServer expected;
  bool echoes = true;
  std::string log;
  std::vector<std::unique_ptr<Recorder>> accepted;
  std::optional<Endpoint> server;
  std::optional<Endpoint> client;
};

/// Runs a test's coroutine on a loop of its own; nodes made inside end there.
template <typename Body>
void on_loop(Body body) {
  LoopThread thread;
  const auto run = [&]() -> Task<void> {
    Nodes nodes(thread.loop());
    co_await body(nodes);
  };
  wait_for(thread.loop(), run());
}

/// A UDP relay between one client and a server that loses, repeats and delays datagrams as seeded chance has it.
class Relay {
 public:
  using Udp = boost::asio::ip::udp;

  struct Faults {
    double loss = 0;
    double repeat = 0;
    double reorder = 0;  ///< held back until the next two have passed
    std::uint32_t seed = 1;
  };

  Relay(Loop& loop, std::uint16_t server, Faults faults)
      : loop_(loop),
        faults_(faults),
        random_(faults.seed),
        client_side_(
            std::make_shared<Udp::socket>(io_context(loop), Udp::endpoint(boost::asio::ip::address_v4::loopback(), 0))),
        server_(boost::asio::ip::address_v4::loopback(), server) {
    rebind();
    read(client_side_, true);
  }

  std::uint16_t port() const { return client_side_->local_endpoint().port(); }

  /// What a NAT does after a while: the server sees another port of the client from now on.
  void rebind() {
    server_side_ =
        std::make_shared<Udp::socket>(io_context(loop_), Udp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    read(server_side_, false);
  }

  /// Another server takes the place of the first.
  void set_server(std::uint16_t port) { server_.port(port); }

  /// How many datagrams of the client pass from now on.
  std::size_t passes_from_client = SIZE_MAX;
  std::size_t seen = 0;
  std::size_t lost = 0;

 private:
  using Packet = std::vector<char>;

  void read(const std::shared_ptr<Udp::socket>& socket, bool from_client) {
    auto buffer = std::make_shared<Packet>(65536);
    auto from = std::make_shared<Udp::endpoint>();
    // A datagram may have come just before the relay or the socket went.
    socket->async_receive_from(boost::asio::buffer(*buffer), *from,
                               [this, weak = std::weak_ptr(socket), from_client, buffer, from](
                                   const boost::system::error_code& error, std::size_t size) {
                                 const auto same = weak.lock();
                                 if (!same || error == boost::asio::error::operation_aborted) return;
                                 if (!error) {
                                   buffer->resize(size);
                                   if (from_client) client_ = *from;
                                   pass(std::move(*buffer), from_client);
                                 }
                                 read(same, from_client);
                               });
  }

  void pass(Packet packet, bool from_client) {
    ++seen;
    if (from_client && passes_from_client == 0) return;
    if (from_client && passes_from_client != SIZE_MAX) --passes_from_client;
    std::uniform_real_distribution<double> chance(0, 1);
    if (chance(random_) < faults_.loss) {
      ++lost;
      return;
    }
    if (chance(random_) < faults_.reorder) {
      held_.push_back({std::move(packet), from_client, 2});
      return;
    }
    send(packet, from_client);
    if (chance(random_) < faults_.repeat) send(packet, from_client);
    for (auto& late : held_) --late.after;
    while (!held_.empty() && held_.front().after <= 0) {
      send(held_.front().packet, held_.front().from_client);
      held_.erase(held_.begin());
    }
  }

  void send(const Packet& packet, bool from_client) {
    boost::system::error_code ignored;  // as the network does
    if (from_client) {
      server_side_->send_to(boost::asio::buffer(packet), server_, 0, ignored);
    } else {
      client_side_->send_to(boost::asio::buffer(packet), client_, 0, ignored);
    }
  }

  struct Late {
    Packet packet;
    bool from_client;
    int after;
  };

  Loop& loop_;
  Faults faults_;
  std::mt19937 random_;
  std::shared_ptr<Udp::socket> client_side_;
  std::shared_ptr<Udp::socket> server_side_;
  Udp::endpoint server_;
  Udp::endpoint client_;
  std::vector<Late> held_;
};

}  // namespace alknet::net::quic
