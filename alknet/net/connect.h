#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "alknet/base/loop.h"
#include "alknet/net/byte_stream.h"
#include "alknet/net/tls.h"

namespace alknet::net {

struct ConnectOptions {
  /// For finding the name, connecting and the TLS handshake together.
  std::chrono::milliseconds timeout{10'000};

  /// TLS with these keys; null: plain TCP. The server's certificate must be for the host that was asked for.
  std::shared_ptr<const TlsContext> tls;
};

/// A connection to `host`, a name or an address, tried on each of its addresses in turn. Runs on the loop's thread.
/// Throws `name_not_found`, `connect_failed`, `tls_failed`, `certificate_rejected`, `timeout`.
Task<std::unique_ptr<ByteStream>> connect_tcp(Loop& loop, std::string host, std::uint16_t port, ConnectOptions options);

/// A connection to the Unix socket at `path`. Throws `connect_failed`, `timeout`.
Task<std::unique_ptr<ByteStream>> connect_unix(Loop& loop, std::filesystem::path path,
                                               std::chrono::milliseconds timeout = std::chrono::seconds(10));

/// Takes over a connected socket, for example one end of a socketpair.
std::unique_ptr<ByteStream> adopt_socket(Loop& loop, int descriptor, std::string address);

/// Whether `address`, as StreamPeer has it or without a port, names this machine.
bool is_loopback_host(const std::string& host);

}  // namespace alknet::net
