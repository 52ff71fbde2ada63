#include "alknet/net/dial.h"

#include <fmt/format.h>

#include <utility>

#include "alknet/call/error.h"
#include "alknet/net/address.h"
#include "alknet/net/quic/transport.h"

namespace alknet::net {

namespace {

constexpr std::string_view kQuicScheme = "quic://";

Task<std::unique_ptr<call::Transport>> dial_transport(Loop& loop, std::string address, DialOptions options) {
  if (address.starts_with(kQuicScheme)) {
    quic::DialConfig config;
    config.credentials = std::move(options.credentials);
    config.expected = std::move(options.expected);
    config.options.handshake_timeout = options.timeout;
    config.logger = options.logger;
    const HostPort place = parse_host_port(address.substr(kQuicScheme.size()));
    co_return co_await quic::connect(loop, place, std::move(config));
  }
  throw Error(call::CallError::kConfiguration, fmt::format("{}: an address is quic://HOST:PORT", address));
}

}  // namespace

Task<std::shared_ptr<call::Connection>> dial(Loop& loop, std::string address, DialOptions options) {
  auto transport = co_await dial_transport(loop, std::move(address), options);
  call::ConnectionOptions link;
  link.limits = options.limits;
  link.logger = options.logger;
  auto connection =
      call::Connection::open(loop, std::move(transport), options.dispatcher, std::move(options.owner), std::move(link));
  co_await connection->negotiate();
  co_return connection;
}

}  // namespace alknet::net
