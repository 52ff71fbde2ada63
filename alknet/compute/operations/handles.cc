#include "alknet/compute/operations/handles.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/call/error.h"
#include "alknet/compute/error.h"
#include "alknet/compute/operations/owner_state.h"
#include "alknet/graph/error.h"

namespace alknet::compute {
namespace {

[[noreturn]] void mismatch(graph::GraphError code, std::string_view handle, std::string_view what,
                           const std::string& said, const std::string& has) {
  throw Error(code, fmt::format("the handle {} says {} {}, but the tensor has {}", handle, what, said, has),
              JsonObject{{"handle", handle}, {"said", said}, {"has", has}});
}

std::uint64_t logical_bytes(Dtype dtype, const Shape& shape) {
  return graph::storage_bytes(dtype, graph::element_count(shape));
}

std::uint64_t handle_number(std::string_view handle) {
  std::uint64_t number = 0;
  const auto* end = handle.data() + handle.size();
  const bool formed = handle.size() > 1 && handle[0] == 'c' && handle[1] != '0';
  if (formed && std::from_chars(handle.data() + 1, end, number).ptr == end) return number;
  throw Error(call::CallError::kInvalidInput,
              fmt::format("ids: \"{}\" is not \"c\" and a number without leading zeros", handle));
}

}  // namespace

TensorResource::TensorResource(ComputeService& service, const Tensor& tensor)
    : ComputeResource(service, tensor, logical_bytes(tensor.dtype(), tensor.shape())),
      dtype_(tensor.dtype()),
      shape_(tensor.shape()) {}

TensorResource::TensorResource(ComputeService& service, Dtype dtype, const Shape& shape,
                               std::shared_ptr<const WorkerTensor> tensor)
    : ComputeResource(service, Tensor(), logical_bytes(dtype, shape)),
      dtype_(dtype),
      shape_(shape),
      in_worker_(std::move(tensor)) {}

Task<void> TensorResource::bring(ComputeService& service, std::shared_ptr<OwnerState> owner,
                                 std::shared_ptr<TensorResource> tensor) {
  const auto there = tensor->in_worker();
  if (!there) co_return;
  const SharedBytes bytes = co_await WorkerTensor::read(there);
  auto work = [owner, tensor, bytes] {
    tensor->held() = owner->context().from_bytes(tensor->dtype(), tensor->shape(), bytes.span());
  };
  co_await run_on(service.compute(), std::move(work));
  tensor->in_worker_ = nullptr;
}

void throw_if_failed(const call::OperationContext& context, const call::Resource& resource) {
  const auto* failed = dynamic_cast<const FailedResource*>(&resource);
  if (failed == nullptr) return;
  const Error& error = failed->error();
  const std::string code = call::wire_code(error);
  const bool domain = error.code() == call::CallError::kDomain;
  const bool known = !domain && error.code().category() == call::call_category();
  if (known || context.operation().spec().find_error(code) != nullptr) throw Error(error);
  const Json* details = domain ? error.details().as_object().if_contains("details") : &error.details();
  throw call::domain_error(
      "FAILED_RESULT", fmt::format("the handle stands for a call that failed: {}", error.message()),
      JsonObject{
          {"code", code}, {"message", error.message()}, {"details", details == nullptr ? Json(nullptr) : *details}});
}

std::shared_ptr<TensorResource> tensor_of(call::OperationContext& context, const Json& handle) {
  const JsonObject& said = handle.as_object();
  const std::string_view name = text_member(said, "$tensor");
  const auto found = context.resources().find(name);
  if (found) throw_if_failed(context, *found);
  const bool of_a_peer = found && found->kind() == "tensor" && dynamic_cast<TensorResource*>(found.get()) == nullptr;
  if (of_a_peer) {
    throw call::domain_error(
        "FOREIGN_HANDLE", fmt::format("the tensor {} is a peer's: call the peer's operation, or copy the tensor", name),
        JsonObject{{"handle", name}});
  }
  auto tensor = context.resources().get<TensorResource>(name);
  const std::string dtype(text_member(said, "dtype"));
  if (dtype != graph::dtype_name(tensor->dtype())) {
    mismatch(graph::GraphError::kDtypeMismatch, name, "dtype", dtype, std::string(graph::dtype_name(tensor->dtype())));
  }
  const Shape shape = shape_member(said);
  if (shape != tensor->shape()) {
    mismatch(graph::GraphError::kShapeMismatch, name, "shape", graph::shape_text(shape),
             graph::shape_text(tensor->shape()));
  }
  return tensor;
}

Json tensor_json(std::string_view handle, const TensorResource& tensor) {
  return JsonObject{{"$tensor", handle},
                    {"dtype", graph::dtype_name(tensor.dtype())},
                    {"shape", JsonArray(tensor.shape().begin(), tensor.shape().end())}};
}

void Room::require(std::uint64_t more_count, std::uint64_t more_bytes) const {
  const auto refuse = [](std::string_view limit, std::uint64_t wanted, std::uint64_t left) {
    throw Error(call::CallError::kResourceExhausted,
                fmt::format("the result takes {} {}, but this caller may hold only {} more: dispose of some first",
                            wanted, limit == "count" ? "handles" : "bytes", left),
                JsonObject{{"limit", limit}, {"wanted", wanted}, {"left", left}});
  };
  if (more_count > count) refuse("count", more_count, count);
  if (more_bytes > bytes) refuse("bytes", more_bytes, bytes);
}

Room room_of(call::OperationContext& context) {
  if (!context.owner().keeps_resources()) {
    throw Error(call::CallError::kInvalidInput,
                fmt::format("{} returns a handle, which needs a session: send an Alknet-Session header, or connect by "
                            "QUIC or WebSocket",
                            context.operation().spec().name));
  }
  const call::ResourceQuota left = context.resources().left();
  return {left.max_count, left.max_bytes};
}

std::vector<std::string> ids_of(const JsonObject& input) {
  std::vector<std::string> ids;
  const Json* given = member(input, "ids");
  if (given == nullptr) return ids;
  std::uint64_t last = 0;
  for (const Json& id : given->as_array()) {
    ids.emplace_back(id.as_string());
    const std::uint64_t number = handle_number(ids.back());
    if (number <= last) throw Error(call::CallError::kInvalidInput, "ids: their numbers must rise");
    last = number;
  }
  return ids;
}

std::vector<std::string> keep(call::OperationContext& context, std::span<const std::shared_ptr<call::Resource>> results,
                              std::span<const std::string> ids) {
  if (!ids.empty() && ids.size() != results.size()) {
    throw Error(call::CallError::kInvalidInput,
                fmt::format("ids: {} were given, but there are {} results", ids.size(), results.size()));
  }
  std::uint64_t bytes = 0;
  for (const auto& result : results) bytes += result->bytes();
  room_of(context).require(results.size(), bytes);
  std::vector<std::string> handles;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (ids.empty()) {
      handles.push_back(context.add_resource(results[i]));
    } else {
      context.add_resource_as(ids[i], results[i]);
      handles.push_back(ids[i]);
    }
  }
  return handles;
}

