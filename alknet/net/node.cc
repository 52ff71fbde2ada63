#include "alknet/net/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/base/heap.h"
#include "alknet/call/error.h"
#include "alknet/net/address.h"
#include "alknet/net/deadline.h"
#include "alknet/net/http/gateway.h"
#include "alknet/net/http/server.h"
#include "alknet/net/linked_peers.h"
#include "alknet/net/mcp/server.h"
#include "alknet/net/quic/transport.h"
#include "alknet/net/stream_transport.h"
#include "alknet/net/websocket.h"

namespace alknet::net {

namespace {

using call::CallError;
using call::Owner;

constexpr std::chrono::milliseconds kDrainPoll{20};
constexpr std::string_view kMcpPath = "/mcp";
constexpr std::string_view kAnonymous = "anonymous";  // the identity of who shows nothing

Task<HttpResponse> answer_mcp(std::shared_ptr<mcp::McpServer> endpoint, HttpRequest request, bool allow_plaintext) {
  if (request.bearer_token() && !request.peer.secure && !request.peer.loopback && !allow_plaintext) {
    co_return HttpResponse::error(403, "FORBIDDEN", "a token in plain text is refused: use https");
  }
  mcp::McpRequest asked{request.method, std::move(request.headers), std::move(request.body)};
  mcp::McpResponse given = co_await endpoint->handle(std::move(asked));
  HttpResponse response;
  response.status = given.status;
  response.headers = std::move(given.headers);
  response.body = std::move(given.body);
  co_return std::move(response);
}

/// Whether a request shows a token, which may be a guess.
bool shows_token(const HttpRequest& request) {
  return request.headers.has("Authorization") ||
         request.headers.joined("Sec-WebSocket-Protocol").find(kWebSocketBearer) != std::string::npos;
}

}  // namespace

struct Node::State : std::enable_shared_from_this<Node::State> {
  struct Held {
    std::shared_ptr<call::Connection> connection;
    std::string peer_id;                          // empty: anonymous, or one without an entry
    bool dialled = false;                         // by us
    std::optional<WallClock::time_point> ends{};  // when its key was replaced
  };

  State(Loop& on, std::shared_ptr<call::Registry> served, NodeOptions with)
      : loop(on),
        registry(std::move(served)),
        options(std::move(with)),
        dispatcher(std::make_unique<call::Dispatcher>(loop, registry, dispatching())),
        linked(link_host()) {
    metrics.gauge("alknet_connections", "Open connections.", {}, [this] { return static_cast<double>(held.size()); });
    metrics.gauge("alknet_running_calls", "Calls from outside that have not ended.", {},
                  [this] { return static_cast<double>(dispatcher->running_calls()); });
    metrics.gauge("alknet_log_lines_lost", "Log lines that could not be written.", {},
                  [this] { return static_cast<double>(options.logger.lost_lines()); });
    if (options.peers_file.empty()) return;
    peers_file = std::make_unique<PeersFile>(options.peers_file);
    watch = std::make_unique<PeersWatch>(loop, *peers_file, options.peers_interval, options.logger,
                                         [this] { peers_changed(); });
  }

  call::DispatcherOptions dispatching() {
    call::DispatcherOptions made;
    made.logger = options.logger;
    made.authenticate = [this](std::string_view token) { return authenticate(token); };
    made.on_finished = [this](const call::CallRecord& record) {
      record_call(metrics, record);
      options.logger.debug("call", {{"operation", record.operation},
                                    {"owner", record.owner},
                                    {"code", record.code.empty() ? "OK" : record.code},
                                    {"us", record.duration.count()}});
    };
    return made;
  }

  LinkHost link_host() {
    return {.loop = loop,
            .registry = *registry,
            .dispatcher = *dispatcher,
            .metrics = metrics,
            .credentials = options.credentials,
            .tls = options.tls,
            .quic = options.quic,
            .limits = options.link_limits,
            .logger = options.logger,
            .wall_clock = options.wall_clock,
            .peers = [this] { return peer_list(); },
            .make_owner = [this](const std::string& id) { return make_owner(Owner::Kind::kConnection, id, {}); },
            .connected =
                [this](const auto& connection, const auto& id) {
                  hold(connection, {connection, id, true});
                }};
  }

