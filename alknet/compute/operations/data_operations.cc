#include <fmt/format.h>

#include <utility>

#include "alknet/base/await.h"
#include "alknet/call/error.h"
#include "alknet/call/remote_tensor.h"
#include "alknet/compute/error.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/compute/operations/handles.h"
#include "alknet/compute/operations/owner_state.h"
#include "alknet/compute/operations/spec.h"
#include "alknet/compute/operations/values.h"
#include "alknet/graph/error.h"

// Tensors made, written, read and let go: where bytes cross.

namespace alknet::compute {
namespace {

std::string device_of(const JsonObject& object) {
  const Json* device = member(object, "device");
  return device == nullptr ? std::string() : std::string(device->as_string());
}

/// The device where the owner's tensors are made, by a name that does not say which it is.
constexpr std::string_view kDefaultDevice = "default";

Tensor on_device(ComputeService& service, const Tensor& tensor, const std::string& device) {
  if (device.empty()) return tensor;
  const Tensor moved =
      device == kDefaultDevice ? tensor.to(tensor.context().backend()) : tensor.to(std::string_view(device));
  service.note_backend(moved.buffer()->backend());
  return moved;
}

constexpr ComputeOperation kCreateTensor = {"compute/create_tensor",
                                            call::OperationType::kMutation,
                                            "Make a tensor",
                                            "A tensor of a dtype and shape from bytes, from nested values, or of "
                                            "zeros. It lives until it is disposed of or its "
                                            "owner ends.",
                                            R"({"properties":{
      "dtype":"@dtype","shape":"@shape Sizes; [] is one number",
      "data":"@bytes Elements, row-major and little-endian; f32 [2,3] takes 24 bytes",
      "values":{"description":"Instead of data: nested arrays of numbers","examples":[[[1,2,3],[4,5,6]]]},
      "device":{"type":"string","description":"cpu, gpu:0, ...; the node's default otherwise","examples":["cpu"]},
      "requires_grad":{"type":"boolean","default":false,"description":"Record operations on it for compute/backward"},
      "ids":"@ids"},
      "required":["dtype","shape"],"not":{"required":["data","values"]},
      "examples":[{"dtype":"f32","shape":[2,3],"values":[[1,2,3],[4,5,6]]}]})",
                                            R"("@tensor The new tensor")",
                                            kCommonErrors | kOperationErrors};

Task<Message> create_tensor(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  const auto ids = ids_of(object);
  const Dtype dtype = dtype_member(object);
  const Shape shape = shape_member(object);
  room_of(context).require(1, graph::storage_bytes(dtype, graph::element_count(shape)));
  SharedBytes data;
  const Json* given = member(object, "data");
  if (given != nullptr) data = attached_bytes(input, *given);
  if (const Json* values = member(object, "values")) {
    require_few_values(shape);
    data = SharedBytes::take(bytes_of_values(dtype, shape, *values));
    given = values;
  }
  auto work = [&service, owner = service.owner(context), dtype, shape, data, filled = given != nullptr,
               device = device_of(object), leaf = flag(object, "requires_grad")] {
    const Context& own = owner->context();
    const std::vector<std::byte> zeros(filled ? 0 : graph::storage_bytes(dtype, graph::element_count(shape)));
    Tensor tensor = on_device(service, own.from_bytes(dtype, shape, filled ? data.span() : std::span(zeros)), device);
    if (leaf) tensor.requires_grad_();
    return std::make_shared<TensorResource>(service, tensor);
  };
  return answer_tensor(service, context, std::move(work), ids);
}

constexpr ComputeOperation kWriteTensor = {
    "compute/write_tensor",
    call::OperationType::kMutation,
    "Overwrite a tensor",
    "Replaces all elements. Every view that shares the memory changes with it, and a later compute/backward that needs "
    "the old elements is refused.",
    R"({"properties":{"tensor":"@tensor The tensor to write; it must be contiguous",
      "data":"@bytes All its elements","values":{"description":"Instead of data: nested arrays of numbers"}},
      "required":["tensor"],"oneOf":[{"required":["data"]},{"required":["values"]}]})",
    R"({"properties":{}})"};

