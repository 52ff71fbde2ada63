#include <fmt/format.h>

#include <utility>

#include "alknet/base/await.h"
#include "alknet/call/error.h"
#include "alknet/compute/error.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/compute/operations/eager_call.h"
#include "alknet/compute/operations/spec.h"
#include "alknet/graph/error.h"

// Operations that callers add: expressions by anybody, shader source by programs of this machine.

namespace alknet::compute {
namespace {

constexpr ComputeOperation kRegisterKernel = {
    "compute/register_kernel",
    call::OperationType::kMutation,
    "Register an operation of your own",
    "From an expression: an element-wise operation on float tensors, with its gradient derived, that runs on every "
    "device, fuses, and may be a node of graphs. From shader source (`kernel`), only for programs of this machine: "
    "anything a GPU can do. The name is this caller's alone. See docs/kernels.md.",
    R"json({"properties":{
      "name":{"type":"string","pattern":"^[a-z_][a-z0-9_]{0,63}$","examples":["wobble"]},
      "expression":{"type":"string","maxLength":4096,"description":"Sets `output` from the inputs",
        "examples":["output = x * sin(y) + max(x, 0)"]},
      "inputs":{"type":"array","minItems":1,"maxItems":16,
        "items":{"type":"string","pattern":"^[A-Za-z_][A-Za-z0-9_]{0,63}$"},"examples":[["x","y"]]},
      "parameters":{"type":"object","description":"Numbers beside the inputs: JSON Schema by name",
        "examples":[{"scale":{"type":"number","default":1}}]},
      "kernel":{"type":"object","description":"{name, language, source, inputs, outputs, parameters, workgroups}"},
      "ids":"@ids"},
      "oneOf":[{"required":["name","expression","inputs"]},{"required":["kernel"]}]})json",
    R"({"properties":{"kernel":"@handle Disposing of it ends the name","name":{"type":"string"}},
      "required":["kernel","name"]})",
    kCommonErrors | kKernelErrors};

Json entry_of(const JsonObject& object) {
  const auto inputs = texts_member(object, "inputs");
  Json entry = graph::expression_entry(text_member(object, "name"), text_member(object, "expression"), inputs);
  if (const Json* parameters = member(object, "parameters")) entry.as_object()["parameters"] = *parameters;
  return entry;
}

Task<Message> register_kernel(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  const auto ids = ids_of(object);
  const auto owner = service.owner(context);
  const Json* source = member(object, "kernel");
  if (source != nullptr && context.owner().kind() != call::Owner::Kind::kProgram) {
    throw Error(call::CallError::kForbidden,
                "shader source is for programs of this machine: register an expression instead");
  }
  room_of(context).require(1, 0);
  if (owner->kernels_registered >= service.options().max_kernels) {
    throw Error(call::CallError::kResourceExhausted,
                fmt::format("a caller may register {} kernels", service.options().max_kernels),
                JsonObject{{"limit", "kernels"}});
  }
  ++owner->kernels_registered;
  auto work = [owner, document = source == nullptr ? entry_of(object) : *source, shader = source != nullptr] {
    if (!shader) return owner->register_expression(document).name;
    SourceKernel kernel = source_kernel_from_json(document);
    std::string name = kernel.name;
    owner->kernels().add(std::move(kernel));
    return name;
  };
  const std::string name = co_await run_on(service.compute(), std::move(work));
  const std::shared_ptr<call::Resource> kernel = std::make_shared<KernelResource>(name, source != nullptr);
  const auto handles = keep(context, std::span(&kernel, 1), ids);
  owner->kernel_names[name] = source != nullptr;
  co_return Message{JsonObject{{"kernel", handles.front()}, {"name", name}}, {}};
}

constexpr ComputeOperation kDispatchKernel = {
    "compute/dispatch_kernel",
    call::OperationType::kMutation,
    "Run an operation of your own",
    "Runs a kernel that this caller registered, by name. Results are new tensors.",
    R"({"properties":{
      "kernel":{"type":"string","description":"Its name","examples":["wobble"]},
      "inputs":{"type":"array","items":"@operand","description":"In the order in which the kernel names them"},
      "parameters":{"type":"object","description":"Values by name"},
      "workgroups":{"type":"array","minItems":1,"maxItems":3,"items":{"type":"integer","minimum":0},
        "description":"Of shader source, instead of what it says"},
      "no_grad":{"type":"boolean","default":false},"ids":"@ids"},
      "required":["kernel","inputs"]})",
    R"({"properties":{"outputs":{"type":"array","items":"@tensor"}},"required":["outputs"]})",
    kCommonErrors | kKernelErrors | kOperationErrors};