  /// Gives freed memory back to the system, now and then.
  void trim_later() {
    if (options.memory_interval.count() == 0) return;
    trim_timer = Deadline(loop, options.memory_interval, [this] {
      trimmer.trim();
      trim_later();
    });
  }

  std::shared_ptr<const PeerList> peer_list() const {
    return peers_file ? peers_file->current() : std::make_shared<const PeerList>();
  }

  std::optional<call::Identity> authenticate(std::string_view token) const {
    const auto peers = peer_list();
    const PeerEntry* entry = peers->find_by_token(token);
    if (entry == nullptr || !entry->enabled) return std::nullopt;
    return entry->identity();
  }

  call::Identity admit(const call::PeerCredentials& credentials) const {
    const auto peers = peer_list();
    if (credentials.same_user) return call::Identity::local_program();
    const bool pinned =
        credentials.fingerprint && peers->find_by_fingerprint(*credentials.fingerprint, options.wall_clock());
    if (credentials.certificate_name && !pinned) {
      const PeerEntry* entry = peers->find(*credentials.certificate_name);
      if (entry == nullptr) {
        call::Identity identity;
        identity.id = *credentials.certificate_name;
        return identity;
      }
      if (!entry->enabled) throw Error(CallError::kUnauthorized, fmt::format("{} is disabled", entry->peer_id));
      return entry->identity();
    }
    return net::admit(*peers, credentials, options.wall_clock()).identity();
  }

  void count_refusal(std::string_view transport) {
    metrics.count("alknet_refused_credentials_total", "Keys, certificates and tokens that proved nobody.",
                  {{"transport", std::string(transport)}});
  }

  /// Closes what the changed list no longer lets in, and gives the others their new rights.
  void peers_changed() {
    const auto all = held;  // closing changes `held`
    for (const auto& [key, one] : all) {
      const call::PeerCredentials& peer = one.connection->peer();
      if (one.connection->closed() || (one.peer_id.empty() && !peer.certificate_name)) continue;
      try {
        one.connection->owner()->set_identity(one.dialled ? linked.identity_of(one.peer_id, peer) : admit(peer));
        if (const auto found = held.find(key); found != held.end()) found->second.ends = end_of(peer);
      } catch (const Error& error) {
        options.logger.info("peer let go", {{"peer", one.connection->owner()->name()}, {"reason", error.message()}});
        one.connection->close(call::TransportCode::kUnauthorized, "no longer let in");
      }
    }
    const auto peers = peer_list();
    const auto gone = [&](const call::Identity& identity) {
      if (identity.id == kAnonymous) return false;
      const PeerEntry* entry = peers->find(identity.id);
      return entry == nullptr || !entry->enabled;
    };
    for (const auto& gateway : gateways) gateway->end_where(gone);
    for (const auto& endpoint : mcp_servers) endpoint->end_where(gone);
    watch_ends();
    linked.retry();
  }

  std::optional<WallClock::time_point> end_of(const call::PeerCredentials& peer) const {
    return peer.fingerprint ? peer_list()->retires(*peer.fingerprint) : std::nullopt;
  }

  /// Closes connections whose key was replaced when its time has come. Looks at the clock now and then instead of
  /// waiting for the time, since the system's clock may be set.
  void watch_ends() {
    const auto ends = [](const auto& one) { return one.second.ends.has_value(); };
    if (watches_ends || std::none_of(held.begin(), held.end(), ends)) return;
    watches_ends = true;
    ends_timer = Deadline(loop, options.peers_interval, [this] {
      watches_ends = false;
      const auto now = options.wall_clock();
      const auto ended = [now](const auto& one) {
        return one.second.ends && *one.second.ends < now && !one.second.connection->closed();
      };
      if (std::any_of(held.begin(), held.end(), ended)) return peers_changed();
      watch_ends();
    });
  }

  bool is_connected(const std::string& peer_id) const {
    return std::any_of(held.begin(), held.end(), [&](const auto& one) { return one.second.peer_id == peer_id; });
  }

  /// Connections of callers: all but those that we dialled.
  std::size_t callers() const {
    return static_cast<std::size_t>(
        std::count_if(held.begin(), held.end(), [](const auto& one) { return !one.second.dialled; }));
  }

