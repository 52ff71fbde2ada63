#include "alknet/net/connect.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <utility>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/base/loop_asio.h"
#include "alknet/base/on_executor.h"
#include "alknet/base/settler.h"
#include "alknet/net/asio_stream.h"
#include "alknet/net/deadline.h"
#include "alknet/net/error.h"

namespace alknet::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using GenericEndpoint = asio::generic::stream_protocol::endpoint;
using Resolver = asio::ip::basic_resolver<tcp, asio::io_context::executor_type>;

namespace {

/// Closes what a connection attempt has open when its time is over or its coroutine goes away.
struct Attempt {
  explicit Attempt(Loop& loop) : socket(io_context(loop)), resolver(io_context(loop)) {}
  ~Attempt() { cancel(); }
  void cancel() {
    boost::system::error_code ignored;
    socket.close(ignored);
    resolver.cancel();
    handshake.reset();
  }

  Socket socket;
  Resolver resolver;
  std::unique_ptr<TlsHandshake> handshake;
};

Task<std::vector<GenericEndpoint>> find_addresses(Attempt& attempt, std::string host, std::uint16_t port) {
  boost::system::error_code not_numeric;
  const auto address = asio::ip::make_address(host, not_numeric);
  if (!not_numeric) co_return std::vector<GenericEndpoint>{tcp::endpoint(address, port)};
  Completion<std::vector<GenericEndpoint>> done;
  attempt.resolver.async_resolve(
      host, std::to_string(port), Resolver::numeric_service,
      [settler = Settler(done), host](const boost::system::error_code& error, const Resolver::results_type& results) {
        if (error) {
          settler.set_error(Error(NetError::kNameNotFound,
                                  fmt::format("[{}] the host name has no address: {}; check its spelling and the name "
                                              "service",
                                              host, error.message()),
                                  JsonObject{{"host", host}}));
          return;
        }
        std::vector<GenericEndpoint> endpoints;
        for (const auto& result : results) endpoints.emplace_back(result.endpoint());
        settler.set_value(std::move(endpoints));
      });
  co_return co_await done.wait();
}

/// The error of the attempt, or none.
Task<std::error_code> connect_socket(std::shared_ptr<Attempt> attempt, GenericEndpoint endpoint) {
  boost::system::error_code error;
  attempt->socket.close(error);
  attempt->socket.open(endpoint.protocol(), error);
  if (error) co_return error;
  Completion<std::error_code> done;
  // The socket lives until the handler has run: the attempt is held.
  attempt->socket.async_connect(endpoint, [settler = Settler(done), attempt](const boost::system::error_code& result) {
    settler.set_value(std::error_code(result));
  });
  co_return co_await done.wait();
}

Error connect_failed(const std::string& where, const std::error_code& reason) {
  return {NetError::kConnectFailed,
          fmt::format("[{}] cannot connect: {}; check the address and that the server runs", where, reason.message()),
          JsonObject{{"errno", reason.value()}}};
}

Error connect_timeout(const std::string& where, std::chrono::milliseconds limit) {
  return {NetError::kTimeout, fmt::format("[{}] no connection within {} ms", where, limit.count()),
          JsonObject{{"limit", limit.count()}}};
}

/// Cancels what is open when the coroutine ends in any way.
struct CancelAtEnd {
  std::shared_ptr<Attempt> attempt;
  ~CancelAtEnd() { attempt->cancel(); }
};

Task<std::unique_ptr<ByteStream>> secure_stream(Attempt& attempt, std::shared_ptr<const TlsContext> tls,
                                                std::string host, StreamPeer peer) {
  Completion<std::unique_ptr<ByteStream>> done;
  attempt.handshake = start_tls(std::move(attempt.socket), std::move(tls), false, std::move(host), std::move(peer),
                                [settler = Settler(done)](std::exception_ptr error, std::unique_ptr<ByteStream> made) {
                                  if (error) return settler.set_error(error);
                                  settler.set_value(std::move(made));
                                });
  co_return co_await done.wait();
}

/// `expired` is set, and all is closed, when the time is over.
Task<std::unique_ptr<ByteStream>> connect_first(std::shared_ptr<Attempt> attempt, std::string host, std::uint16_t port,
                                                std::shared_ptr<const TlsContext> tls, std::shared_ptr<bool> expired) {
  const std::string where = fmt::format("{}:{}", host, port);
  std::error_code last = make_error_code(std::errc::address_not_available);
  const std::vector<GenericEndpoint> endpoints = co_await find_addresses(*attempt, host, port);
  for (const GenericEndpoint& endpoint : endpoints) {
    last = co_await connect_socket(attempt, endpoint);
    if (*expired) break;
    if (last) continue;
    boost::system::error_code ignored;
    attempt->socket.set_option(tcp::no_delay(true), ignored);
    StreamPeer peer = describe_endpoint(endpoint);
    if (!tls) co_return make_plain_stream(std::move(attempt->socket), std::move(peer));
    co_return co_await secure_stream(*attempt, std::move(tls), std::move(host), std::move(peer));
  }
  throw connect_failed(where, last);
}

}  // namespace