Task<Message> write_tensor(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  const auto tensor = tensor_of(context, object.at("tensor"));
  SharedBytes data;
  if (const Json* values = member(object, "values")) {
    require_few_values(tensor->shape());
    data = SharedBytes::take(bytes_of_values(tensor->dtype(), tensor->shape(), *values));
  } else {
    data = attached_bytes(input, object.at("data"));
  }
  auto work = [tensor, data] { tensor->held().write(data.span()); };
  co_await run_on(service.compute(), std::move(work));
  co_return Message{JsonObject{}, {}};
}

constexpr ComputeOperation kReadTensor = {
    "compute/read_tensor",
    call::OperationType::kQuery,
    "Read a tensor",
    "The elements of a tensor in row-major order, whatever its strides. Waits for the device.",
    R"({"properties":{"tensor":"@tensor The tensor to read",
      "as":{"enum":["bytes","values"],"default":"bytes","description":"Bytes, or nested arrays of numbers"}},
      "required":["tensor"]})",
    R"({"properties":{"dtype":{"type":"string"},"shape":"@shape","data":"@bytes The elements, little-endian",
      "values":{"description":"Nested arrays, when asked for"}},"required":["dtype","shape"]})",
    kCommonErrors | kOperationErrors | kGraphErrors | kKernelErrors | kModelErrors,
    {},
    Tensors::kAnywhere};

/// The elements of a tensor wherever it lives. One in a worker process stays there.
Task<SharedBytes> elements_of(ComputeService& service, std::shared_ptr<TensorResource> tensor) {
  if (const auto there = tensor->in_worker()) co_return co_await WorkerTensor::read(there);
  auto work = [tensor] { return SharedBytes::take(tensor->held().read()); };
  co_return co_await run_on(service.compute(), std::move(work));
}

Task<Message> read_tensor(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  const auto tensor = tensor_of(context, object.at("tensor"));
  const Json* as = member(object, "as");
  const bool values = as != nullptr && *as == Json("values");
  if (values) require_few_values(tensor->shape());
  SharedBytes bytes = co_await elements_of(service, tensor);
  Message output;
  JsonObject answer{{"dtype", graph::dtype_name(tensor->dtype())},
                    {"shape", JsonArray(tensor->shape().begin(), tensor->shape().end())}};
  if (values) {
    answer.emplace("values", nested_values(tensor->dtype(), tensor->shape(), bytes.span()));
  } else {
    answer.emplace("data", attach_bytes(output, std::move(bytes)));
  }
  output.value = std::move(answer);
  co_return output;
}

constexpr ComputeOperation kDispose = {
    "compute/dispose",
    call::OperationType::kMutation,
    "Let resources go",
    "Forgets handles of tensors, plans, stores, executions and kernels. Memory is free when the answer comes, unless "
    "something else still needs it: a view, a store, a recorded gradient. Handles that are not there do not matter.",
    R"({"properties":{"handles":{"type":"array","items":{"anyOf":["@handle","@tensor"]},
      "description":"Handles as texts, or tensors","examples":[["h1","c2"]]}},"required":["handles"]})",
    R"({"properties":{"disposed":{"type":"integer","description":"How many were there"}},"required":["disposed"]})",
    kCommonErrors,
    {},
    Tensors::kAnywhere};

Task<Message> dispose(ComputeService& service, call::OperationContext& context, Message input) {
  std::vector<std::shared_ptr<call::Resource>> gone;
  const auto owner = service.owner(context);
  for (const Json& item : members(input).at("handles").as_array()) {
    const std::string_view handle =
        item.is_string() ? std::string_view(item.get_string()) : text_member(item.as_object(), "$tensor");
    const auto found = context.resources().find(handle);
    if (!found || found == owner) continue;
    if (const auto* kernel = dynamic_cast<const KernelResource*>(found.get())) owner->forget_kernel(*kernel);
    gone.push_back(context.resources().take(handle));
  }
  const std::size_t count = gone.size();
  // Resources post what they hold to the compute thread; when this has run there, that is gone too.
  gone.clear();
  auto nothing = [] {};
  co_await run_on(service.compute(), std::move(nothing));
  co_return Message{JsonObject{{"disposed", count}}, {}};
}

constexpr std::string_view kPeer = "peer:";

