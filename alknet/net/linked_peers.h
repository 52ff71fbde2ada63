#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alknet/base/log.h"
#include "alknet/base/loop.h"
#include "alknet/call/connection.h"
#include "alknet/call/discovery.h"
#include "alknet/call/registry.h"
#include "alknet/net/credentials.h"
#include "alknet/net/metrics.h"
#include "alknet/net/peers.h"
#include "alknet/net/quic/options.h"
#include "alknet/net/tls.h"

namespace alknet::net {

/// Where a peer is and how it is recognised.
struct PeerTarget {
  std::string address;
  ExpectedServer expected;
};

/// The target of a peer as the list has it, at `address` instead where one is given. Throws `unauthorized` for a
/// disabled peer, and `configuration` for one without an address, or at a quic:// address without a fingerprint.
PeerTarget peer_target(const PeerList& peers, const std::string& peer_id, std::string address,
                       WallClock::time_point now = WallClock::now());

/// For connections that somebody waits on: a peer that is gone without a word is noticed after 15 s of silence, or
/// earlier where `options` say so.
quic::Options watchful(quic::Options options);

/// What linked peers need of their node. References and functions must stay usable until the links are destroyed.
struct LinkHost {
  Loop& loop;
  const call::Registry& registry;
  call::Dispatcher& dispatcher;  ///< serves what peers call on the connections that we dialled
  Metrics& metrics;

  Credentials credentials;
  TlsOptions tls;
  quic::Options quic;
  call::LinkLimits limits;
  Logger logger;

  std::function<WallClock::time_point()> wall_clock;
  std::function<std::shared_ptr<const PeerList>()> peers;

  /// The owner of a connection to a peer, by the name of its id.
  std::function<std::shared_ptr<call::Owner>(const std::string& peer_id)> make_owner;

  /// A peer was reached.
  std::function<void(const std::shared_ptr<call::Connection>& connection, const std::string& peer_id)> connected;
};

/// The peers whose operations a node offers to its callers: a PeerLink for each, and one overlay of what all of them
/// have. The peers file says where a peer is and how it is recognised, looked up for each dial. Used on the loop's
/// thread.
class LinkedPeers {
 public:
  explicit LinkedPeers(LinkHost host);
  ~LinkedPeers();
  LinkedPeers(const LinkedPeers&) = delete;
  LinkedPeers& operator=(const LinkedPeers&) = delete;

  /// As Node::link_peer.
  void add(const std::string& peer_id, const std::string& address);

  /// The peers file changed: those that wait are dialled now.
  void retry();

  /// Reads again what the connected peers offer.
  void refresh();

  void stop();

  /// For owners that may see what peers offer.
  const std::shared_ptr<call::Layer>& overlay() const;

  std::vector<std::string> peer_ids() const;

  /// How a peer is doing; nothing when it is not linked.
  std::optional<call::PeerImport> import_of(const std::string& peer_id) const;

  /// What a peer that we dialled may call here, by what it showed: one that proved no key is only a name of ours.
  /// Throws `unauthorized` when the peers file no longer has that key, or says that the peer is disabled.
  std::optional<call::Identity> identity_of(const std::string& peer_id, const call::PeerCredentials& shown) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace alknet::net