Json keep_tensor(call::OperationContext& context, const std::shared_ptr<TensorResource>& tensor,
                 std::span<const std::string> ids) {
  return keep_tensors(context, std::span(&tensor, 1), ids).front();
}

Task<Message> answer_tensor(ComputeService& service, call::OperationContext& context,
                            std::function<std::shared_ptr<TensorResource>()> make, std::vector<std::string> ids) {
  const auto made = co_await run_on(service.compute(), std::move(make));
  co_return Message{keep_tensor(context, made, ids), {}};
}

JsonArray keep_tensors(call::OperationContext& context, std::span<const std::shared_ptr<TensorResource>> tensors,
                       std::span<const std::string> ids) {
  std::vector<std::shared_ptr<call::Resource>> there;
  std::copy_if(tensors.begin(), tensors.end(), std::back_inserter(there),
               [](const auto& one) { return one != nullptr; });
  const auto handles = keep(context, there, ids);
  JsonArray list;
  std::size_t next = 0;
  for (const auto& tensor : tensors) list.push_back(tensor ? tensor_json(handles[next++], *tensor) : Json(nullptr));
  return list;
}

const JsonObject& members(const Message& input) { return input.value.as_object(); }

std::string_view text_member(const JsonObject& object, std::string_view name) { return object.at(name).as_string(); }

const Json* member(const JsonObject& object, std::string_view name) { return object.if_contains(name); }

bool flag(const JsonObject& object, std::string_view name) {
  const Json* value = member(object, name);
  return value != nullptr && *value == Json(true);
}

void throw_no_integer(const Json& value, std::string_view what) {
  throw Error(call::CallError::kInvalidInput,
              fmt::format("{}: {:.40} is no integer of 64 bits", what, json_text(value)));
}

Dtype dtype_member(const JsonObject& object) {
  const std::string_view name = text_member(object, "dtype");
  if (const auto dtype = graph::parse_dtype(name)) return *dtype;
  throw Error(graph::GraphError::kDtypeMismatch, fmt::format("there is no dtype \"{}\"", name));
}

Shape shape_member(const JsonObject& object) {
  Shape shape;
  for (const Json& size : object.at("shape").as_array()) shape.push_back(integer_of<std::int64_t>(size, "shape"));
  return shape;
}

std::vector<std::string> texts_member(const JsonObject& object, std::string_view name) {
  std::vector<std::string> texts;
  if (const Json* list = member(object, name)) {
    for (const Json& text : list->as_array()) texts.emplace_back(text.as_string());
  }
  return texts;
}

}  // namespace alknet::compute
