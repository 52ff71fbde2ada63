#include <gtest/gtest.h>

#include <boost/asio/ip/udp.hpp>

#include "alknet/net/quic/quic_test_support.h"

namespace alknet::net::quic {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::system_clock;

/// A server with a certificate for localhost by `issuer` with its own options.
void use_certificate(Nodes& nodes, const Certificate& authority, CertificateOptions options) {
  options.host_names = {"localhost", "127.0.0.1"};
  nodes.server_config.credentials.key.reset();
  nodes.server_config.credentials.certificate = Certificate::issued_by(authority, options);
  nodes.expected.fingerprints.clear();
  nodes.expected.authorities_pem = authority.chain_pem();
  nodes.expected.host_name = "localhost";
}

Certificate authority() { return Certificate::self_signed({.common_name = "Test CA", .is_authority = true}); }

Task<void> echoes(Recorder& peer) {
  const StreamId stream = peer->open_bidirectional();
  peer->write(stream, SharedBytes::copy("ping"));
  peer->finish(stream);
  co_await until([&] { return peer.ended.contains(stream); }, "an echo");
  EXPECT_EQ(peer.text[stream], "ping");
}

TEST(QuicHandshake, ProvesRawKeysOnBothSides) {
  on_loop([](Nodes& nodes) -> Task<void> {
    auto peer = co_await nodes.dial();
    EXPECT_EQ((*peer)->peer().fingerprint, nodes.server_config.credentials.key->fingerprint());
    EXPECT_EQ((*nodes.accepted.at(0))->peer().fingerprint, nodes.client_config.credentials.key->fingerprint());
    EXPECT_EQ((*peer)->alpn(), "test");
    co_await echoes(*peer);
  });
}

TEST(QuicHandshake, VerifiesACertificateByItsAuthority) {
  on_loop([](Nodes& nodes) -> Task<void> {
    const Certificate ca = authority();
    use_certificate(nodes, ca, {.common_name = "node"});
    const Certificate client = Certificate::issued_by(ca, {.common_name = "laptop"});
    nodes.client_config.credentials.key.reset();
    nodes.client_config.credentials.certificate = client;
    nodes.server_config.client_authorities_pem = ca.chain_pem();
    auto peer = co_await nodes.dial();
    EXPECT_EQ((*peer)->peer().certificate_name, "node");
    const auto& shown = (*nodes.accepted.at(0))->peer();
    EXPECT_EQ(shown.certificate_name, "laptop");
    EXPECT_EQ(shown.fingerprint, client.fingerprint());
    co_await echoes(*peer);
  });
}

TEST(QuicHandshake, AcceptsAPinnedSelfSignedCertificate) {
  on_loop([](Nodes& nodes) -> Task<void> {
    const Certificate own = Certificate::self_signed(PrivateKey::generate(), CertificateOptions{});
    nodes.server_config.credentials.certificate = own;
    nodes.expected.fingerprints = {own.fingerprint()};
    auto peer = co_await nodes.dial();
    EXPECT_EQ((*peer)->peer().fingerprint, own.fingerprint());
    co_await echoes(*peer);
  });
}

struct BadCertificate {
  const char* name;
  CertificateOptions options;
  const char* host;
  const char* reason;
};

TEST(QuicHandshake, RefusesCertificatesThatProveNothing) {
  const auto now = system_clock::now();
  const std::vector<BadCertificate> cases = {
      {"expired", {.not_before = now - hours(48), .not_after = now - hours(24)}, "localhost", "expired"},
      {"not yet valid", {.not_before = now + hours(24), .not_after = now + hours(48)}, "localhost", "not valid yet"},
      {"another name", {}, "example.org", "not accepted for `example.org`"},
  };
  for (const auto& bad : cases) {
    on_loop([&](Nodes& nodes) -> Task<void> {
      const Certificate ca = authority();
      use_certificate(nodes, ca, bad.options);
      nodes.expected.host_name = bad.host;
      const Error error = co_await nodes.refusal();
      EXPECT_EQ(error.code_name(), "unauthorized") << bad.name;
      EXPECT_NE(error.message().find(bad.reason), std::string::npos) << error.message();
      EXPECT_TRUE(nodes.accepted.empty());
    });
  }
}

TEST(QuicHandshake, RefusesACertificateOfAnotherAuthority) {
  on_loop([](Nodes& nodes) -> Task<void> {
    use_certificate(nodes, authority(), {});
    nodes.expected.authorities_pem = authority().chain_pem();
    const Error error = co_await nodes.refusal();
    EXPECT_EQ(error.code_name(), "unauthorized") << error.message();
  });
}

TEST(QuicHandshake, RefusesAServerWithAnotherKeyThanThePinnedOne) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.expected.fingerprints = {PrivateKey::generate().fingerprint()};
    const Error error = co_await nodes.refusal();
    EXPECT_EQ(error.code_name(), "unauthorized");
    EXPECT_NE(error.message().find("expected was " + nodes.expected.fingerprints[0]), std::string::npos);
    co_await until(
        [&] { return nodes.log.find("expected was") != std::string::npos || nodes.server->handshakes() == 0; },
        "the server to hear of it");
    EXPECT_TRUE(nodes.accepted.empty());
  });
}