constexpr ComputeOperation kMoveTensor = {
    "compute/to",
    call::OperationType::kMutation,
    "Move, copy or cast a tensor",
    "The same elements on another device, at another node or in another dtype, as a new tensor. Gradients pass, but "
    "not "
    "between nodes: a tensor of a peer is copied here by a device of this node, and one of this node to a peer by "
    "peer:NAME. `default` is the device where tensors are made.",
    R"({"properties":{"tensor":"@tensor","device":{"type":"string","examples":["cpu","gpu:0","default","peer:gpu1"]},
      "dtype":"@dtype","ids":"@ids"},"required":["tensor"],"anyOf":[{"required":["device"]},{"required":["dtype"]}]})",
    R"("@tensor The new tensor")",
    kCommonErrors | kOperationErrors};

/// The peer at which a tensor lives; empty: here.
std::string home_of(call::OperationContext& context, const Json& handle) {
  const auto found = context.resources().find(text_member(handle.as_object(), "$tensor"));
  const auto* remote = dynamic_cast<const call::RemoteTensor*>(found.get());
  return remote == nullptr ? std::string() : remote->peer_id();
}

/// Calls a peer's operation as the caller does. Throws `invalid_input` when the peer is not there.
Task<Message> at_peer(call::OperationContext& context, std::string peer, std::string operation, Message input) {
  const std::string name = fmt::format("{}/{}", peer, operation);
  if (context.find_visible(name) == nullptr) {
    throw Error(call::CallError::kInvalidInput,
                fmt::format("there is no peer {} here that has {}, or it is not connected", peer, operation));
  }
  auto calling = context.call_as_caller(name, std::move(input));
  co_return co_await std::move(calling);
}

/// The elements of a tensor as a new tensor at another node.
Task<Message> copy_tensor(ComputeService& service, call::OperationContext& context, Message input, std::string from,
                          std::string to) {
  const JsonObject& object = members(input);
  if (member(object, "dtype") != nullptr) {
    throw Error(call::CallError::kInvalidInput,
                "compute/to: a copy to another node keeps the dtype: cast before or after");
  }
  Message asked{JsonObject{{"tensor", object.at("tensor")}}, {}};
  auto reading = from.empty() ? read_tensor(service, context, std::move(asked))
                              : at_peer(context, from, "compute/read_tensor", std::move(asked));
  Message made = co_await std::move(reading);
  JsonObject& wanted = made.value.as_object();
  if (const Json* ids = member(object, "ids")) wanted["ids"] = *ids;
  if (to.empty()) wanted["device"] = device_of(object);
  auto making = to.empty() ? create_tensor(service, context, std::move(made))
                           : at_peer(context, to, "compute/create_tensor", std::move(made));
  co_return co_await std::move(making);
}

Task<Message> move_tensor(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  const auto ids = ids_of(object);
  const std::string device = device_of(object);
  const std::string from = home_of(context, object.at("tensor"));
  const std::string to = device.starts_with(kPeer) ? device.substr(kPeer.size())
                         : device.empty()          ? from
                                                   : std::string();
  if (from != to) {
    auto copying = copy_tensor(service, context, std::move(input), from, to);
    co_return co_await std::move(copying);
  }
  if (!from.empty()) {
    JsonObject& same = input.value.as_object();
    same.erase("device");
    if (member(same, "dtype") == nullptr) same["dtype"] = same.at("tensor").at("dtype");
    auto casting = at_peer(context, from, "compute/to", std::move(input));
    co_return co_await std::move(casting);
  }
  const auto tensor = tensor_of(context, object.at("tensor"));
  const Dtype dtype = member(object, "dtype") == nullptr ? tensor->dtype() : dtype_member(object);
  room_of(context).require(1, graph::storage_bytes(dtype, graph::element_count(tensor->shape())));
  auto work = [&service, tensor, dtype, device] {
    return std::make_shared<TensorResource>(service, on_device(service, tensor->held().to(dtype), device));
  };
  auto answering = answer_tensor(service, context, std::move(work), ids);
  co_return co_await std::move(answering);
}

}  // namespace

std::vector<call::Registration> data_operations(ComputeService& service) {
  return registrations_of(service, {{kCreateTensor, create_tensor},
                                    {kWriteTensor, write_tensor},
                                    {kReadTensor, read_tensor},
                                    {kDispose, dispose},
                                    {kMoveTensor, move_tensor}});
}

}  // namespace alknet::compute
