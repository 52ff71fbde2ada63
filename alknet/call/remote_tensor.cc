#include "alknet/call/remote_tensor.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "alknet/base/await.h"
#include "alknet/base/function_ref.h"

namespace alknet::call {

namespace {

constexpr std::string_view kTensorKey = "$tensor";

/// Calls `each(handle)` for every `{"$tensor": handle}` inside `value`; it may put another in its place.
void for_each_tensor(Json& value, FunctionRef<void(Json& handle)> each) {
  if (auto* array = value.if_array()) {
    for (Json& item : *array) for_each_tensor(item, each);
  } else if (auto* object = value.if_object()) {
    if (auto* handle = object->if_contains(kTensorKey); handle != nullptr && handle->is_string()) return each(*handle);
    for (auto& member : *object) for_each_tensor(member.value(), each);
  }
}

}  // namespace

RemoteTensor::~RemoteTensor() {
  const auto connection = connection_.lock();
  if (!connection || connection->closed()) return;
  JsonObject input{{"handles", JsonArray{Json(handle_)}}};
  // Nobody waits for it, and a peer that cannot do it lets everything go with the connection.
  start(connection->executor(), connection->call("compute/dispose", Message{std::move(input), {}}),
        [](const Outcome<Message>&) {});
}

void to_remote_handles(Json& input, ResourceTable& resources, std::string_view peer_id) {
  for_each_tensor(input, [&](Json& handle) {
    const auto resource = resources.get<Resource>(std::string_view(handle.get_string()));
    const auto* remote = dynamic_cast<const RemoteTensor*>(resource.get());
    if (remote == nullptr || remote->peer_id() != peer_id) {
      throw domain_error("FOREIGN_HANDLE",
                         fmt::format("the tensor {} is not one of the peer {}: copy it there with .to('peer:{}')",
                                     std::string_view(handle.get_string()), peer_id, peer_id),
                         JsonObject{{"handle", handle}, {"peer", peer_id}});
    }
    handle = remote->handle();
  });
}

void to_local_handles(Json& output, OperationContext& context, const std::shared_ptr<Connection>& connection,
                      const std::string& peer_id, std::span<const std::string> ids) {
  std::vector<std::pair<Json*, std::shared_ptr<RemoteTensor>>> tensors;  // those not kept go at the peer too
  for_each_tensor(output, [&](Json& handle) {
    tensors.emplace_back(&handle,
                         std::make_shared<RemoteTensor>(connection, peer_id, std::string(handle.get_string())));
  });
  if (!ids.empty() && ids.size() != tensors.size()) {
    throw Error(CallError::kInvalidInput,
                fmt::format("ids: {} were given, but there are {} results", ids.size(), tensors.size()));
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    auto& [handle, tensor] = tensors[i];
    if (ids.empty()) {
      *handle = context.add_resource(std::move(tensor));
    } else {
      context.add_resource_as(ids[i], std::move(tensor));
      *handle = ids[i];
    }
  }
}

}  // namespace alknet::call
