#include "alknet/net/listener.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <cerrno>
#include <charconv>
#include <map>
#include <utility>

#include "alknet/base/descriptor.h"
#include "alknet/base/json.h"
#include "alknet/base/loop_asio.h"
#include "alknet/net/asio_stream.h"
#include "alknet/net/connect.h"
#include "alknet/net/deadline.h"
#include "alknet/net/error.h"

namespace alknet::net {

namespace {

namespace asio = boost::asio;
using Endpoint = asio::generic::stream_protocol::endpoint;

/// Connections taken in one go before other work has its turn.
constexpr int kAcceptsPerTurn = 32;

/// How long to wait before accepting again when the system has no descriptors left.
constexpr std::chrono::milliseconds kRetryAccept{50};

/// What helps against an error of `bind` or `listen`.
std::string_view remedy_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR: return "make the folder of the socket first";
    case EACCES:
    case EPERM: return "choose a port from 1024 on, or a place where you may write";
    case EADDRNOTAVAIL: return "choose an address of this machine";
    default: return "choose another address, or stop who uses it";
  }
}

Error listen_failed(const std::string& where, int error_number) {
  return {NetError::kListenFailed,
          fmt::format("[{}] cannot listen: {}; {}", where, std::generic_category().message(error_number),
                      remedy_of(error_number)),
          JsonObject{{"errno", error_number}, {"address", where}}};
}

Endpoint parse_tcp_address(const std::string& address) {
  const auto colon = address.rfind(':');
  std::uint16_t port = 0;
  std::string host = colon == std::string::npos ? "" : address.substr(0, colon);
  const char* first = address.data() + (colon == std::string::npos ? address.size() : colon + 1);
  const char* last = address.data() + address.size();
  const auto parsed = std::from_chars(first, last, port);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  boost::system::error_code not_numeric;
  const auto ip = asio::ip::make_address(host, not_numeric);
  if (not_numeric || first == last || parsed.ec != std::errc{} || parsed.ptr != last) {
    throw Error(NetError::kInvalidUrl,
                fmt::format("[{}] is not an address to listen on; write HOST:PORT with a numeric host, for example "
                            "127.0.0.1:8080 or [::1]:8080",
                            address));
  }
  return asio::ip::tcp::endpoint(ip, port);
}

/// `file` is the name of a Unix socket, which gets the permissions `mode` before anybody can connect.
Descriptor open_listener(const Endpoint& endpoint, const std::string& where, const std::filesystem::path& file = {},
                         unsigned mode = 0) {
  Descriptor descriptor(::socket(endpoint.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (descriptor.get() < 0) throw listen_failed(where, errno);
  ::setsockopt(descriptor.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(descriptor.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
      (!file.empty() && ::chmod(file.c_str(), mode) != 0) || ::listen(descriptor.get(), SOMAXCONN) != 0) {
    throw listen_failed(where, errno);
  }
  return descriptor;
}

/// A socket file that nobody listens on any more.
void remove_stale_socket(const std::filesystem::path& path, const Endpoint& endpoint, const std::string& where) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode)) throw listen_failed(where, EEXIST);
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0) {
    throw listen_failed(where, EADDRINUSE);
  }
  ::unlink(path.c_str());
}

}  // namespace

class Listener::State : public std::enable_shared_from_this<State> {
 public:
  State(Loop& loop, Descriptor descriptor, std::string address, ListenOptions options, Accepted accepted)
      : loop_(loop),
        descriptor_(io_context(loop), descriptor.release()),
        address_(std::move(address)),
        options_(std::move(options)),
        accepted_(std::move(accepted)) {}

