#include "alknet/net/stream_transport.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "alknet/call/engine/high_water.h"
#include "alknet/call/engine/single_stream_transport.h"
#include "alknet/call/error.h"
#include "alknet/net/connect.h"
#include "alknet/net/deadline.h"

namespace alknet::net {

namespace {

using call::CallError;

/// What the handlers in flight may still look at.
class StreamTransportState : public std::enable_shared_from_this<StreamTransportState> {
 public:
  StreamTransportState(Loop& loop, std::unique_ptr<ByteStream> stream, const StreamTransportOptions& options)
      : loop_(loop), stream_(std::move(stream)), close_timeout_(options.close_timeout), waiting_(options.high_water) {}

  void start(call::TransportEvents& events) {
    events_ = &events;
    read();
    if (!queue_.empty()) flush_soon();
  }

  /// The transport is destroyed: no more events.
  void abandon() {
    events_ = nullptr;
    end_.cancel();
    stream_->close();
  }

  bool write(SharedBytes bytes) {
    if (closing_ || ended_ || bytes.empty()) return true;
    const bool room = waiting_.add(bytes.size());
    queue_.push_back(std::move(bytes));
    flush_soon();
    return room;
  }

  void set_reading(bool reading) {
    if (reading_ == reading) return;
    reading_ = reading;
    if (reading_) {
      loop_.post([self = shared_from_this()] { self->read(); });
    }
  }

  void close(call::TransportCode, std::string_view reason) {
    if (closing_ || ended_) return;
    closing_ = true;
    reason_ = reason;
    end_ = Deadline(loop_, close_timeout_, [this] { end(reason_); });
    if (!writing_ && queue_.empty()) shut_down();
  }

 private:
  void read() {
    if (reading_now_ || !reading_ || ended_ || events_ == nullptr) return;
    if (!held_.empty()) {
      const auto bytes = std::exchange(held_, {});
      events_->received(0, bytes);
      if (events_ == nullptr || ended_ || !reading_) return;
    }
    reading_now_ = true;
    stream_->read([self = shared_from_this()](const std::error_code& error, std::span<const std::byte> bytes) {
      self->reading_now_ = false;
      self->take(error, bytes);
    });
  }

  void take(const std::error_code& error, std::span<const std::byte> bytes) {
    if (ended_ || events_ == nullptr) return;
    if (error) return end("connection lost: " + error.message());
    if (bytes.empty()) return end(closing_ ? reason_ : "the peer ended the connection");
    if (closing_) return read();  // nobody listens any more; only the end matters
    held_ = bytes;
    read();
  }

  /// All that is written in one turn of the loop leaves together.
  void flush_soon() {
    if (flush_posted_ || writing_) return;
    flush_posted_ = true;
    loop_.post([self = shared_from_this()] {
      self->flush_posted_ = false;
      self->flush();
    });
  }

  void flush() {
    if (ended_ || writing_ || queue_.empty()) return;
    writing_ = true;
    std::size_t size = 0;
    for (const SharedBytes& bytes : queue_) size += bytes.size();
    stream_->write(std::exchange(queue_, {}), [self = shared_from_this(), size](const std::error_code& error) {
      self->writing_ = false;
      self->wrote(size, error);
    });
  }

  void wrote(std::size_t size, const std::error_code& error) {
    if (ended_ || events_ == nullptr) return;
    if (error) return end("connection lost: " + error.message());
    waiting_.remove(size);
    flush();
    if (closing_ && !writing_) return shut_down();
    if (waiting_.resumes()) events_->writable(0);
  }

  void shut_down() {
    stream_->shutdown([self = shared_from_this()](const std::error_code&) {
      if (!self->ended_) self->end(self->reason_);
    });
  }

  void end(const std::string& reason) {
    ended_ = true;
    queue_.clear();
    end_.cancel();
    stream_->close();
    loop_.post([self = shared_from_this(), reason] {
      if (auto* events = std::exchange(self->events_, nullptr)) {
        events->closed(Error(CallError::kTransport, fmt::format("[transport] {}", reason)));
      }
    });
  }

  Loop& loop_;
  std::unique_ptr<ByteStream> stream_;
  std::chrono::milliseconds close_timeout_;
  call::TransportEvents* events_ = nullptr;
  std::vector<SharedBytes> queue_;
  call::HighWater waiting_;
  std::span<const std::byte> held_;  // read, and not wanted yet
  Deadline end_;
  std::string reason_;
  bool reading_ = true;
  bool reading_now_ = false;
  bool writing_ = false;
  bool flush_posted_ = false;
  bool closing_ = false;
  bool ended_ = false;
};

using StreamTransport = call::SingleStreamTransport<StreamTransportState, call::Framing::kLengthPrefix>;

std::unique_ptr<call::Transport> wrap(Loop& loop, std::unique_ptr<ByteStream> stream, std::string_view scheme,
                                      const StreamTransportOptions& options) {
  call::PeerCredentials peer = peer_credentials(stream->peer(), scheme);
  return make_stream_transport(loop, std::move(stream), std::move(peer), options);
}

}  // namespace

call::PeerCredentials peer_credentials(const StreamPeer& peer, std::string_view scheme) {
  call::PeerCredentials credentials;
  credentials.fingerprint = peer.fingerprint;
  credentials.certificate_name = peer.certificate_name;
  credentials.address = std::string(scheme) + peer.address;
  credentials.same_user = peer.same_user;
  return credentials;
}

std::unique_ptr<call::Transport> make_stream_transport(Loop& loop, std::unique_ptr<ByteStream> stream,
                                                       call::PeerCredentials peer, StreamTransportOptions options) {
  return std::make_unique<StreamTransport>(std::make_shared<StreamTransportState>(loop, std::move(stream), options),
                                           std::move(peer));
}

Task<std::unique_ptr<call::Transport>> connect_tls(Loop& loop, std::string host, std::uint16_t port, TlsOptions tls,
                                                   StreamTransportOptions options) {
  tls.alpn = {kCallProtocol};
  ConnectOptions connect;
  connect.tls = TlsContext::client(tls);
  std::unique_ptr<ByteStream> stream = co_await connect_tcp(loop, std::move(host), port, std::move(connect));
  co_return wrap(loop, std::move(stream), "tls:", options);
}

Task<std::unique_ptr<call::Transport>> connect_unix_transport(Loop& loop, std::filesystem::path path,
                                                              StreamTransportOptions options) {
  std::unique_ptr<ByteStream> stream = co_await connect_unix(loop, std::move(path));
  co_return wrap(loop, std::move(stream), "", options);
}

std::unique_ptr<Listener> listen_tls(Loop& loop, const std::string& address, TlsOptions tls, ListenOptions options,
                                     TransportAccepted accepted, StreamTransportOptions transport) {
  tls.alpn = {kCallProtocol};
  options.tls = TlsContext::server(tls);
  return Listener::tcp(loop, address, std::move(options),
                       [&loop, transport, accepted = std::move(accepted)](std::unique_ptr<ByteStream> stream) {
                         accepted(wrap(loop, std::move(stream), "tls:", transport));
                       });
}

std::unique_ptr<Listener> listen_unix(Loop& loop, const std::filesystem::path& path, ListenOptions options,
                                      TransportAccepted accepted, StreamTransportOptions transport) {
  return Listener::unix_socket(loop, path, std::move(options),
                               [&loop, transport, accepted = std::move(accepted)](std::unique_ptr<ByteStream> stream) {
                                 accepted(wrap(loop, std::move(stream), "", transport));
                               });
}

}  // namespace alknet::net
