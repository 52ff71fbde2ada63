#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/call/connection.h"
#include "alknet/call/registry.h"

namespace alknet::call {

struct ImportOptions {
  /// What the imported names begin with, without a slash; the peer's id (the owner's name) when empty.
  std::string namespace_prefix{};

  /// Nested calls are what imported operations are for. External makes them callable by our own callers too.
  Visibility visibility = Visibility::kInternal;

  /// Who may call them; all of it is asked of the caller here, beside what the peer asks of us.
  AccessControl access{};
};

/// What a peer offers to us, put under local names.
struct ImportedPeer {
  std::string peer_id;
  std::string prefix;
  std::weak_ptr<Connection> connection;

  /// The forwarding operations, for the owners that may see them (Owner::add_layer). Emptied when the connection
  /// closes.
  std::shared_ptr<Layer> layer;

  /// The peer's own descriptions, by the peer's names: for calls through the connection with `CallOptions::known`.
  OperationMap operations;

  /// Operations that could not be taken, with the reason.
  std::vector<std::pair<std::string, std::string>> skipped;
};

/// Imports the operations that the peer lets us see: `services/list` (which negotiates features) and `services/schema`,
/// then a forwarding registration for each, of provenance FromCall, except for the discovery operations. A forwarding
/// handler calls the peer with the remaining deadline and with whom it calls for in `forwarded_for`; when it is
/// aborted, so is the peer's call. `{"$tensor": h}` in an output becomes a handle of the caller's own, which disposes
/// of the peer's when it goes; in an input it must be such a handle of the same peer, else FOREIGN_HANDLE.
///
/// Runs on the connection's executor, which must be the dispatcher's. `registry` must outlive the task. Throws
/// `discovery_failed` when the peer's answers make no sense, `name_taken` for a prefix that cannot be, and what calls
/// throw.
Task<std::shared_ptr<ImportedPeer>> import_peer(std::shared_ptr<Connection> connection, const Registry& registry,
                                                ImportOptions options = {});

}  // namespace alknet::call