  /// An owner that sees what peers offer.
  std::shared_ptr<Owner> make_owner(Owner::Kind kind, const std::string& name,
                                    std::optional<call::Identity> identity) const {
    auto owner = std::make_shared<Owner>(kind, name, std::move(identity), options.owner_limits);
    owner->add_layer(linked.overlay());
    return owner;
  }

  /// Knows a connection until it is gone.
  void hold(const std::shared_ptr<call::Connection>& connection, Held one) {
    const auto* key = connection.get();
    const std::string& name = connection->owner()->name();
    options.logger.info("connected", {{"peer", name}, {"address", connection->peer().address}});
    connection->on_close([weak = weak_from_this(), key, name](const Error& reason) {
      const auto state = weak.lock();
      if (!state) return;
      state->options.logger.info("disconnected", {{"peer", name}, {"reason", reason.message()}});
      state->held.erase(key);
    });
    one.ends = end_of(connection->peer());
    held.emplace(key, std::move(one));
    watch_ends();
  }

  std::shared_ptr<call::Connection> serve(std::unique_ptr<call::Transport> transport,
                                          std::optional<call::Identity> identity, Owner::Kind kind) {
    const std::string address = transport->peer().address;
    const bool known = identity && !identity->unrestricted && peer_list()->find(identity->id) != nullptr;
    const std::string peer_id = known ? identity->id : "";
    const std::string name = peer_id.empty() ? address : peer_id;
    auto owner = make_owner(kind, name, std::move(identity));
    call::ConnectionOptions link;
    link.limits = options.link_limits;
    link.logger = options.logger.with({{"peer", name}});
    auto connection = call::Connection::open(loop, std::move(transport), dispatcher.get(), std::move(owner), link);
    hold(connection, {connection, peer_id});
    return connection;
  }

  std::string listen_quic(const std::string& place) {
    quic::Endpoint::Config config;
    config.credentials = options.credentials;
    config.options = options.quic;
    config.logger = options.logger;
    config.client_authorities_pem = options.client_authorities_pem;
    config.admission = [this](const call::PeerCredentials& peer) {
      try {
        admit(peer);
      } catch (const Error&) {
        count_refusal("quic");
        throw;
      }
    };
    const SocketAddress address = SocketAddress::of(parse_host_port(place));
    auto listener = std::make_unique<quic::Listener>(
        loop, address, std::move(config), [this](std::unique_ptr<call::Transport> transport) {
          std::optional<call::Identity> identity = admit(transport->peer());
          serve(std::move(transport), std::move(identity), Owner::Kind::kConnection);
        });
    if (options.on_quic_endpoint) options.on_quic_endpoint(listener->endpoint());
    std::string bound = listener->address().text();
    quic_listeners.push_back(std::move(listener));
    return bound;
  }

  /// What a connection of one stream becomes when its peer is let in; otherwise it is closed.
  void accept_stream(std::string_view scheme, std::unique_ptr<call::Transport> transport) {
    try {
      call::Identity identity = admit(transport->peer());
      const auto kind = identity.unrestricted ? Owner::Kind::kProgram : Owner::Kind::kConnection;
      serve(std::move(transport), std::move(identity), kind);
    } catch (const Error& error) {
      count_refusal(scheme);
      options.logger.info("refused", {{"address", transport->peer().address}, {"reason", error.message()}});
      transport->close(call::TransportCode::kUnauthorized, error.message());
    }
  }

  ListenOptions listening() const {
    ListenOptions made;
    made.logger = options.logger;
    return made;
  }

  std::string listen_tls(const std::string& place) {
    listeners.push_back(net::listen_tls(loop, place, options.tls, listening(),
                                        [this](auto transport) { accept_stream("tls", std::move(transport)); }));
    return listeners.back()->address();
  }

  std::string listen_unix(const std::string& path) {
    listeners.push_back(net::listen_unix(loop, path, listening(),
                                         [this](auto transport) { accept_stream("unix", std::move(transport)); }));
    return path;
  }