TEST(QuicHandshake, RefusesToDialWithoutAnythingToRecogniseTheServerBy) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.expected = {};
    EXPECT_EQ((co_await nodes.refusal()).code_name(), "configuration");
    nodes.expected.fingerprints = {"ed25519:1234"};
    EXPECT_EQ((co_await nodes.refusal()).code_name(), "configuration");
  });
}

TEST(QuicHandshake, TellsBothSidesWhyAClientIsRefused) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.server_config.admission = [](const call::PeerCredentials& peer) {
      throw Error(call::CallError::kUnauthorized, peer.fingerprint.value_or("nobody") + " is unknown here");
    };
    Error error = co_await nodes.refusal();
    EXPECT_EQ(error.code_name(), "unauthorized") << error.message();
    const std::string reason = nodes.client_config.credentials.key->fingerprint() + " is unknown here";
    EXPECT_NE(error.message().find(reason), std::string::npos) << error.message();
    EXPECT_NE(nodes.log.find(reason), std::string::npos) << nodes.log;
    EXPECT_TRUE(nodes.accepted.empty());
    EXPECT_EQ(nodes.server->handshakes(), 0U);

    nodes.client_config.credentials = {};
    nodes.client.emplace(nodes.loop, loopback(), nodes.client_config);
    error = co_await nodes.refusal();
    EXPECT_EQ(error.code_name(), "unauthorized");
    EXPECT_NE(error.message().find("nobody is unknown here"), std::string::npos) << error.message();
  });
}

TEST(QuicHandshake, AcceptsNobodyWithoutAnAdmission) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.server_config.admission = nullptr;
    EXPECT_EQ((co_await nodes.refusal()).code_name(), "unauthorized");
  });
}

TEST(QuicHandshake, RefusesAnotherApplicationProtocol) {
  on_loop([](Nodes& nodes) -> Task<void> {
    const Error error = co_await nodes.refusal(0, "other");
    EXPECT_EQ(error.code_name(), "transport");
    EXPECT_NE(error.message().find("application protocol"), std::string::npos) << error.message();
    EXPECT_NE(nodes.log.find("application protocol"), std::string::npos) << nodes.log;
    co_await echoes(*co_await nodes.dial());
  });
}

TEST(QuicHandshake, ServesSeveralProtocolsOnOnePort) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.start();
    std::vector<std::unique_ptr<Recorder>> others;
    nodes.server->accept("other", [&](std::unique_ptr<Connection> connection) {
      others.push_back(std::make_unique<Recorder>(std::move(connection), true));
    });
    auto first = co_await nodes.dial(0, "other");
    auto second = co_await nodes.dial(0, "test");
    EXPECT_EQ(others.size(), 1U);
    EXPECT_EQ(nodes.accepted.size(), 1U);
    co_await echoes(*first);
    co_await echoes(*second);
  });
}

TEST(QuicHandshake, SaysSoonThatNobodyListens) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.client.emplace(nodes.loop, loopback(), nodes.client_config);
    nodes.client->release_when_idle();
    std::uint16_t free = 0;
    { free = Endpoint(nodes.loop, loopback(), nodes.client_config).address().port(); }
    std::string message;
    try {
      const SocketAddress nobody = loopback(free);
      const std::string alpn = "test";
      co_await nodes.client->connect(nobody, alpn, nodes.expected);
    } catch (const Error& error) {
      message = error.message();
    }
    EXPECT_NE(message.find("nobody listens"), std::string::npos) << message;
  });
}

