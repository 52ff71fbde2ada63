#pragma once

#include <functional>
#include <memory>
#include <string>

#include "alknet/base/log.h"
#include "alknet/base/loop.h"
#include "alknet/base/task.h"
#include "alknet/call/engine/transport.h"
#include "alknet/net/address.h"
#include "alknet/net/credentials.h"
#include "alknet/net/quic/endpoint.h"

// QUIC as a transport of the call protocol: each call has a bidirectional stream, on which frames have a length prefix.

namespace alknet::net::quic {

/// The application protocol of calls.
inline constexpr const char* kCallAlpn = "alknet/call";

/// A connection as a Transport. Streams in one direction that the peer opens are reset: calls have no use for them.
std::unique_ptr<call::Transport> make_transport(std::unique_ptr<Connection> connection);

/// How to dial.
struct DialConfig {
  Credentials credentials;
  ExpectedServer expected;
  Options options;
  Logger logger;
};

/// Dials a node from a socket of its own and gives the connection when the node has accepted us. Run it on `loop`.
/// Throws what Endpoint::connect and resolve throw. `config.expected.host_name` defaults to the host of `place`.
Task<std::unique_ptr<call::Transport>> connect(Loop& loop, HostPort place, DialConfig config);

/// Serves `alknet/call` on a UDP port: an Endpoint whose connections come out as transports.
class Listener {
 public:
  using Accept = std::function<void(std::unique_ptr<call::Transport> transport)>;

  /// As Endpoint; `accept` as Acceptor.
  Listener(Loop& loop, const SocketAddress& address, Endpoint::Config config, Accept accept);

  SocketAddress address() const { return endpoint_.address(); }

  /// For other protocols on the same port.
  Endpoint& endpoint() { return endpoint_; }

 private:
  Endpoint endpoint_;
};

}  // namespace alknet::net::quic