  /// Whether wrong tokens of this client count against its address.
  bool counts_tokens(const HttpRequest& request) const {
    return options.limit_local_tokens || (!request.peer.loopback && !options.allow_plaintext_credentials);
  }

  std::optional<HttpResponse> refuse_guesses(const HttpRequest& request) const {
    if (!shows_token(request) || !counts_tokens(request)) return std::nullopt;
    if (!failed_tokens.blocked(request.peer.address, loop.now())) return std::nullopt;
    call::WireError error{"RESOURCE_EXHAUSTED", "too many wrong tokens came from this address: try again later", true,
                          JsonObject{{"limit", "wrong_tokens"}}};
    return GatewayFailure{429, std::move(error)}.response();
  }

  void note_answer(const HttpRequest& request, int status) {
    if (status != 401 || !shows_token(request)) return;
    count_refusal("http");
    if (!counts_tokens(request)) return;
    failed_tokens.note(request.peer.address, loop.now());
    if (failed_tokens.blocked(request.peer.address, loop.now())) {
      options.logger.warning("too many wrong tokens", {{"address", request.peer.address}});
    }
  }

  std::string listen_http(const std::string& place) { return listen_web(place, nullptr); }
  std::string listen_https(const std::string& place) { return listen_web(place, TlsContext::server(options.tls)); }

  /// An HTTP server with the gateway, the page, and WebSockets.
  std::string listen_web(const std::string& place, std::shared_ptr<const TlsContext> tls) {
    HttpServerOptions serving;
    serving.tls = std::move(tls);
    serving.cors.origins = options.allowed_origins;
    serving.logger = options.logger;
    serving.refuse = [weak = weak_from_this()](const HttpRequest& request) {
      const auto state = weak.lock();
      return state ? state->refuse_guesses(request) : std::nullopt;
    };
    serving.answered = [weak = weak_from_this()](const HttpRequest& request, int status) {
      if (const auto state = weak.lock()) state->note_answer(request, status);
    };
    auto server = std::make_unique<HttpServer>(loop, std::move(serving));
    WebSocketServerOptions sockets;
    sockets.authenticate = [this](const std::optional<std::string>& token) {
      return token ? authenticate(*token).has_value() : anonymous().has_value();
    };
    sockets.allowed_origins = options.allowed_origins;
    sockets.allow_plaintext_credentials = options.allow_plaintext_credentials;
    sockets.logger = options.logger;
    server->route_upgrade(kWebSocketPath, "websocket",
                          accept_websockets(loop, std::move(sockets), [this](auto transport) {
                            const auto& token = transport->peer().bearer_token;
                            auto identity = token ? authenticate(*token) : anonymous();
                            serve(std::move(transport), std::move(identity), Owner::Kind::kConnection);
                          }));
    GatewayOptions gateway;
    gateway.owners.limits = options.owner_limits;
    gateway.owners.anonymous = anonymous();
    gateway.owners.layers = {linked.overlay()};
    gateway.owners.allow_plaintext_credentials = options.allow_plaintext_credentials;
    gateway.version = options.version;
    gateway.metrics = &metrics;
    gateways.push_back(std::make_unique<Gateway>(*server, *dispatcher, std::move(gateway)));
    route_mcp(*server);
    std::string bound = server->listen(place);
    web_servers.push_back(std::move(server));
    return bound;
  }

  void route_mcp(HttpServer& server) {
    mcp::McpServerOptions serving;
    serving.version = options.version;
    serving.allowed_origins = options.allowed_origins;
    serving.anonymous = anonymous();
    serving.limits = options.owner_limits;
    serving.layers = {linked.overlay()};
    const auto endpoint = std::make_shared<mcp::McpServer>(*dispatcher, std::move(serving));
    mcp_servers.push_back(endpoint);
    for (const char* method : {"GET", "POST", "DELETE"}) {
      server.route(method, std::string(kMcpPath),
                   [endpoint, allow = options.allow_plaintext_credentials](HttpRequest request) {
                     return answer_mcp(endpoint, std::move(request), allow);
                   });
    }
  }

