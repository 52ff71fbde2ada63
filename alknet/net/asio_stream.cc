#include "alknet/net/asio_stream.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstring>
#include <utility>

#include "alknet/net/error.h"
#include "alknet/net/tls_asio.h"

namespace alknet::net {

namespace asio = boost::asio;

namespace {

/// Enough for a TLS record, and for half a dozen system calls a megabyte.
constexpr std::size_t kReadBuffer = 64U << 10U;

Socket& socket_of(Socket& layer) { return layer; }
Socket& socket_of(asio::ssl::stream<Socket>& layer) { return layer.next_layer(); }

/// Buffers that outlive every copy of this view.
struct BufferView {
  using value_type = asio::const_buffer;             // NOLINT(readability-identifier-naming): Asio wants these names
  using const_iterator = const asio::const_buffer*;  // NOLINT(readability-identifier-naming)
  const_iterator first, last;
  const_iterator begin() const { return first; }
  const_iterator end() const { return last; }
};

/// What the handlers in flight keep alive.
template <typename Layer>
struct StreamCore : std::enable_shared_from_this<StreamCore<Layer>> {
  template <typename... Arguments>
  explicit StreamCore(Arguments&&... arguments) : layer(std::forward<Arguments>(arguments)...) {}

  void close() {
    boost::system::error_code ignored;
    socket_of(layer).close(ignored);
  }

  Layer layer;
  std::unique_ptr<std::byte[]> buffer;
  std::vector<std::byte> put_back;
  std::vector<std::byte> put_back_shown;
  std::vector<SharedBytes> writing;
  std::vector<asio::const_buffer> buffers;
};

template <typename Layer>
class AsioStream final : public ByteStream {
 public:
  AsioStream(std::shared_ptr<StreamCore<Layer>> core, StreamPeer peer)
      : core_(std::move(core)), peer_(std::move(peer)) {}
  ~AsioStream() override { core_->close(); }

  void read(ReadHandler handler) override {
    if (!core_->put_back.empty()) {
      core_->put_back_shown = std::exchange(core_->put_back, {});
      asio::post(core_->layer.get_executor(),
                 [core = core_, handler = std::move(handler)] { handler({}, core->put_back_shown); });
      return;
    }
    if (!core_->buffer) core_->buffer = std::make_unique_for_overwrite<std::byte[]>(kReadBuffer);
    core_->layer.async_read_some(
        asio::buffer(core_->buffer.get(), kReadBuffer),
        [core = core_, handler = std::move(handler)](const boost::system::error_code& error, std::size_t size) {
          if (error == asio::error::eof) return handler({}, {});
          handler(error, std::span(core->buffer.get(), error ? 0 : size));
        });
  }

  void unread(std::span<const std::byte> bytes) override {
    core_->put_back.insert(core_->put_back.begin(), bytes.begin(), bytes.end());
  }

  void write(std::vector<SharedBytes> bytes, DoneHandler handler) override {
    core_->writing = std::move(bytes);
    core_->buffers.clear();
    for (const SharedBytes& part : core_->writing) core_->buffers.emplace_back(part.data(), part.size());
    const auto* first = core_->buffers.data();
    asio::async_write(
        core_->layer, BufferView{first, first + core_->buffers.size()},
        [core = core_, handler = std::move(handler)](const boost::system::error_code& error, std::size_t) {
          core->writing.clear();
          handler(error);
        });
  }

  void shutdown(DoneHandler handler) override {
    if constexpr (std::is_same_v<Layer, Socket>) {
      boost::system::error_code error;
      core_->layer.shutdown(asio::socket_base::shutdown_send, error);
      asio::post(core_->layer.get_executor(), [core = core_, error, handler = std::move(handler)] { handler(error); });
    } else {
      core_->layer.async_shutdown(
          [core = core_, handler = std::move(handler)](const boost::system::error_code& error) { handler(error); });
    }
  }

  void close() override { core_->close(); }
  const StreamPeer& peer() const override { return peer_; }

 private:
  std::shared_ptr<StreamCore<Layer>> core_;
  StreamPeer peer_;
};

using TlsCore = StreamCore<asio::ssl::stream<Socket>>;

class AsioTlsHandshake final : public TlsHandshake {
 public:
  explicit AsioTlsHandshake(std::shared_ptr<TlsCore> core) : core_(std::move(core)) {}
  ~AsioTlsHandshake() override {
    if (*alive_) core_->close();
    *alive_ = false;
  }

  void start(std::shared_ptr<const TlsContext> context, bool is_server, std::string host, StreamPeer peer, Done done) {
    const auto type = is_server ? asio::ssl::stream_base::server : asio::ssl::stream_base::client;
    core_->layer.async_handshake(
        type, [core = core_, alive = alive_, context = std::move(context), host = std::move(host),
               peer = std::move(peer), done = std::move(done)](const boost::system::error_code& error) mutable {
          if (!std::exchange(*alive, false)) return;
          SSL* connection = core->layer.native_handle();
          const std::string where = host.empty() ? peer.address : host;
          if (error) return done(std::make_exception_ptr(tls_error(connection, where, error)), nullptr);
          describe_tls_peer(connection, context->state(), peer);
          if (context->state().needs_alpn && peer.alpn.empty()) {
            return done(std::make_exception_ptr(Error(
                            NetError::kTlsFailed,
                            fmt::format("[{}] the peer speaks none of the protocols that were offered (ALPN)", where))),
                        nullptr);
          }
          done(nullptr, std::make_unique<AsioStream<asio::ssl::stream<Socket>>>(std::move(core), std::move(peer)));
        });
  }

 private:
  std::shared_ptr<TlsCore> core_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace

std::unique_ptr<ByteStream> make_plain_stream(Socket socket, StreamPeer peer) {
  return std::make_unique<AsioStream<Socket>>(std::make_shared<StreamCore<Socket>>(std::move(socket)), std::move(peer));
}

std::unique_ptr<TlsHandshake> start_tls(Socket socket, std::shared_ptr<const TlsContext> context, bool is_server,
                                        std::string host, StreamPeer peer, TlsHandshake::Done done) {
  auto core = std::make_shared<TlsCore>(std::move(socket), context->state().context);
  SSL* connection = core->layer.native_handle();
  if (!is_server) {
    std::array<unsigned char, sizeof(in6_addr)> address{};
    const bool numeric =
        inet_pton(AF_INET, host.c_str(), address.data()) == 1 || inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
    if (numeric) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host.c_str());
    } else {
      SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      SSL_set1_host(connection, host.c_str());
      SSL_set_tlsext_host_name(connection, host.c_str());
    }
  }
  auto handshake = std::make_unique<AsioTlsHandshake>(std::move(core));
  handshake->start(std::move(context), is_server, std::move(host), std::move(peer), std::move(done));
  return handshake;
}

StreamPeer describe_endpoint(const asio::generic::stream_protocol::endpoint& endpoint) {
  StreamPeer peer;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const sockaddr* address = endpoint.data();
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    peer.address = fmt::format("{}:{}", text.data(), ntohs(v4->sin_port));
    peer.loopback = ntohl(v4->sin_addr.s_addr) >> 24U == 127;
  } else if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    peer.address = fmt::format("[{}]:{}", text.data(), ntohs(v6->sin6_port));
    peer.loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
                    (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127);
  } else {
    const auto* path = reinterpret_cast<const sockaddr_un*>(address)->sun_path;
    const std::size_t most = endpoint.size() - offsetof(sockaddr_un, sun_path);
    peer.address = "unix:" + std::string(path, strnlen(path, most));
    peer.loopback = true;
  }
  return peer;
}

}  // namespace alknet::net
