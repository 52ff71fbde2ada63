#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alknet/base/log.h"
#include "alknet/base/loop.h"
#include "alknet/call/connection.h"
#include "alknet/call/discovery.h"
#include "alknet/call/dispatcher.h"
#include "alknet/net/credentials.h"
#include "alknet/net/failed_tokens.h"
#include "alknet/net/metrics.h"
#include "alknet/net/peers.h"
#include "alknet/net/quic/endpoint.h"
#include "alknet/net/quic/options.h"
#include "alknet/net/tls.h"

namespace alknet::net {

struct NodeOptions {
  Credentials credentials;

  /// Who may connect and what for; without a file nobody is known.
  std::filesystem::path peers_file;
  std::chrono::milliseconds peers_interval{1'000};  ///< how often the file is looked at

  /// Certificates that these authorities signed are let in as their common name; a peer entry of that id gives them
  /// scopes.
  std::string client_authorities_pem;

  /// What callers without an identity may do, besides what is open to all.
  std::vector<std::string> anonymous_scopes;

  /// Certificate and key files for tls://, wss:// and https://; also shown to peers that are dialled by tls://.
  TlsOptions tls;

  /// Web pages of which other origins may connect by HTTP and WebSocket: "https://example.com", "*".
  std::vector<std::string> allowed_origins;

  /// Take bearer tokens in plain text from other machines: only behind a proxy that ends TLS.
  bool allow_plaintext_credentials = false;

  /// What an address may try over HTTP and WebSocket until its requests with a token are refused, right or wrong.
  /// Clients of this machine and, with allow_plaintext_credentials, all are let be unless `limit_local_tokens`: a proxy
  /// may stand between.
  FailedTokenLimits failed_tokens;
  bool limit_local_tokens = false;

  /// The time by which replaced keys end; the system's. Everything else goes by the loop's.
  std::function<WallClock::time_point()> wall_clock = [] { return WallClock::now(); };

  /// Told of each QUIC endpoint before it takes connections, so that other protocols can be served on its port.
  std::function<void(quic::Endpoint& endpoint)> on_quic_endpoint;

  /// How often memory that bursts left behind is given back to the system (HeapTrimmer); zero for never.
  std::chrono::milliseconds memory_interval{30'000};

  std::string version = "0";  ///< of the program, for /openapi.json

  call::OwnerLimits owner_limits;
  call::LinkLimits link_limits;
  quic::Options quic;
  Logger logger;
};

/// Somebody who is connected.
struct NodeConnection {
  std::string peer;     ///< the peer's id, or its address while it is anonymous
  std::string address;  ///< "quic:127.0.0.1:4433"
  call::ConnectionStats stats;
};

/// A registry that is served: listeners of every transport, the peers that may connect, one dispatcher, metrics.
///
///   Node node(loop, registry, options);
///   node.listen("quic://0.0.0.0:4433");
///
/// Everything happens on the loop's thread, where the node must be made and destroyed too (or while the loop does not
/// run).
class Node {
 public:
  Node(Loop& loop, std::shared_ptr<call::Registry> registry, NodeOptions options);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Begins to listen on quic://HOST:PORT, tls://HOST:PORT, unix:PATH, or http://HOST:PORT and https://HOST:PORT, which
  /// also take WebSockets and serve the gateway, MCP at /mcp, and the page (ws:// and wss:// mean the same). Port 0
  /// takes a free one. Returns the address with the port that was taken. Throws `configuration`, and `transport` or
  /// `listen_failed` when the port is in use.
  std::string listen(const std::string& address);

  /// Serves a connection that came some other way. Its peer must have been let in already.
  std::shared_ptr<call::Connection> serve(std::unique_ptr<call::Transport> transport,
                                          std::optional<call::Identity> identity, call::Owner::Kind kind);

  /// The identity that these credentials prove. Throws `unauthorized` with the reason.
  call::Identity admit(const call::PeerCredentials& credentials) const;

  /// The identity behind a bearer token, or nothing.
  std::optional<call::Identity> authenticate(std::string_view token) const;

  /// What callers without an identity get: nothing, unless `anonymous_scopes` says more.
  std::optional<call::Identity> anonymous() const;

  call::Dispatcher& dispatcher();
  Metrics& metrics();
  const call::Registry& registry() const;
  Loop& loop();

  std::vector<NodeConnection> connections() const;

  /// Keeps a peer's operations imported from now on (PeerLink): every caller with the scope `peer_id` may call them as
  /// `<peer_id>/…`, over one connection, on which this node is the caller; whom it calls for is in `forwarded_for`. The
  /// peer is found at `address`, or where the peers file says, and recognised by the fingerprints there; it is dialled
  /// again when that file changes. On that connection the peer may call us with the rights of its entry.
  /// Throws `name_taken` for an id whose namespace is reserved or in use, and for one that is linked already.
  void link_peer(const std::string& peer_id, const std::string& address = {});

  /// Reads again what linked peers offer.
  void refresh_peers();

  /// Peers of the file and linked ones, and whether they are connected.
  std::vector<call::PeerInfo> peers() const;

  /// Takes no new connections and calls, lets those that run end, closes after `limit` what is left. Links to peers
  /// end last, since running calls may need them.
  Task<void> drain(std::chrono::milliseconds limit);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace alknet::net
