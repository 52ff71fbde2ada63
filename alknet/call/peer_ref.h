#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/call/from_call.h"

namespace alknet::call {

/// Which peer a call shall go to.
struct PeerRef {
  /// That peer and no other; nothing: the first that has the operation.
  std::optional<std::string> peer_id;

  static PeerRef any() { return {}; }
  static PeerRef specific(std::string id) { return {std::move(id)}; }
};

/// The peers whose operations were imported, in the order in which they came. Used on the dispatcher's executor.
class PeerSet {
 public:
  /// Adds a peer; one of the same id before it goes, as after a reconnection. Throws `name_taken` with details `peer`
  /// when another peer has its prefix.
  void add(std::shared_ptr<const ImportedPeer> peer);
  void remove(std::string_view peer_id);

  /// The peers that are connected.
  std::vector<std::shared_ptr<const ImportedPeer>> connected() const;

  /// Where an operation, under the peer's own name for it ("tensor/matmul", a leading slash is ignored), goes.
  struct Target {
    std::shared_ptr<const ImportedPeer> peer;
    std::shared_ptr<Connection> connection;
    std::shared_ptr<const Operation> operation;

    /// Its name here ("gpu1/tensor/matmul"), for nested calls, which pass the gates by that name.
    std::string local_name;
  };
  /// Throws `not_found` when that peer, or any, does not have it or is not connected.
  Target find(const PeerRef& ref, std::string_view operation) const;

  /// A nested call of a handler to a peer's operation.
  Task<Message> call(OperationContext& context, const PeerRef& ref, std::string_view operation, Message input,
                     NestedCallOptions options = {}) const;

  /// Each peer's layer, for an owner that may see all of them.
  std::vector<std::shared_ptr<const Layer>> layers() const;

 private:
  std::vector<std::shared_ptr<const ImportedPeer>> peers_;
};

}  // namespace alknet::call
