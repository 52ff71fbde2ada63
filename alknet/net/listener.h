#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "alknet/base/log.h"
#include "alknet/base/loop.h"
#include "alknet/net/byte_stream.h"
#include "alknet/net/tls.h"

namespace alknet::net {

struct ListenOptions {
  /// TLS with these keys; null: plain.
  std::shared_ptr<const TlsContext> tls;

  /// Connections at a time, those in their TLS handshake included. Further ones wait in the system's queue.
  std::size_t max_connections = 4096;

  /// A peer that has not ended its TLS handshake by then is dropped.
  std::chrono::milliseconds handshake_timeout{10'000};

  /// Permissions of a Unix socket's file.
  unsigned unix_mode = 0600;

  Logger logger;
};

/// Accepts connections on one address. Used on the loop's thread, where `accepted` is called.
class Listener {
 public:
  using Accepted = std::function<void(std::unique_ptr<ByteStream> stream)>;

  /// Listens on `address`, "HOST:PORT" with a numeric host ("127.0.0.1:0", "[::]:443") or "localhost:PORT"; port 0
  /// lets the system choose. Throws `listen_failed`, `invalid_url`.
  static std::unique_ptr<Listener> tcp(Loop& loop, const std::string& address, ListenOptions options,
                                       Accepted accepted);

  /// Listens on a Unix socket, replacing a file left behind by a process that ended. Throws `listen_failed`, also when
  /// somebody listens there.
  static std::unique_ptr<Listener> unix_socket(Loop& loop, const std::filesystem::path& path, ListenOptions options,
                                               Accepted accepted);

  /// Stops to listen and drops handshakes; connections that were handed over live on. Removes a Unix socket's file.
  ~Listener();

  /// "127.0.0.1:8080" with the port that was chosen, or "unix:PATH".
  const std::string& address() const;

  /// The port; 0 for a Unix socket.
  std::uint16_t port() const;

  /// Whether all who can connect run on this machine.
  bool loopback() const;

  /// Connections that live, handshakes included.
  std::size_t connections() const;

 private:
  class State;
  explicit Listener(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace alknet::net
