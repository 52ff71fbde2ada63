#include "alknet/stream/quic_connection.h"

#include <utility>

#include "alknet/stream/limits.h"

namespace alknet::stream {
namespace {

constexpr net::quic::Priority kTensorPriority{4, false};

class QuicStreams final : public StreamConnection, private net::quic::ConnectionEvents {
 public:
  explicit QuicStreams(std::unique_ptr<net::quic::Connection> connection) : connection_(std::move(connection)) {}

  void start(StreamEvents& events) override {
    events_ = &events;
    connection_->start(*this);
  }
  StreamId open_bidirectional() override { return connection_->open_bidirectional(); }
  StreamId open_unidirectional() override {
    const StreamId stream = connection_->open_unidirectional();
    connection_->set_priority(stream, kTensorPriority);
    return stream;
  }
  bool write(StreamId stream, SharedBytes bytes) override { return connection_->write(stream, std::move(bytes)); }
  void finish(StreamId stream) override { connection_->finish(stream); }
  void reset(StreamId stream, TransportCode code) override {
    connection_->reset(stream, static_cast<std::uint64_t>(code));
  }
  void stop_sending(StreamId stream, TransportCode code) override {
    connection_->stop_sending(stream, static_cast<std::uint64_t>(code));
  }
  void set_reading(StreamId stream, bool reading) override { connection_->set_reading(stream, reading); }
  void close(TransportCode code, std::string_view reason) override {
    connection_->close(static_cast<std::uint64_t>(code), reason);
  }

 private:
  void received(StreamId stream, std::span<const std::byte> bytes) override { events_->received(stream, bytes); }
  void finished(StreamId stream) override { events_->finished(stream); }
  void was_reset(StreamId stream, std::uint64_t code) override { events_->was_reset(stream, code); }
  void was_stopped(StreamId stream, std::uint64_t code) override { events_->was_stopped(stream, code); }
  void writable(StreamId stream) override { events_->writable(stream); }
  void ended(StreamId stream) override {
    if (is_unidirectional(stream)) events_->delivered(stream);
  }
  void closed(const Error& reason) override { events_->closed(reason); }

  std::unique_ptr<net::quic::Connection> connection_;
  StreamEvents* events_ = nullptr;
};

}  // namespace

std::unique_ptr<StreamConnection> make_stream_connection(std::unique_ptr<net::quic::Connection> connection) {
  return std::make_unique<QuicStreams>(std::move(connection));
}

Task<std::unique_ptr<StreamConnection>> dial_quic(Loop& loop, net::HostPort place, net::quic::DialConfig config) {
  const net::SocketAddress address = co_await net::resolve(loop, place);
  if (config.expected.host_name.empty()) config.expected.host_name = place.host;
  const net::HostPort anywhere{address.is_ipv6() ? "::" : "0.0.0.0", 0};
  net::quic::Endpoint::Config settings;
  settings.credentials = std::move(config.credentials);
  settings.options = config.options;
  settings.options.max_unidirectional_streams = kMaxOpenStreams;
  settings.logger = config.logger;
  net::quic::Endpoint endpoint(loop, net::SocketAddress::of(anywhere), std::move(settings));
  endpoint.release_when_idle();
  // GCC 12 destroys temporaries of an awaited expression twice, so it has none.
  const std::string alpn = kAlpn;
  auto connection = co_await endpoint.connect(address, alpn, config.expected);
  co_return make_stream_connection(std::move(connection));
}

void serve_quic(net::quic::Endpoint& endpoint, TensorServer& server,
                std::function<std::optional<std::string>(const call::PeerCredentials&)> identify) {
  endpoint.accept(kAlpn, [&server, identify = std::move(identify)](std::unique_ptr<net::quic::Connection> connection) {
    std::optional<std::string> identity;
    try {
      identity = identify(connection->peer());
    } catch (const Error& error) {
      return connection->close(static_cast<std::uint64_t>(TransportCode::kUnauthorized), error.message());
    }
    server.serve(make_stream_connection(std::move(connection)), std::move(identity));
  });
}

}  // namespace alknet::stream