  void wait() {
    if (closed_ || waiting_) return;
    if (connections() >= options_.max_connections) return;  // goes on when one ends
    waiting_ = true;
    descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                           [self = shared_from_this()](const boost::system::error_code& error) {
                             self->waiting_ = false;
                             if (!error && !self->closed_) self->accept();
                           });
  }

  void close() {
    closed_ = true;
    boost::system::error_code ignored;
    descriptor_.close(ignored);
    retry_.cancel();
    handshakes_.clear();
  }

  std::size_t connections() const { return static_cast<std::size_t>(alive_.use_count()) - 1; }
  const std::string& address() const { return address_; }

  std::uint16_t port = 0;
  bool loopback = false;
  std::filesystem::path file;

 private:
  /// Counts a connection as long as it lives, and takes the next when it ends.
  class Counted;

  void accept() {
    for (int i = 0; i < kAcceptsPerTurn && connections() < options_.max_connections; ++i) {
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      const int accepted = ::accept4(descriptor_.native_handle(), reinterpret_cast<sockaddr*>(&from), &size,
                                     SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (accepted < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) break;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) return retry_later(errno);
        continue;  // a peer that left before it was accepted
      }
      take(accepted, Endpoint(&from, size));
      if (closed_) return;
    }
    wait();
  }

  void retry_later(int error_number) {
    options_.logger.warning("cannot accept a connection; trying again",
                            {{"address", address_}, {"reason", std::generic_category().message(error_number)}});
    retry_ = Deadline(loop_, kRetryAccept, [this] { wait(); });
  }

  void take(int descriptor, const Endpoint& from) {
    if (from.data()->sa_family == AF_UNIX) return hand_over(adopt_socket(loop_, descriptor, address_));
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Socket socket(io_context(loop_), from.protocol(), descriptor);
    StreamPeer peer = describe_endpoint(from);
    if (!options_.tls) return hand_over(make_plain_stream(std::move(socket), std::move(peer)));
    secure(std::move(socket), std::move(peer));
  }

  void secure(Socket socket, StreamPeer peer) {
    const std::uint64_t id = ++last_handshake_;
    Handshake& handshake = handshakes_[id];
    handshake.alive = alive_;
    handshake.deadline = Deadline(loop_, options_.handshake_timeout, [this, id, from = peer.address] {
      options_.logger.info("a TLS handshake took too long", {{"peer", from}});
      handshakes_.erase(id);
      wait();
    });
    handshake.tls =
        start_tls(std::move(socket), options_.tls, true, "", std::move(peer),
                  [weak = weak_from_this(), id](std::exception_ptr error, std::unique_ptr<ByteStream> made) {
                    const auto self = weak.lock();
                    if (!self || self->closed_) return;
                    self->handshakes_.erase(id);
                    if (made) {
                      self->hand_over(std::move(made));
                    } else {
                      self->refuse(error);
                    }
                    self->wait();
                  });
  }

  void refuse(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const Error& failed) {
      options_.logger.info("a TLS handshake failed", {{"reason", failed.message()}});
    }
  }

  void hand_over(std::unique_ptr<ByteStream> stream);

  struct Handshake {
    std::unique_ptr<TlsHandshake> tls;
    Deadline deadline;
    std::shared_ptr<int> alive;
  };

  Loop& loop_;
  asio::posix::basic_stream_descriptor<asio::io_context::executor_type> descriptor_;
  std::string address_;
  ListenOptions options_;
  Accepted accepted_;
  Deadline retry_;
  std::map<std::uint64_t, Handshake> handshakes_;
  std::uint64_t last_handshake_ = 0;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  bool waiting_ = false;
  bool closed_ = false;
};

class Listener::State::Counted final : public ByteStream {
 public:
  Counted(std::unique_ptr<ByteStream> stream, std::shared_ptr<int> alive, std::weak_ptr<State> listener)
      : stream_(std::move(stream)), alive_(std::move(alive)), listener_(std::move(listener)) {}
  ~Counted() override {
    stream_.reset();
    alive_.reset();
    if (const auto listener = listener_.lock()) listener->wait();
  }

  void read(ReadHandler handler) override { stream_->read(std::move(handler)); }
  void unread(std::span<const std::byte> bytes) override { stream_->unread(bytes); }
  void write(std::vector<SharedBytes> bytes, DoneHandler handler) override {
    stream_->write(std::move(bytes), std::move(handler));
  }
  void shutdown(DoneHandler handler) override { stream_->shutdown(std::move(handler)); }
  void close() override { stream_->close(); }
  const StreamPeer& peer() const override { return stream_->peer(); }

 private:
  std::unique_ptr<ByteStream> stream_;
  std::shared_ptr<int> alive_;
  std::weak_ptr<State> listener_;
};

void Listener::State::hand_over(std::unique_ptr<ByteStream> stream) {
  accepted_(std::make_unique<Counted>(std::move(stream), alive_, weak_from_this()));
}

Listener::Listener(std::shared_ptr<State> state) : state_(std::move(state)) { state_->wait(); }

Listener::~Listener() {
  state_->close();
  if (!state_->file.empty()) ::unlink(state_->file.c_str());
}

std::unique_ptr<Listener> Listener::tcp(Loop& loop, const std::string& address, ListenOptions options,
                                        Accepted accepted) {
  Descriptor descriptor = open_listener(parse_tcp_address(address), address);
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(descriptor.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  const StreamPeer own = describe_endpoint(Endpoint(&bound, size));
  auto state =
      std::make_shared<State>(loop, std::move(descriptor), own.address, std::move(options), std::move(accepted));
  state->port = ntohs(reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);  // the same place for both families
  state->loopback = own.loopback;
  return std::unique_ptr<Listener>(new Listener(std::move(state)));
}

std::unique_ptr<Listener> Listener::unix_socket(Loop& loop, const std::filesystem::path& path, ListenOptions options,
                                                Accepted accepted) {
  const std::string where = "unix:" + path.string();
  if (path.string().size() >= sizeof(sockaddr_un::sun_path)) throw listen_failed(where, ENAMETOOLONG);
  const Endpoint endpoint = asio::local::stream_protocol::endpoint(path.string());
  remove_stale_socket(path, endpoint, where);
  Descriptor descriptor = open_listener(endpoint, where, path, options.unix_mode);
  auto state = std::make_shared<State>(loop, std::move(descriptor), where, std::move(options), std::move(accepted));
  state->file = path;
  state->loopback = true;
  return std::unique_ptr<Listener>(new Listener(std::move(state)));
}

const std::string& Listener::address() const { return state_->address(); }
std::uint16_t Listener::port() const { return state_->port; }
bool Listener::loopback() const { return state_->loopback; }
std::size_t Listener::connections() const { return state_->connections(); }

}  // namespace alknet::net
