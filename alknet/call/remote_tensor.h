#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "alknet/call/connection.h"
#include "alknet/call/context.h"
#include "alknet/call/resources.h"

namespace alknet::call {

/// A tensor that lives at a peer, under a handle of ours. When it goes, so does the peer's.
class RemoteTensor final : public Resource {
 public:
  RemoteTensor(std::weak_ptr<Connection> connection, std::string peer_id, std::string handle)
      : connection_(std::move(connection)), peer_id_(std::move(peer_id)), handle_(std::move(handle)) {}

  /// Calls `compute/dispose` at the peer, if the connection is still there.
  ~RemoteTensor() override;

  /// Its bytes are the peer's, under the peer's quota.
  std::uint64_t bytes() const override { return 0; }
  std::string_view kind() const override { return "tensor"; }

  const std::string& peer_id() const { return peer_id_; }

  /// Under which the peer knows it.
  const std::string& handle() const { return handle_; }

 private:
  std::weak_ptr<Connection> connection_;
  std::string peer_id_;
  std::string handle_;
};

/// Puts the peer's handles in place of ours, wherever `input` has `{"$tensor": h, ...}`. Throws the domain error
/// FOREIGN_HANDLE, with the remedy, for tensors that are not this peer's, and `invalid_input` for handles that do not
/// exist.
void to_remote_handles(Json& input, ResourceTable& resources, std::string_view peer_id);

/// Keeps what a peer returned: wherever `output` has `{"$tensor": h, ...}`, a handle of the caller's takes its place:
/// one of `ids`, in their order, or a new one when there are none. Throws `invalid_input` when their number is another.
void to_local_handles(Json& output, OperationContext& context, const std::shared_ptr<Connection>& connection,
                      const std::string& peer_id, std::span<const std::string> ids = {});

}  // namespace alknet::call
