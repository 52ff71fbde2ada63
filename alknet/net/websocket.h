#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/log.h"
#include "alknet/base/loop.h"
#include "alknet/base/task.h"
#include "alknet/call/engine/transport.h"
#include "alknet/net/http/server.h"
#include "alknet/net/stream_transport.h"
#include "alknet/net/tls.h"

namespace alknet::net {

/// Where a server takes calls over WebSocket.
inline constexpr const char* kWebSocketPath = "/alknet/call";

/// The subprotocol that both sides name, and the prefix of one in which a web page, whose WebSocket cannot send an
/// Authorization header, sends its token: `new WebSocket(url, ["alknet.call", "alknet.bearer." + token])`.
inline constexpr std::string_view kWebSocketProtocol = "alknet.call";
inline constexpr std::string_view kWebSocketBearer = "alknet.bearer.";

struct WebSocketOptions {
  std::size_t max_message_bytes = (16U << 20U) + (64U << 10U);  ///< longer ones close the connection (1009)
  std::size_t high_water = 1U << 20U;                           ///< as StreamTransportOptions
  std::chrono::milliseconds handshake_timeout{10'000};
  std::chrono::milliseconds idle_timeout{60'000};  ///< half of it without a message sends a ping; all of it ends
  std::chrono::milliseconds close_timeout{2'000};
};

struct WebSocketClientOptions : WebSocketOptions {
  WebSocketClientOptions();  // in the source: GCC 12 destroys an aggregate made inside a co_await twice

  std::string bearer_token;
  std::shared_ptr<const TlsContext> tls;  ///< for wss; null: the system's CAs
  bool allow_plaintext_credentials = false;
};

/// Connects to "ws://HOST:PORT/PATH" or "wss://…" (no path: /alknet/call). On the loop's thread.
/// Throws what connect_tcp throws, `unauthorized` for status 401, `refused` for other answers, `insecure_credentials`
/// for a token in plain text to another machine.
Task<std::unique_ptr<call::Transport>> connect_websocket(Loop& loop, std::string url,
                                                         WebSocketClientOptions options = {});

struct WebSocketServerOptions : WebSocketOptions {
  /// Whether a client with this bearer token may connect; null lets everybody in, with a token or without.
  std::function<bool(const std::optional<std::string>& token)> authenticate;

  /// Pages of which other origins may connect ("https://example.com", "*"); those from this server always may.
  std::vector<std::string> allowed_origins;

  /// Take tokens in plain text from other machines too, for example behind a proxy that ends TLS.
  bool allow_plaintext_credentials = false;
  Logger logger;
};

/// For HttpServer::route_upgrade(kWebSocketPath, "websocket", ...): answers 401 without a good token and 403 to pages
/// of other origins, else hands the connection over. The token is in the transport's PeerCredentials.
UpgradeHandler accept_websockets(Loop& loop, WebSocketServerOptions options, TransportAccepted accepted);

}  // namespace alknet::net