std::vector<CallInput> kernel_inputs(call::OperationContext& context, const JsonArray& list) {
  std::vector<CallInput> inputs;
  for (const Json& each : list) {
    CallInput& made = inputs.emplace_back();
    const bool tensor = each.is_object() && each.get_object().contains("$tensor");
    if (tensor) {
      made.tensors.push_back(tensor_of(context, each));
    } else {
      made.scalar = graph::scalar_operand(each);
    }
  }
  return inputs;
}

using Made = std::vector<std::shared_ptr<TensorResource>>;

Made dispatch_source(ComputeService& service, OwnerState& owner, const EagerCall& call,
                     const std::optional<WorkgroupCounts>& workgroups, const Room& room) {
  std::vector<Tensor> tensors;
  std::vector<Shape> shapes;
  for (const CallInput& input : call.inputs) {
    if (input.scalar) {
      throw Error(graph::GraphError::kDtypeMismatch,
                  fmt::format("[{}] kernels in shader source take tensors; numbers are parameters", call.op));
    }
    tensors.push_back(input.tensors.front()->held());
    shapes.push_back(tensors.back().shape());
  }
  const SourceKernel& kernel = owner.kernels().at(call.op);
  const SourceCall resolved = resolve_call(kernel, shapes, call.attributes, workgroups);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < resolved.outputs.size(); ++i) {
    bytes += graph::storage_bytes(kernel.outputs[i].dtype, graph::element_count(resolved.outputs[i]));
  }
  room.require(resolved.outputs.size(), bytes);
  Made made;
  for (const Tensor& output : owner.kernels().dispatch(call.op, tensors, {call.attributes, workgroups})) {
    made.push_back(std::make_shared<TensorResource>(service, output));
  }
  return made;
}

std::optional<WorkgroupCounts> workgroups_of(const JsonObject& object) {
  const Json* given = member(object, "workgroups");
  if (given == nullptr) return std::nullopt;
  WorkgroupCounts counts = {1, 1, 1};
  for (std::size_t i = 0; i < given->as_array().size(); ++i) {
    counts.at(i) = integer_of<std::int64_t>(given->at(i), "workgroups");
  }
  return counts;
}

Task<Message> dispatch_kernel(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  const auto ids = ids_of(object);
  const auto owner = service.owner(context);
  EagerCall call{std::string(text_member(object, "kernel")),
                 kernel_inputs(context, object.at("inputs").as_array()),
                 {},
                 flag(object, "no_grad")};
  if (const Json* parameters = member(object, "parameters")) call.attributes = parameters->as_object();
  const auto known = owner->kernel_names.find(call.op);
  if (known == owner->kernel_names.end()) {
    throw Error(ComputeError::kUnknownKernel, fmt::format("this caller has registered no kernel \"{}\"", call.op),
                JsonObject{{"kernel", call.op}});
  }
  const Room room = room_of(context);
  auto work = [&service, owner, call, room, source = known->second, workgroups = workgroups_of(object)] {
    if (source) return dispatch_source(service, *owner, call, workgroups, room);
    const OpSpec& op = owner->context().operations().at(call.op);
    if (op.inputs.size() != call.inputs.size()) {
      throw Error(graph::GraphError::kMissingInput,
                  fmt::format("[{}] takes {} inputs, {} were given", op.name, op.inputs.size(), call.inputs.size()));
    }
    return run_call(service, *owner, call, room);
  };
  const auto outputs = co_await run_on(service.compute(), std::move(work));
  co_return Message{JsonObject{{"outputs", keep_tensors(context, outputs, ids)}}, {}};
}

}  // namespace

std::vector<call::Registration> kernel_operations(ComputeService& service) {
  return registrations_of(service, {{kRegisterKernel, register_kernel}, {kDispatchKernel, dispatch_kernel}});
}

}  // namespace alknet::compute
