#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alknet/base/log.h"
#include "alknet/base/loop.h"
#include "alknet/base/task.h"
#include "alknet/call/engine/transport.h"
#include "alknet/net/address.h"
#include "alknet/net/credentials.h"
#include "alknet/net/quic/connection.h"
#include "alknet/net/quic/options.h"

namespace alknet::net::quic {

class EndpointState;

/// Decides whether a client that proved these credentials may connect; called once a handshake, before any byte of the
/// application. Refuses by throwing Error (`unauthorized`); the message is logged and told to the peer.
using Admission = std::function<void(const call::PeerCredentials& peer)>;

/// Receives a connection that completed its handshake. It must call `start` before it returns or keep the connection
/// for a later `start`; dropping it closes it.
using Acceptor = std::function<void(std::unique_ptr<Connection> connection)>;

/// One UDP socket on a loop and the QUIC connections over it, dialled and accepted. TLS 1.3 only; 0-RTT is off.
///
/// Used on the loop's thread only, save that it may be made and destroyed on another one while the loop does not run.
/// Destroying it ends all its connections at once: their users see `closed`.
class Endpoint {
 public:
  struct Config {
    Credentials credentials;
    Options options;
    Logger logger;
    /// Who may connect. Without it nobody may.
    Admission admission;
    /// Authorities whose client certificates give a PeerCredentials::certificate_name.
    std::string client_authorities_pem;
  };

  /// Binds `address`; port 0 takes a free one. Throws `configuration` when the credentials cannot be used and
  /// `transport` when the port is in use.
  Endpoint(Loop& loop, const SocketAddress& address, Config config);
  ~Endpoint();
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  /// Where it is bound.
  SocketAddress address() const;

  /// Accepts connections that ask for `alpn`. A client that asks for no accepted protocol is refused by TLS's alert
  /// no_application_protocol.
  void accept(const std::string& alpn, Acceptor acceptor);

  /// Refuses new connections from now on; those that exist live on.
  void stop_accepting();

  /// Dials a server. Gives the connection when the server has confirmed the handshake, so a server that refuses us is
  /// known by then. Throws `transport` when nobody answers in time, `unauthorized` when one side does not accept the
  /// other, and `configuration` when `expected` holds nothing to recognise the server by.
  Task<std::unique_ptr<Connection>> connect(SocketAddress address, std::string alpn, ExpectedServer expected);

  /// Lets the socket live on until its last connection has ended, then ends it. The endpoint may be destroyed before.
  void release_when_idle();

  /// Connections of any state, and those whose handshake is under way.
  std::size_t connections() const;
  std::size_t handshakes() const;

 private:
  std::shared_ptr<EndpointState> state_;
};

}  // namespace alknet::net::quic