TEST(QuicHandshake, GivesUpWhenNoAnswerComes) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.client_config.options.handshake_timeout = milliseconds(50);
    nodes.start();
    Relay relay(nodes.loop, nodes.server->address().port(), {.loss = 1});
    const Error error = co_await nodes.refusal(relay.port());
    EXPECT_EQ(error.code_name(), "transport");
    EXPECT_NE(error.message().find("no answer within 50 ms"), std::string::npos) << error.message();
  });
}

TEST(QuicHandshake, ForgetsClientsThatStopHalfway) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.server_config.options.handshake_timeout = milliseconds(50);
    nodes.client_config.options.handshake_timeout = milliseconds(100);
    nodes.start();
    Relay relay(nodes.loop, nodes.server->address().port(), {});
    relay.passes_from_client = 1;
    EXPECT_EQ((co_await nodes.refusal(relay.port())).code_name(), "transport");
    co_await until([&] { return nodes.server->connections() == 0; }, "the server to forget");
    EXPECT_EQ(nodes.server->handshakes(), 0U);
    EXPECT_TRUE(nodes.accepted.empty());
  });
}

TEST(QuicHandshake, AsksForAProofOfAddress) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.server_config.options.retry = RetryPolicy::kAlways;
    nodes.start();
    Relay relay(nodes.loop, nodes.server->address().port(), {});
    relay.passes_from_client = 1;
    nodes.client_config.options.handshake_timeout = milliseconds(50);
    nodes.client.emplace(nodes.loop, loopback(), nodes.client_config);
    co_await nodes.refusal(relay.port());
    EXPECT_EQ(nodes.server->connections(), 0U) << "the first packet must not make the server keep anything";
    nodes.client_config.options.handshake_timeout = milliseconds(10'000);
    nodes.client.emplace(nodes.loop, loopback(), nodes.client_config);
    co_await echoes(*co_await nodes.dial());
  });
}

TEST(QuicHandshake, RefusesConnectionsAboveTheLimit) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.server_config.options.max_connections = 2;
    auto first = co_await nodes.dial();
    auto second = co_await nodes.dial();
    const Error error = co_await nodes.refusal();
    EXPECT_EQ(error.code_name(), "transport") << error.message();
    EXPECT_NE(nodes.log.find("too many"), std::string::npos) << nodes.log;
    co_await echoes(*first);
    first->drop();
    co_await until([&] { return nodes.server->connections() < 2; }, "room");
    co_await echoes(*co_await nodes.dial());
  });
}

TEST(QuicHandshake, RefusesHandshakesAboveTheLimit) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.server_config.options.max_handshakes = 1;
    nodes.start();
    Relay relay(nodes.loop, nodes.server->address().port(), {});
    relay.passes_from_client = 1;
    Completion<std::shared_ptr<Recorder>> halfway;
    start(nodes.loop, nodes.dial(relay.port()), [halfway](Outcome<std::unique_ptr<Recorder>> outcome) mutable {
      outcome.ok() ? halfway.set_value(std::shared_ptr<Recorder>(outcome.take())) : halfway.set_error(outcome.error());
    });
    co_await until([&] { return nodes.server->handshakes() == 1; }, "a client that stops halfway");
    const Error error = co_await nodes.refusal();
    EXPECT_EQ(error.code_name(), "transport") << error.message();
    EXPECT_NE(nodes.log.find("too many"), std::string::npos) << nodes.log;
    EXPECT_EQ(nodes.server->connections(), 1U);
    relay.passes_from_client = SIZE_MAX;
    const auto first = co_await halfway.wait();
    co_await echoes(*first);
    const auto second = co_await nodes.dial();
    co_await echoes(*second);
  });
}

TEST(QuicHandshake, RefusesClientsWhoseCertificateIsNotCurrent) {
  const auto now = system_clock::now();
  const std::vector<BadCertificate> cases = {
      {"expired",
       {.common_name = "laptop", .not_before = now - hours(48), .not_after = now - hours(24)},
       "",
       "expired"},
      {"not yet valid", {.common_name = "laptop", .not_before = now + hours(24)}, "", "not valid yet"},
  };
  for (const auto& bad : cases) {
    on_loop([&](Nodes& nodes) -> Task<void> {
      const Certificate ca = authority();
      nodes.server_config.client_authorities_pem = ca.chain_pem();
      nodes.client_config.credentials.key.reset();
      nodes.client_config.credentials.certificate = Certificate::issued_by(ca, bad.options);
      const Error error = co_await nodes.refusal();
      EXPECT_EQ(error.code_name(), "unauthorized") << bad.name;
      EXPECT_NE(nodes.log.find(bad.reason), std::string::npos) << nodes.log;
      EXPECT_TRUE(nodes.accepted.empty());
    });
  }
}

