#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "alknet/base/loop.h"
#include "alknet/base/task.h"
#include "alknet/call/engine/transport.h"
#include "alknet/net/byte_stream.h"
#include "alknet/net/listener.h"
#include "alknet/net/tls.h"

namespace alknet::net {

/// The protocol that TLS connections of the call layer agree on.
inline constexpr const char* kCallProtocol = "alknet/call";

struct StreamTransportOptions {
  /// `write` returns false while more bytes than this wait.
  std::size_t high_water = 1U << 20U;

  /// How long `close` waits for what was written to leave.
  std::chrono::milliseconds close_timeout{2'000};
};

/// Who the peer is, as the call layer wants it; `scheme` ("tls:") goes in front of the address.
call::PeerCredentials peer_credentials(const StreamPeer& peer, std::string_view scheme);

/// The single-stream transport over a stream of bytes: what a Unix socket and TLS over TCP have in common. On the
/// loop's thread.
std::unique_ptr<call::Transport> make_stream_transport(Loop& loop, std::unique_ptr<ByteStream> stream,
                                                       call::PeerCredentials peer, StreamTransportOptions options = {});

/// A connection over TLS to a node that serves `alknet/call` there; `tls.alpn` is set here. The server's certificate
/// must be for `host`. Throws what connect_tcp throws.
Task<std::unique_ptr<call::Transport>> connect_tls(Loop& loop, std::string host, std::uint16_t port, TlsOptions tls,
                                                   StreamTransportOptions options = {});

/// A connection to a node's Unix socket.
Task<std::unique_ptr<call::Transport>> connect_unix_transport(Loop& loop, std::filesystem::path path,
                                                              StreamTransportOptions options = {});

using TransportAccepted = std::function<void(std::unique_ptr<call::Transport> transport)>;

/// Accepts calls over TLS on `address`; `tls.alpn` is set here, `options.tls` is not used. Throws as Listener::tcp.
std::unique_ptr<Listener> listen_tls(Loop& loop, const std::string& address, TlsOptions tls, ListenOptions options,
                                     TransportAccepted accepted, StreamTransportOptions transport = {});

/// Accepts calls on a Unix socket. Throws as Listener::unix_socket.
std::unique_ptr<Listener> listen_unix(Loop& loop, const std::filesystem::path& path, ListenOptions options,
                                      TransportAccepted accepted, StreamTransportOptions transport = {});

}  // namespace alknet::net
