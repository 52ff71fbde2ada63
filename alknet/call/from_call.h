#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/call/connection.h"
#include "alknet/call/registry.h"

namespace alknet::call {

struct ImportedPeer;

struct ImportOptions {
  /// What the imported names begin with, without a slash; the peer's id (the owner's name) when empty.
  std::string namespace_prefix{};

  /// Nested calls are what imported operations are for. External makes them callable by our own callers too.
  Visibility visibility = Visibility::kInternal;

  /// Who may call them; all of it is asked of the caller here, beside what the peer asks of us.
  AccessControl access{};

  /// Where the operations go; a layer of their own when null.
  std::shared_ptr<Layer> layer{};

  /// Several callers of ours use them over this one connection, so that to the peer they are one. What tells them apart
  /// is that a tensor of the peer is a handle of its caller's own; the names that a caller chooses for results (`ids`)
  /// stay on this side too. Other handles are plain texts (`format` of kHandleFormat in a schema), which any caller
  /// could guess: operations that take or give such handles are skipped.
  bool shared = false;

  /// A peer that lists more is refused.
  std::size_t max_operations = 10'000;

  /// An earlier import of that peer, which goes at the moment in which the new one comes.
  std::shared_ptr<ImportedPeer> replaces{};
};

/// The `format` by which a schema says that a text names something that the caller holds: a plan, a store, a kernel.
inline constexpr std::string_view kHandleFormat = "alknet-handle";

/// The tag that imported operations have. What has it at a peer is not imported again, so that nodes that import each
/// other do not make names without end.
inline constexpr std::string_view kImportedTag = "imported";

/// What a peer offers to us, put under local names.
struct ImportedPeer {
  std::string peer_id;
  std::string prefix;
  std::weak_ptr<Connection> connection;

  /// Where the forwarding operations are, for the owners that may see them (Owner::add_layer), and their names there.
  /// They go when the connection closes.
  std::shared_ptr<Layer> layer;
  std::vector<std::string> local_names;

  /// The peer's own descriptions, by the peer's names: for calls through the connection with `CallOptions::known`.
  OperationMap operations;

  /// Operations that could not be taken, with the reason.
  std::vector<std::pair<std::string, std::string>> skipped;

  /// Takes the operations out of their layer. Idempotent.
  void withdraw();
};

/// Imports the operations that the peer lets us see: `services/list` (which negotiates features) and `services/schema`,
/// then a forwarding registration for each, of provenance FromCall, except for the discovery operations and those that
/// the peer imported itself. A forwarding handler calls the peer with the remaining deadline and with whom it calls for
/// in `forwarded_for`; when it is aborted, so is the peer's call. `{"$tensor": h}` in an output becomes a handle of the
/// caller's own, which disposes of the peer's when it goes; in an input it must be such a handle of the same peer, else
/// FOREIGN_HANDLE.
///
/// Runs on the connection's executor, which must be the dispatcher's. `registry` must outlive the task. Throws
/// `discovery_failed` when the peer's answers make no sense or are too many, `name_taken` for a prefix that cannot be,
/// and what calls throw.
Task<std::shared_ptr<ImportedPeer>> import_peer(std::shared_ptr<Connection> connection, const Registry& registry,
                                                ImportOptions options = {});

}  // namespace alknet::call
