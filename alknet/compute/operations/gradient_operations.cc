#include <utility>

#include "alknet/base/await.h"
#include "alknet/compute/eager/autograd.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/compute/operations/handles.h"
#include "alknet/compute/operations/owner_state.h"
#include "alknet/compute/operations/spec.h"

// Gradients of what was called: the owner's context records, the caller never.

namespace alknet::compute {
namespace {

constexpr ComputeOperation kRequiresGrad = {
    "compute/requires_grad",
    call::OperationType::kMutation,
    "Record operations on a tensor",
    "From now on operations on the tensor are recorded for compute/backward, or no more. Answers a handle of the same "
    "elements; only floats that were not computed with gradients can be so marked.",
    R"({"properties":{"tensor":"@tensor","requires_grad":{"type":"boolean","default":true},"ids":"@ids"},
      "required":["tensor"]})",
    R"("@tensor The same elements")",
    kCommonErrors | kOperationErrors};

Task<Message> set_requires_grad(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  const auto ids = ids_of(object);
  const auto tensor = tensor_of(context, object.at("tensor"));
  room_of(context).require(1, tensor->bytes());
  const Json* wanted = member(object, "requires_grad");
  auto work = [&service, tensor, required = wanted == nullptr || *wanted == Json(true)] {
    return std::make_shared<TensorResource>(service, tensor->held().requires_grad_(required));
  };
  return answer_tensor(service, context, std::move(work), ids);
}

constexpr ComputeOperation kBackward = {
    "compute/backward",
    call::OperationType::kMutation,
    "Gradients",
    "What each of the inputs contributes to the output, or to the sum of the output weighted by `grad`. Walks the "
    "recorded calls once; what they saved is then freed unless retain_graph says otherwise.",
    R"({"properties":{
      "output":"@tensor What was computed","grad":"@tensor Weights in its dtype and shape; one element needs none",
      "inputs":{"type":"array","items":"@tensor","minItems":1,"description":"Tensors that require a gradient"},
      "retain_graph":{"type":"boolean","default":false},"create_graph":{"type":"boolean","default":false,
        "description":"Record the walk too, for second derivatives"},
      "allow_unused":{"type":"boolean","default":false,"description":"null for inputs that do not matter"},
      "ids":"@ids"},"required":["output","inputs"]})",
    R"({"properties":{"gradients":{"type":"array","items":{"anyOf":["@tensor",{"type":"null"}]},
      "description":"In the order of the inputs"}},"required":["gradients"]})",
    kCommonErrors | kOperationErrors};

Task<Message> backward(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  const auto ids = ids_of(object);
  const auto output = tensor_of(context, object.at("output"));
  const Json* weights = member(object, "grad");
  const auto seed = weights == nullptr ? nullptr : tensor_of(context, *weights);
  std::vector<std::shared_ptr<TensorResource>> wanted;
  std::uint64_t bytes = 0;
  for (const Json& each : object.at("inputs").as_array()) {
    wanted.push_back(tensor_of(context, each));
    bytes += wanted.back()->bytes();
  }
  room_of(context).require(wanted.size(), bytes);
  const GradOptions options{.create_graph = flag(object, "create_graph"),
                            .retain_graph = flag(object, "retain_graph"),
                            .allow_unused = flag(object, "allow_unused")};
  auto work = [&service, output, seed, wanted, options] {
    std::vector<Tensor> inputs, seeds;
    for (const auto& each : wanted) inputs.push_back(each->held());
    if (seed) seeds.push_back(seed->held());
    std::vector<std::shared_ptr<TensorResource>> made;
    for (const Tensor& gradient : grad(std::span(&output->held(), 1), inputs, seeds, options)) {
      made.push_back(gradient ? std::make_shared<TensorResource>(service, gradient) : nullptr);
    }
    return made;
  };
  const auto gradients = co_await run_on(service.compute(), std::move(work));
  co_return Message{JsonObject{{"gradients", keep_tensors(context, gradients, ids)}}, {}};
}

}  // namespace

std::vector<call::Registration> gradient_operations(ComputeService& service) {
  return registrations_of(service, {{kRequiresGrad, set_requires_grad}, {kBackward, backward}});
}

}  // namespace alknet::compute
