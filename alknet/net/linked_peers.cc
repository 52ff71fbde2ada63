#include "alknet/net/linked_peers.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "alknet/call/error.h"
#include "alknet/net/dial.h"
#include "alknet/net/peer_link.h"

namespace alknet::net {

namespace {

using call::CallError;

constexpr std::chrono::milliseconds kIdle{15'000};
constexpr std::chrono::milliseconds kKeepAlive{5'000};

Error disabled(const std::string& peer_id) {
  return {CallError::kUnauthorized, fmt::format("the peer `{0}` is disabled: alknet peer enable {0}", peer_id)};
}

}  // namespace

PeerTarget peer_target(const PeerList& peers, const std::string& peer_id, std::string address,
                       WallClock::time_point now) {
  const PeerEntry* entry = peers.find(peer_id);
  if (entry != nullptr && !entry->enabled) throw disabled(peer_id);
  if (address.empty() && entry != nullptr) address = entry->address;
  if (address.empty()) {
    throw Error(CallError::kConfiguration,
                fmt::format("where is the peer {0}? alknet peer add {0} --address quic://HOST:PORT --fingerprint F, or "
                            "--peer {0}=ADDRESS",
                            peer_id));
  }
  ExpectedServer expected;
  if (entry != nullptr) expected.fingerprints = entry->accepted_fingerprints(now);
  if (address.starts_with("quic://") && expected.fingerprints.empty()) {
    throw Error(CallError::kConfiguration,
                fmt::format("how should the peer {0} be recognised? alknet peer add {0} --fingerprint F, which `alknet "
                            "peer show` prints there",
                            peer_id));
  }
  return {std::move(address), std::move(expected)};
}

quic::Options watchful(quic::Options options) {
  options.idle_timeout = std::min(options.idle_timeout, kIdle);
  options.keep_alive = std::min(options.keep_alive, kKeepAlive);
  return options;
}

struct LinkedPeers::State : std::enable_shared_from_this<LinkedPeers::State> {
  explicit State(LinkHost of) : host(std::move(of)) {}

  static Task<std::shared_ptr<call::Connection>> dial_peer(std::shared_ptr<State> self, std::string peer_id,
                                                           std::string given_address) {
    const LinkHost& host = self->host;
    DialOptions dialling;
    PeerTarget target = peer_target(*host.peers(), peer_id, std::move(given_address), host.wall_clock());
    dialling.expected = std::move(target.expected);
    dialling.credentials = host.credentials;
    dialling.tls.certificate_file = host.tls.certificate_file;
    dialling.tls.private_key_file = host.tls.private_key_file;
    dialling.dispatcher = &host.dispatcher;
    dialling.owner = host.make_owner(peer_id);
    dialling.limits = host.limits;
    dialling.quic = watchful(host.quic);
    dialling.logger = host.logger.with({{"peer", peer_id}});
    auto connection = co_await dial(host.loop, std::move(target.address), std::move(dialling));
    if (self->stopped) throw Error(CallError::kInternal, "connection closed");
    connection->owner()->set_identity(self->identity_of(peer_id, connection->peer()));
    host.connected(connection, peer_id);
    co_return connection;
  }

  void add(const std::string& peer_id, const std::string& address) {
    if (links.contains(peer_id)) {
      throw Error(CallError::kNameTaken, fmt::format("the peer {} is given twice: name it once", peer_id));
    }
    PeerLinkOptions link;
    link.peer_id = peer_id;
    link.dial = [weak = weak_from_this(), peer_id, address] { return dial_peer(weak.lock(), peer_id, address); };
    link.import.layer = overlay;
    link.import.visibility = call::Visibility::kExternal;
    link.import.access.required_scopes = {peer_id};
    link.import.shared = true;
    link.logger = host.logger;
    link.on_attempt = [this, peer_id](const Error* failed) {
      host.metrics.count("alknet_peer_attempts_total", "Dials of linked peers, by how they ended.",
                         {{"peer", peer_id}, {"code", failed == nullptr ? "OK" : call::capitals(failed->code_name())}});
    };
    auto made = std::make_unique<PeerLink>(host.loop, host.registry, std::move(link));
    host.metrics.gauge("alknet_peer_connected", "Whether a linked peer's operations are imported.", {{"peer", peer_id}},
                       [weak = weak_from_this(), link = made.get()] {
                         const bool there = !weak.expired() && link->state().phase == LinkPhase::kConnected;
                         return there ? 1.0 : 0.0;
                       });
    links.emplace(peer_id, std::move(made));
  }

  void stop() {
    stopped = true;
    for (const auto& [peer_id, link] : links) link->stop();
  }

  std::optional<call::Identity> identity_of(const std::string& peer_id, const call::PeerCredentials& shown) const {
    const auto peers = host.peers();
    const PeerEntry* entry = peers->find(peer_id);
    if (entry != nullptr && !entry->enabled) throw disabled(peer_id);
    const bool pinned = entry != nullptr && !entry->fingerprints.empty();
    if (!pinned || !shown.fingerprint) return std::nullopt;
    return admit(*peers, shown, host.wall_clock()).identity();
  }

  LinkHost host;
  std::shared_ptr<call::Layer> overlay = std::make_shared<call::Layer>();
  bool stopped = false;
  std::map<std::string, std::unique_ptr<PeerLink>> links;
};

LinkedPeers::LinkedPeers(LinkHost host) : state_(std::make_shared<State>(std::move(host))) {}

LinkedPeers::~LinkedPeers() { state_->stop(); }

void LinkedPeers::add(const std::string& peer_id, const std::string& address) { state_->add(peer_id, address); }

void LinkedPeers::retry() {
  for (const auto& [peer_id, link] : state_->links) link->retry();
}

void LinkedPeers::refresh() {
  for (const auto& [peer_id, link] : state_->links) link->refresh();
}

void LinkedPeers::stop() { state_->stop(); }

const std::shared_ptr<call::Layer>& LinkedPeers::overlay() const { return state_->overlay; }

std::vector<std::string> LinkedPeers::peer_ids() const {
  std::vector<std::string> ids;
  for (const auto& [peer_id, link] : state_->links) ids.push_back(peer_id);
  return ids;
}

std::optional<call::PeerImport> LinkedPeers::import_of(const std::string& peer_id) const {
  const auto link = state_->links.find(peer_id);
  if (link == state_->links.end()) return std::nullopt;
  const PeerLinkState state = link->second->state();
  call::PeerImport import{std::string(link_phase_name(state.phase)), state.operations, state.attempts};
  if (state.last_error) import.last_error = state.last_error->message();
  if (state.next_dial) {
    const auto wait = *state.next_dial - state_->host.loop.now();
    import.next_attempt_in =
        std::max(std::chrono::duration_cast<std::chrono::milliseconds>(wait), std::chrono::milliseconds(0));
  }
  return import;
}

std::optional<call::Identity> LinkedPeers::identity_of(const std::string& peer_id,
                                                       const call::PeerCredentials& shown) const {
  return state_->identity_of(peer_id, shown);
}

}  // namespace alknet::net
