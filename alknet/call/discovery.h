#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/call/operation.h"

namespace alknet::call {

/// A peer whose operations this node keeps imported.
struct PeerImport {
  std::string state;  ///< "connecting", "connected", "waiting" (to dial again), "stopped"
  std::size_t operations = 0;
  std::uint64_t attempts = 0;                                  ///< dials so far
  std::string last_error{};                                    ///< why it is not connected; empty while it is
  std::optional<std::chrono::milliseconds> next_attempt_in{};  ///< while it waits
};

/// One peer for `services/list-peers`.
struct PeerInfo {
  std::string peer_id;
  std::string display_name;
  bool connected = false;
  std::optional<PeerImport> import{};
};

struct DiscoveryOptions {
  /// What `services/list-peers` answers. Without it the operation does not exist.
  std::function<std::vector<PeerInfo>()> list_peers;
  /// Who may ask for it.
  AccessControl list_peers_access;
};

/// The operations by which a caller learns what there is, for the curated layer:
/// `services/list` {features?, prefix?, query?} -> {operations: [...], features?}, those that this caller may call;
/// `services/schema` {name} -> the full spec of one of them; `services/list-peers`.
std::vector<Registration> discovery_operations(DiscoveryOptions options = {});

/// A short form of a spec for lists: name, op_type, title, description, tags.
Json operation_summary(const OperationSpec& spec);

/// Whether the name, title, description or a tag contains `query`, whatever the case of ASCII letters.
bool matches(const OperationSpec& spec, std::string_view query);

}  // namespace alknet::call