Task<std::unique_ptr<ByteStream>> connect_tcp(Loop& loop, std::string host, std::uint16_t port,
                                              ConnectOptions options) {
  const auto attempt = std::make_shared<Attempt>(loop);
  const CancelAtEnd cancel{attempt};
  const auto expired = std::make_shared<bool>(false);
  Completion<std::unique_ptr<ByteStream>> done;
  // A task of its own, so that neither a stop nor the time limit waits for the system.
  std::stop_source give_up;
  const auto stop = (co_await current_context()).stop;
  const std::stop_callback on_stop(stop, [&give_up] { give_up.request_stop(); });
  const Deadline deadline(loop, options.timeout, [attempt, expired, &give_up] {
    *expired = true;
    give_up.request_stop();
    attempt->cancel();
  });
  std::exception_ptr failure;
  try {
    co_return co_await on_executor(loop, connect_first(attempt, host, port, options.tls, expired), give_up.get_token());
  } catch (const Error&) {
    failure = std::current_exception();
  }
  if (*expired) throw connect_timeout(fmt::format("{}:{}", host, port), options.timeout);
  std::rethrow_exception(failure);
}

Task<std::unique_ptr<ByteStream>> connect_unix(Loop& loop, std::filesystem::path path,
                                               std::chrono::milliseconds timeout) {
  const std::string where = "unix:" + path.string();
  if (path.string().size() >= sizeof(sockaddr_un::sun_path)) {
    throw Error(NetError::kInvalidUrl,
                fmt::format("[{}] a socket's path has at most {} bytes", where, sizeof(sockaddr_un::sun_path) - 1));
  }
  const auto attempt = std::make_shared<Attempt>(loop);
  const CancelAtEnd cancel{attempt};
  const Deadline deadline(loop, timeout, [attempt] { attempt->cancel(); });
  const GenericEndpoint endpoint = asio::local::stream_protocol::endpoint(path.string());
  const std::error_code error = co_await connect_socket(attempt, endpoint);
  if (deadline.passed()) throw connect_timeout(where, timeout);
  if (error) throw connect_failed(where, error);
  co_return adopt_socket(loop, attempt->socket.release(), where);
}

std::unique_ptr<ByteStream> adopt_socket(Loop& loop, int descriptor, std::string address) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &size);
  StreamPeer peer;
  peer.address = std::move(address);
  if (own.ss_family == AF_UNIX) {
    peer.loopback = true;
    ucred credentials{};
    socklen_t credentials_size = sizeof credentials;
    peer.same_user = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &credentials_size) == 0 &&
                     credentials.uid == geteuid();
  }
  Socket socket(io_context(loop), asio::generic::stream_protocol(own.ss_family, 0), descriptor);
  return make_plain_stream(std::move(socket), std::move(peer));
}

bool is_loopback_host(const std::string& host) {
  std::string name = host;
  if (name.starts_with('[')) {
    name = name.substr(1, name.find(']') == std::string::npos ? std::string::npos : name.find(']') - 1);
  } else if (const auto colon = name.find(':'); colon != std::string::npos && colon == name.rfind(':')) {
    name.resize(colon);
  }
  boost::system::error_code not_numeric;
  const auto address = asio::ip::make_address(name, not_numeric);
  return not_numeric ? name == "localhost" : address.is_loopback();
}

}  // namespace alknet::net