  std::optional<call::Identity> anonymous() const {
    if (options.anonymous_scopes.empty()) return std::nullopt;
    call::Identity identity;
    identity.id = kAnonymous;
    identity.scopes = options.anonymous_scopes;
    return identity;
  }

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

Node::Node(Loop& loop, std::shared_ptr<call::Registry> registry, NodeOptions options)
    : state_(std::make_shared<State>(loop, std::move(registry), std::move(options))) {
  state_->trim_later();
}

Node::~Node() {
  state_->linked.stop();
  state_->trim_timer.cancel();
  const auto held = std::exchange(state_->held, {});
  for (const auto& [key, one] : held) one.connection->close();
}

std::string Node::listen(const std::string& address) {
  struct Scheme {
    std::string_view prefix;
    std::string (State::*listen)(const std::string& place);
  };
  static constexpr Scheme kSchemes[] = {
      {"quic://", &State::listen_quic}, {"tls://", &State::listen_tls},     {"unix:", &State::listen_unix},
      {"http://", &State::listen_http}, {"https://", &State::listen_https}, {"ws://", &State::listen_http},
      {"wss://", &State::listen_https},
  };
  for (const auto& [prefix, listen] : kSchemes) {
    if (!address.starts_with(prefix)) continue;
    std::string bound = fmt::format("{}{}", prefix, (state_.get()->*listen)(address.substr(prefix.size())));
    state_->options.logger.info("listening", {{"address", bound}});
    return bound;
  }
  throw Error(CallError::kConfiguration,
              fmt::format("{}: listen on quic://HOST:PORT, http://HOST:PORT, https://HOST:PORT, tls://HOST:PORT or "
                          "unix:PATH",
                          address));
}

std::shared_ptr<call::Connection> Node::serve(std::unique_ptr<call::Transport> transport,
                                              std::optional<call::Identity> identity, Owner::Kind kind) {
  return state_->serve(std::move(transport), std::move(identity), kind);
}

call::Identity Node::admit(const call::PeerCredentials& credentials) const { return state_->admit(credentials); }

std::optional<call::Identity> Node::authenticate(std::string_view token) const { return state_->authenticate(token); }

std::optional<call::Identity> Node::anonymous() const { return state_->anonymous(); }

call::Dispatcher& Node::dispatcher() { return *state_->dispatcher; }
Metrics& Node::metrics() { return state_->metrics; }
const call::Registry& Node::registry() const { return *state_->registry; }
Loop& Node::loop() { return state_->loop; }

std::vector<NodeConnection> Node::connections() const {
  std::vector<NodeConnection> list;
  for (const auto& [key, one] : state_->held) {
    list.push_back({one.connection->owner()->name(), one.connection->peer().address, one.connection->stats()});
  }
  return list;
}

void Node::link_peer(const std::string& peer_id, const std::string& address) { state_->linked.add(peer_id, address); }

void Node::refresh_peers() { state_->linked.refresh(); }

std::vector<call::PeerInfo> Node::peers() const {
  std::vector<call::PeerInfo> list;
  const auto known = state_->peer_list();
  for (const PeerEntry& entry : known->entries()) {
    list.push_back({entry.peer_id, entry.display_name, state_->is_connected(entry.peer_id)});
  }
  for (const std::string& peer_id : state_->linked.peer_ids()) {
    if (known->find(peer_id) == nullptr) list.push_back({peer_id, "", state_->is_connected(peer_id)});
  }
  for (call::PeerInfo& peer : list) peer.import = state_->linked.import_of(peer.peer_id);
  return list;
}

Task<void> Node::drain(std::chrono::milliseconds limit) {
  State& state = *state_;
  state.dispatcher->drain();
  for (const auto& listener : state.quic_listeners) listener->endpoint().stop_accepting();
  state.listeners.clear();
  for (const auto& server : state.web_servers) co_await server->drain(limit);
  const auto all = state.held;
  for (const auto& [key, one] : all) {
    if (!one.dialled) one.connection->drain(limit);
  }
  const auto until = state.loop.now() + limit;
  while ((state.callers() > 0 || state.dispatcher->running_calls() > 0) && state.loop.now() < until) {
    co_await sleep_for(kDrainPoll);
  }
  state.linked.stop();
  while (!state.held.empty() && state.loop.now() < until) co_await sleep_for(kDrainPoll);
}

}  // namespace alknet::net