TEST(QuicEndpoint, SaysThatAPortIsInUse) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.start();
    const Error error = error_of([&] { Endpoint second(nodes.loop, nodes.server->address(), nodes.server_config); });
    EXPECT_EQ(error.code_name(), "transport");
    EXPECT_NE(error.message().find("another program has it"), std::string::npos) << error.message();
    co_return;
  });
}

/// A socket for datagrams that no QUIC stack would send.
class RawSocket {
 public:
  RawSocket(Loop& loop, const SocketAddress& to)
      : socket_(io_context(loop), boost::asio::ip::udp::endpoint(boost::asio::ip::address_v4::loopback(), 0)),
        to_(boost::asio::ip::address_v4::loopback(), to.port()) {
    socket_.non_blocking(true);
  }
  void send(const std::vector<std::uint8_t>& bytes) { socket_.send_to(boost::asio::buffer(bytes), to_); }
  std::vector<std::uint8_t> receive() {
    std::vector<std::uint8_t> bytes(65536);
    boost::system::error_code error;
    bytes.resize(socket_.receive(boost::asio::buffer(bytes), 0, error));
    return bytes;
  }

 private:
  boost::asio::ip::udp::socket socket_;
  boost::asio::ip::udp::endpoint to_;
};

TEST(QuicEndpoint, OffersItsVersionToClientsOfOthers) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.start();
    RawSocket raw(nodes.loop, nodes.server->address());
    std::vector<std::uint8_t> packet(1200, 0);
    const std::vector<std::uint8_t> header{0xC0, 0x1A, 0x2A, 0x3A, 0x4A, 8, 1, 2, 3, 4, 5, 6, 7, 8, 4, 9, 9, 9, 9};
    std::copy(header.begin(), header.end(), packet.begin());
    raw.send(packet);
    std::vector<std::uint8_t> answer;
    co_await until([&] { return !(answer = raw.receive()).empty(); }, "a version negotiation packet");
    // RFC 9000 section 17.2.1: version 0, our ids exchanged, then the versions.
    EXPECT_EQ(std::vector<std::uint8_t>(answer.begin() + 1, answer.begin() + 5), std::vector<std::uint8_t>(4, 0));
    EXPECT_EQ(std::vector<std::uint8_t>(answer.begin() + 5, answer.begin() + 10),
              (std::vector<std::uint8_t>{4, 9, 9, 9, 9}));
    EXPECT_EQ(std::vector<std::uint8_t>(answer.end() - 4, answer.end()), (std::vector<std::uint8_t>{0, 0, 0, 1}));
    EXPECT_EQ(nodes.server->connections(), 0U);
  });
}

TEST(QuicEndpoint, LivesThroughGarbage) {
  on_loop([](Nodes& nodes) -> Task<void> {
    nodes.server_config.options.handshake_timeout = milliseconds(100);
    nodes.start();
    auto peer = co_await nodes.dial();
    RawSocket raw(nodes.loop, nodes.server->address());
    std::mt19937 random(7);
    for (int i = 0; i < 2000; ++i) {
      std::vector<std::uint8_t> bytes(random() % 1500);
      for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
      if (bytes.size() > 20 && i % 2 == 0) {
        // A long header of version 1 with a length of connection id that fits, so that more of it is read.
        bytes[0] = static_cast<std::uint8_t>(0xC0 | (bytes[0] & 0x3F));
        bytes[1] = bytes[2] = bytes[3] = 0;
        bytes[4] = 1;
        bytes[5] = 8;
        bytes[14] = static_cast<std::uint8_t>(random() % 21);
      }
      if (!bytes.empty()) raw.send(bytes);
      if (i % 50 == 0) co_await reschedule();
    }
    co_await echoes(*peer);
    co_await echoes(*co_await nodes.dial());
    co_await until([&] { return nodes.server->handshakes() == 0; }, "half-open connections to go");
  });
}

}  // namespace
}  // namespace alknet::net::quic
