#include "alknet/net/quic/transport.h"

#include <utility>

namespace alknet::net::quic {

namespace {

class QuicTransport final : public call::Transport, private ConnectionEvents {
 public:
  explicit QuicTransport(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}

  call::Framing framing() const override { return call::Framing::kLengthPrefix; }
  bool multiplexed() const override { return true; }
  const call::PeerCredentials& peer() const override { return connection_->peer(); }

  void start(call::TransportEvents& events) override {
    events_ = &events;
    connection_->start(*this);
  }

  call::StreamId open_stream() override { return connection_->open_bidirectional(); }
  bool write(call::StreamId stream, SharedBytes bytes) override { return connection_->write(stream, std::move(bytes)); }
  void finish(call::StreamId stream) override { connection_->finish(stream); }
  void reset(call::StreamId stream, call::TransportCode code) override {
    give_up(stream, static_cast<std::uint64_t>(code));
  }
  void set_reading(call::StreamId stream, bool reading) override { connection_->set_reading(stream, reading); }
  void close(call::TransportCode code, std::string_view reason) override {
    connection_->close(static_cast<std::uint64_t>(code), reason);
  }

 private:
  void give_up(StreamId stream, std::uint64_t code) {
    connection_->reset(stream, code);
    connection_->stop_sending(stream, code);
  }

  void received(StreamId stream, std::span<const std::byte> bytes) override {
    if (is_unidirectional(stream)) {
      return connection_->stop_sending(stream, static_cast<std::uint64_t>(call::TransportCode::kProtocolError));
    }
    events_->received(stream, bytes);
  }
  void finished(StreamId stream) override {
    if (!is_unidirectional(stream)) events_->finished(stream);
  }
  void was_reset(StreamId stream, std::uint64_t code) override {
    if (is_unidirectional(stream)) return;
    give_up(stream, code);
    events_->was_reset(stream, code);
  }
  void was_stopped(StreamId stream, std::uint64_t code) override { was_reset(stream, code); }
  void writable(StreamId stream) override { events_->writable(stream); }
  void closed(const Error& reason) override { events_->closed(reason); }

  std::unique_ptr<Connection> connection_;
  call::TransportEvents* events_ = nullptr;
};

}  // namespace

std::unique_ptr<call::Transport> make_transport(std::unique_ptr<Connection> connection) {
  return std::make_unique<QuicTransport>(std::move(connection));
}

Task<std::unique_ptr<call::Transport>> connect(Loop& loop, HostPort place, DialConfig config) {
  const SocketAddress address = co_await resolve(loop, place);
  if (config.expected.host_name.empty()) config.expected.host_name = place.host;
  const SocketAddress any = SocketAddress::of(HostPort{address.is_ipv6() ? "::" : "0.0.0.0", 0});
  Endpoint::Config settings;
  settings.credentials = std::move(config.credentials);
  settings.options = config.options;
  settings.logger = config.logger;
  Endpoint endpoint(loop, any, std::move(settings));
  endpoint.release_when_idle();
  // GCC 12 destroys temporaries of an awaited expression twice, so it has none.
  const std::string alpn = kCallAlpn;
  auto connection = co_await endpoint.connect(address, alpn, config.expected);
  co_return make_transport(std::move(connection));
}

Listener::Listener(Loop& loop, const SocketAddress& address, Endpoint::Config config, Accept accept)
    : endpoint_(loop, address, std::move(config)) {
  endpoint_.accept(kCallAlpn, [accept = std::move(accept)](std::unique_ptr<Connection> connection) {
    accept(make_transport(std::move(connection)));
  });
}

}  // namespace alknet::net::quic
