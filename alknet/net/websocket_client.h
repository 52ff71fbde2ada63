#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/loop.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/base/task.h"
#include "alknet/net/tls.h"

namespace alknet::net {

/// What a WebSocket of any protocol tells the one that uses it, on the loop's thread, none from inside its functions.
struct WebSocketListener {
  std::function<void(bool text, SharedBytes message)> message;

  /// The connection has ended: by its closing handshake (`clean`), else with code 1006. Nothing follows.
  std::function<void(std::uint16_t code, std::string reason, bool clean)> closed;
};

/// One connection to a WebSocket server, for programs that speak their own protocol (RFC 6455). Used on the loop's
/// thread. Destroying it ends the connection without further events.
class WebSocketClient {
 public:
  virtual ~WebSocketClient() = default;

  /// The subprotocol that the server chose; empty: none.
  virtual const std::string& protocol() const = 0;

  /// Begins to read.
  virtual void start(WebSocketListener listener) = 0;

  /// Queues a message; after `close` it is dropped. Text must be UTF-8.
  virtual void send(bool text, SharedBytes message) = 0;

  /// Bytes queued and not yet handed to the system.
  virtual std::uint64_t buffered() const = 0;

  /// Begins the closing handshake after what was sent; `closed` follows.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
};

struct WebSocketClientConnect {
  WebSocketClientConnect();  // in the source: GCC 12 destroys an aggregate made inside a co_await twice

  std::vector<std::string> protocols;     ///< offered, in the order of preference
  std::shared_ptr<const TlsContext> tls;  ///< for wss; null: the system's CAs
  std::string user_agent = "alknet";
  std::size_t max_message_bytes = std::size_t{64} << 20;  ///< longer ones close the connection (1009)
  std::chrono::milliseconds handshake_timeout{10'000};
  std::chrono::milliseconds close_timeout{2'000};
};

/// Connects to "ws://HOST:PORT/PATH" or "wss://…". On the loop's thread. Throws what connect_tcp throws, `invalid_url`
/// for other schemes, `refused` for a server that answers something else, also a subprotocol that was not offered.
Task<std::unique_ptr<WebSocketClient>> open_websocket(Loop& loop, std::string url, WebSocketClientConnect options);

}  // namespace alknet::net
