#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/call/error.h"
#include "alknet/net/node_state.h"

namespace alknet::net {

namespace {

using call::CallError;
using call::Owner;

}  // namespace

std::shared_ptr<const PeerList> Node::State::peer_list() const {
  return peers_file ? peers_file->current() : std::make_shared<const PeerList>();
}

std::optional<call::Identity> Node::State::authenticate(std::string_view token) const {
  const auto peers = peer_list();
  const PeerEntry* entry = peers->find_by_token(token);
  if (entry == nullptr || !entry->enabled) return std::nullopt;
  return entry->identity();
}

call::Identity Node::State::admit(const call::PeerCredentials& credentials) const {
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

void Node::State::count_refusal(std::string_view transport) {
  metrics.count("alknet_refused_credentials_total", "Keys, certificates and tokens that proved nobody.",
                {{"transport", std::string(transport)}});
}

void Node::State::peers_changed() {
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

std::optional<WallClock::time_point> Node::State::end_of(const call::PeerCredentials& peer) const {
  return peer.fingerprint ? peer_list()->retires(*peer.fingerprint) : std::nullopt;
}

void Node::State::watch_ends() {
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

bool Node::State::is_connected(const std::string& peer_id) const {
  return std::any_of(held.begin(), held.end(), [&](const auto& one) { return one.second.peer_id == peer_id; });
}

std::size_t Node::State::callers() const {
  return static_cast<std::size_t>(
      std::count_if(held.begin(), held.end(), [](const auto& one) { return !one.second.dialled; }));
}

std::shared_ptr<Owner> Node::State::make_owner(Owner::Kind kind, const std::string& name,
                                               std::optional<call::Identity> identity) const {
  auto owner = std::make_shared<Owner>(kind, name, std::move(identity), options.owner_limits);
  owner->add_layer(linked.overlay());
  return owner;
}

void Node::State::hold(const std::shared_ptr<call::Connection>& connection, Held one) {
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

std::shared_ptr<call::Connection> Node::State::serve(std::unique_ptr<call::Transport> transport,
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

std::optional<call::Identity> Node::State::anonymous() const {
  if (options.anonymous_scopes.empty()) return std::nullopt;
  call::Identity identity;
  identity.id = kAnonymous;
  identity.scopes = options.anonymous_scopes;
  return identity;
}

}  // namespace alknet::net
