#include "alknet/net/quic/transport.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/testing.h"

namespace alknet::net::quic {
namespace {

/// Collects what a transport tells; echoes what it is told to.
class Peer final : public call::TransportEvents {
 public:
  explicit Peer(std::unique_ptr<call::Transport> transport, bool echoes = false)
      : transport_(std::move(transport)), echoes_(echoes) {
    transport_->start(*this);
  }
  void received(call::StreamId stream, std::span<const std::byte> bytes) override {
    text[stream] += std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (echoes_) transport_->write(stream, SharedBytes::copy(bytes));
    if (text[stream].size() >= wanted) done.set_value();
  }
  void finished(call::StreamId stream) override {
    if (echoes_) transport_->finish(stream);
  }
  void was_reset(call::StreamId, std::uint64_t) override {}
  void writable(call::StreamId) override {}
  void closed(const Error& reason) override { end.set_value(reason.message()); }

  call::Transport& transport() { return *transport_; }

  std::map<call::StreamId, std::string> text;
  std::size_t wanted = SIZE_MAX;
  Completion<> done;
  Completion<std::string> end;

 private:
  std::unique_ptr<call::Transport> transport_;
  bool echoes_;
};

TEST(QuicTransport, CarriesBytesBothWaysBetweenRawKeys) {
  LoopThread thread;
  Loop& loop = thread.loop();
  const PrivateKey server_key = PrivateKey::generate();
  const PrivateKey client_key = PrivateKey::generate();
  const auto talk = [&]() -> Task<std::string> {
    std::unique_ptr<Peer> server;
    Endpoint::Config config;
    config.credentials.key = server_key;
    std::string admitted;
    config.admission = [&](const call::PeerCredentials& peer) { admitted = peer.fingerprint.value(); };
    Listener listener(loop, SocketAddress::of(HostPort{"127.0.0.1", 0}), config,
                      [&](std::unique_ptr<call::Transport> transport) {
                        server = std::make_unique<Peer>(std::move(transport), true);
                      });
    DialConfig dial;
    dial.credentials.key = client_key;
    dial.expected.fingerprints = {server_key.fingerprint()};
    const HostPort place("127.0.0.1", listener.address().port());
    auto transport = co_await connect(loop, place, dial);
    Peer client(std::move(transport));
    EXPECT_EQ(admitted, client_key.fingerprint());
    EXPECT_EQ(client.transport().peer().fingerprint, server_key.fingerprint());
    const call::StreamId stream = client.transport().open_stream();
    client.wanted = 5;
    client.transport().write(stream, SharedBytes::copy("hello"));
    co_await client.done.wait();
    client.transport().close(call::TransportCode::kNone, "done");
    co_await client.end.wait();
    const std::string end = co_await server->end.wait();
    EXPECT_NE(end.find("done"), std::string::npos) << end;
    co_return client.text[stream];
  };
  EXPECT_EQ(wait_for(loop, talk()), "hello");
}

}  // namespace
}  // namespace alknet::net::quic
