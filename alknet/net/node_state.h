#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/heap.h"
#include "alknet/net/deadline.h"
#include "alknet/net/http/gateway.h"
#include "alknet/net/http/server.h"
#include "alknet/net/linked_peers.h"
#include "alknet/net/mcp/server.h"
#include "alknet/net/node.h"
#include "alknet/net/quic/transport.h"
#include "alknet/net/stream_transport.h"

namespace alknet::net {

/// The identity of who shows nothing.
constexpr std::string_view kAnonymous = "anonymous";

/// What a node is made of. Who may come in and what becomes of connections is in node_connections.cc, how each
/// transport is listened on in node_listen.cc.
struct Node::State : std::enable_shared_from_this<Node::State> {
  struct Held {
    std::shared_ptr<call::Connection> connection;
    std::string peer_id;                          // empty: anonymous, or one without an entry
    bool dialled = false;                         // by us
    std::optional<WallClock::time_point> ends{};  // when its key was replaced
  };

  State(Loop& on, std::shared_ptr<call::Registry> served, NodeOptions with);

  call::DispatcherOptions dispatching();
  LinkHost link_host();

  /// Gives freed memory back to the system, now and then.
  void trim_later();

  // Who may come in, and what becomes of connections.

  std::shared_ptr<const PeerList> peer_list() const;

  std::optional<call::Identity> authenticate(std::string_view token) const;
  std::optional<call::Identity> anonymous() const;
  call::Identity admit(const call::PeerCredentials& credentials) const;

  void count_refusal(std::string_view transport);

  /// Closes what the changed list no longer lets in, and gives the others their new rights.
  void peers_changed();

  std::optional<WallClock::time_point> end_of(const call::PeerCredentials& peer) const;

  /// Closes connections whose key was replaced when its time has come. Looks at the clock now and then instead of
  /// waiting for the time, since the system's clock may be set.
  void watch_ends();

  bool is_connected(const std::string& peer_id) const;

  /// Connections of callers: all but those that we dialled.
  std::size_t callers() const;

  /// An owner that sees what peers offer.
  std::shared_ptr<call::Owner> make_owner(call::Owner::Kind kind, const std::string& name,
                                          std::optional<call::Identity> identity) const;

  /// Knows a connection until it is gone.
  void hold(const std::shared_ptr<call::Connection>& connection, Held one);

  std::shared_ptr<call::Connection> serve(std::unique_ptr<call::Transport> transport,
                                          std::optional<call::Identity> identity, call::Owner::Kind kind);

  // How each transport is listened on; the address that was bound comes back.

  std::string listen_quic(const std::string& place);
  std::string listen_tls(const std::string& place);
  std::string listen_unix(const std::string& path);
  std::string listen_http(const std::string& place);
  std::string listen_https(const std::string& place);

  /// What a connection of one stream becomes when its peer is let in; otherwise it is closed.
  void accept_stream(std::string_view scheme, std::unique_ptr<call::Transport> transport);

  ListenOptions listening() const;

  /// Whether wrong tokens of this client count against its address.
  bool counts_tokens(const HttpRequest& request) const;

  std::optional<HttpResponse> refuse_guesses(const HttpRequest& request) const;

  void note_answer(const HttpRequest& request, int status);

  /// An HTTP server with the gateway, the page, and WebSockets.
  std::string listen_web(const std::string& place, std::shared_ptr<const TlsContext> tls);

  void route_mcp(HttpServer& server);

  Loop& loop;
  std::shared_ptr<call::Registry> registry;
  NodeOptions options;
  HeapTrimmer trimmer;
  Deadline trim_timer;
  Metrics metrics;
  FailedTokens failed_tokens{options.failed_tokens};
  std::unique_ptr<call::Dispatcher> dispatcher;
  std::unique_ptr<PeersFile> peers_file;
  std::unique_ptr<PeersWatch> watch;
  std::vector<std::unique_ptr<Gateway>> gateways;
  std::vector<std::shared_ptr<mcp::McpServer>> mcp_servers;
  std::vector<std::unique_ptr<quic::Listener>> quic_listeners;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::unique_ptr<HttpServer>> web_servers;
  std::map<const call::Connection*, Held> held;
  Deadline ends_timer;
  bool watches_ends = false;
  LinkedPeers linked;
};

}  // namespace alknet::net
