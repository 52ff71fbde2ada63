#include "alknet/net/dial.h"

#include <fmt/format.h>

#include <utility>

#include "alknet/call/error.h"
#include "alknet/net/address.h"
#include "alknet/net/quic/transport.h"
#include "alknet/net/stream_transport.h"
#include "alknet/net/websocket.h"

namespace alknet::net {

namespace {

using TransportTask = Task<std::unique_ptr<call::Transport>>;

TransportTask dial_quic(Loop& loop, std::string place, DialOptions options) {
  quic::DialConfig config;
  config.credentials = std::move(options.credentials);
  config.expected = std::move(options.expected);
  config.options = options.quic;
  config.options.handshake_timeout = options.timeout;
  config.logger = options.logger;
  return quic::connect(loop, parse_host_port(place), std::move(config));
}

TransportTask dial_tls(Loop& loop, std::string place, DialOptions options) {
  const HostPort where = parse_host_port(place);
  return connect_tls(loop, where.host, where.port, std::move(options.tls));
}

TransportTask dial_unix(Loop& loop, std::string place, DialOptions) { return connect_unix_transport(loop, place); }

TransportTask dial_web(Loop& loop, std::string url, DialOptions options, bool secure) {
  WebSocketClientOptions sockets;
  sockets.bearer_token = options.token.value_or("");
  sockets.handshake_timeout = options.timeout;
  if (secure) sockets.tls = TlsContext::client(options.tls);
  return connect_websocket(loop, std::move(url), std::move(sockets));
}
TransportTask dial_ws(Loop& loop, std::string place, DialOptions options) {
  return dial_web(loop, "ws://" + place, std::move(options), false);
}
TransportTask dial_wss(Loop& loop, std::string place, DialOptions options) {
  return dial_web(loop, "wss://" + place, std::move(options), true);
}

TransportTask dial_transport(Loop& loop, const std::string& address, const DialOptions& options) {
  struct Scheme {
    std::string_view prefix;
    TransportTask (*dial)(Loop& loop, std::string place, DialOptions options);
  };
  static constexpr Scheme kSchemes[] = {
      {"quic://", dial_quic}, {"tls://", dial_tls}, {"unix:", dial_unix}, {"ws://", dial_ws}, {"wss://", dial_wss}};
  for (const auto& [prefix, dial] : kSchemes) {
    if (address.starts_with(prefix)) return dial(loop, address.substr(prefix.size()), options);
  }
  const bool http = address.starts_with("http://") || address.starts_with("https://");
  throw Error(call::CallError::kConfiguration,
              fmt::format("{}: an address is quic://HOST:PORT, ws://HOST:PORT, wss://HOST:PORT, tls://HOST:PORT or "
                          "unix:PATH{}",
                          address, http ? "; for http:// say ws://, for https:// wss://" : ""));
}

}  // namespace

Task<std::shared_ptr<call::Connection>> dial(Loop& loop, std::string address, DialOptions options) {
  auto transport = co_await dial_transport(loop, address, options);
  call::ConnectionOptions link;
  link.limits = options.limits;
  link.logger = options.logger;
  auto connection =
      call::Connection::open(loop, std::move(transport), options.dispatcher, std::move(options.owner), std::move(link));
  try {
    co_await connection->negotiate();
  } catch (const Error& error) {
    throw call_failure(*connection, error);
  }
  co_return connection;
}

Error call_failure(const call::Connection& connection, const Error& error) {
  const auto& reason = connection.close_reason();
  const bool refused = reason && reason->code() == call::CallError::kUnauthorized;
  return refused && error.code() == call::CallError::kInternal ? *reason : error;
}

}  // namespace alknet::net
