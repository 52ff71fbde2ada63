#include "alknet/call/peer_ref.h"

#include <fmt/format.h>

#include <utility>

#include "alknet/call/context.h"

namespace alknet::call {

void PeerSet::add(std::shared_ptr<const ImportedPeer> peer) {
  for (const auto& other : peers_) {
    if (other->peer_id != peer->peer_id && other->prefix == peer->prefix) {
      throw Error(CallError::kNameTaken,
                  fmt::format("the peer {} has the prefix {} already: give {} another namespace_prefix", other->peer_id,
                              peer->prefix, peer->peer_id),
                  JsonObject{{"peer", other->peer_id}});
    }
  }
  remove(peer->peer_id);
  peers_.push_back(std::move(peer));
}

void PeerSet::remove(std::string_view peer_id) {
  std::erase_if(peers_, [&](const auto& peer) { return peer->peer_id == peer_id; });
}

std::vector<std::shared_ptr<const ImportedPeer>> PeerSet::connected() const {
  std::vector<std::shared_ptr<const ImportedPeer>> found;
  for (const auto& peer : peers_) {
    const auto connection = peer->connection.lock();
    if (connection && !connection->closed()) found.push_back(peer);
  }
  return found;
}

PeerSet::Target PeerSet::find(const PeerRef& ref, std::string_view operation) const {
  if (operation.starts_with('/')) operation.remove_prefix(1);
  for (const auto& peer : peers_) {
    if (ref.peer_id && *ref.peer_id != peer->peer_id) continue;
    const auto found = peer->operations.find(operation);
    auto connection = peer->connection.lock();
    if (found == peer->operations.end() || !connection || connection->closed()) continue;
    return {peer, std::move(connection), found->second, fmt::format("{}/{}", peer->prefix, operation)};
  }
  throw Error(CallError::kNotFound,
              ref.peer_id ? fmt::format("the peer {} has no operation {}, or is not connected", *ref.peer_id, operation)
                          : fmt::format("no connected peer has the operation {}", operation),
              JsonObject{{"operation", operation}});
}

Task<Message> PeerSet::call(OperationContext& context, const PeerRef& ref, std::string_view operation, Message input,
                            NestedCallOptions options) const {
  return context.call(find(ref, operation).local_name, std::move(input), std::move(options));
}

std::vector<std::shared_ptr<const Layer>> PeerSet::layers() const {
  std::vector<std::shared_ptr<const Layer>> layers;
  for (const auto& peer : peers_) layers.push_back(peer->layer);
  return layers;
}

}  // namespace alknet::call
