#include <fmt/format.h>

#include <limits>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/call/error.h"
#include "alknet/compute/error.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/compute/operations/eager_call.h"
#include "alknet/compute/operations/spec.h"
#include "alknet/compute/operations/worker_kernels.h"
#include "alknet/graph/error.h"

// Operations that callers add: expressions, and shader source, which runs here for programs of this machine and in a
// worker process for everybody else.

namespace alknet::compute {
namespace {

constexpr ComputeOperation kRegisterKernel = {
    "compute/register_kernel",
    call::OperationType::kMutation,
    "Register an operation of your own",
    "From an expression: an element-wise operation on float tensors, with its gradient derived, that runs on every "
    "device, fuses, and may be a node of graphs. From shader source (`kernel`): anything a GPU can do. WGSL of callers "
    "that are no programs of this machine is compiled and runs in a process of their own, which ends when a dispatch "
    "takes longer than the node allows; then its kernels and their results answer DEVICE_LOST, and the next "
    "registration starts another. GLSL and SPIR-V are for programs of this machine. The name is this caller's alone. "
    "See docs/kernels.md.",
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

using Form = KernelResource::Form;

/// Refuses what no worker may get.
SourceKernel kernel_of_stranger(const ComputeService& service, const Json& document) {
  if (!service.options().kernel_workers) {
    throw Error(call::CallError::kForbidden,
                "this node has no kernel worker, so shader source is for programs of this machine: register an "
                "expression instead, or serve with the program alknet-worker beside alknet");
  }
  SourceKernel kernel = source_kernel_from_json(document);
  if (kernel.language == gpu::ShaderLanguage::kWgsl) return kernel;
  throw Error(call::CallError::kForbidden,
              fmt::format("{} is for programs of this machine: write the kernel \"{}\" in WGSL",
                          language_name(kernel.language), kernel.name));
}

/// The process of the owner's kernels, started if it has none that lives.
Task<std::shared_ptr<WorkerKernels>> living_worker(ComputeService& service, std::shared_ptr<OwnerState> owner) {
  if (owner->worker && !owner->worker->lost()) co_return owner->worker;
  auto submit = std::move(submit_operations(service).front());
  auto operation = std::make_shared<const call::Operation>(std::move(submit));
  auto started = co_await WorkerKernels::start(*service.options().kernel_workers, std::move(operation));
  owner->worker = std::move(started);
  co_return owner->worker;
}

Task<std::shared_ptr<KernelResource>> register_in_worker(ComputeService& service, std::shared_ptr<OwnerState> owner,
                                                         const Json& document) {
  const auto kernel = std::make_shared<const SourceKernel>(kernel_of_stranger(service, document));
  const std::uint64_t number = ++owner->last_registration;
  const auto ready = owner->registrations.take(number);
  const OwnerState::Turns::Turn turn(owner, owner->registrations, number);
  co_await ready->wait();
  const auto worker = co_await living_worker(service, owner);
  Json checked = to_json(*kernel);
  co_await WorkerKernels::add(worker, kernel->name, std::move(checked));
  co_return std::make_shared<KernelResource>(kernel, worker);
}

Task<std::shared_ptr<KernelResource>> register_here(ComputeService& service, std::shared_ptr<OwnerState> owner,
                                                    Json document, Form form) {
  auto work = [owner, document = std::move(document), form] {
    if (form == Form::kExpression) return owner->register_expression(document).name;
    SourceKernel kernel = source_kernel_from_json(document);
    std::string name = kernel.name;
    owner->kernels().add(std::move(kernel));
    return name;
  };
  std::string name = co_await run_on(service.compute(), std::move(work));
  co_return std::make_shared<KernelResource>(std::move(name), form);
}

/// The name of a kernel that is not checked yet; null when it has none.
Json name_in(const Json& kernel) {
  const Json* name = kernel.is_object() ? kernel.get_object().if_contains("name") : nullptr;
  return name == nullptr ? Json(nullptr) : *name;
}

/// Refuses a name that a kernel of another form has: each form knows its own.
void require_free(const OwnerState& owner, const Json& name, Form form) {
  const auto found = name.is_string() ? owner.kernels_by_name.find(name.get_string()) : owner.kernels_by_name.end();
  if (found == owner.kernels_by_name.end() || found->second->form() == form) return;
  throw Error(ComputeError::kKernelInvalid,
              fmt::format("[{}] the name is taken: dispose of that kernel first, or choose another", found->first),
              JsonObject{{"kernel", found->first}});
}

/// Its handle. Where it cannot be kept its name is free again.
std::string keep_kernel(call::OperationContext& context, OwnerState& owner, const std::shared_ptr<KernelResource>& made,
                        std::span<const std::string> ids) {
  try {
    const std::shared_ptr<call::Resource> kernel = made;
    return keep(context, std::span(&kernel, 1), ids).front();
  } catch (...) {
    owner.forget_kernel(*made);
    throw;
  }
}

Task<Message> register_kernel(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  const auto ids = ids_of(object);
  const auto owner = service.owner(context);
  const Json* source = member(object, "kernel");
  const bool stranger = context.owner().kind() != call::Owner::Kind::kProgram;
  const Form form = source == nullptr ? Form::kExpression : stranger ? Form::kInWorker : Form::kSource;
  if (form == Form::kInWorker) kernel_of_stranger(service, *source);  // refused before it counts
  require_free(*owner, source == nullptr ? object.at("name") : name_in(*source), form);
  room_of(context).require(1, 0);
  if (owner->kernels_registered >= service.options().max_kernels) {
    throw Error(call::CallError::kResourceExhausted,
                fmt::format("a caller may register {} kernels", service.options().max_kernels),
                JsonObject{{"limit", "kernels"}});
  }
  ++owner->kernels_registered;
  std::shared_ptr<KernelResource> made;
  if (form == Form::kInWorker) {
    made = co_await register_in_worker(service, owner, *source);
  } else {
    Json document = source == nullptr ? entry_of(object) : *source;
    made = co_await register_here(service, owner, std::move(document), form);
  }
  owner->kernels_by_name[made->name()] = made;
  co_return Message{JsonObject{{"kernel", keep_kernel(context, *owner, made, ids)}, {"name", made->name()}}, {}};
}

constexpr ComputeOperation kDispatchKernel = {
    "compute/dispatch_kernel",
    call::OperationType::kMutation,
    "Run an operation of your own",
    "Runs a kernel that this caller registered, by name. Results are new tensors. Those of a kernel in a worker "
    "process "
    "stay there until another operation needs them.",
    R"({"properties":{
      "kernel":{"type":"string","description":"Its name","examples":["wobble"]},
      "inputs":{"type":"array","items":"@operand","description":"In the order in which the kernel names them"},
      "parameters":{"type":"object","description":"Values by name"},
      "workgroups":{"type":"array","minItems":1,"maxItems":3,"items":{"type":"integer","minimum":0},
        "description":"Of shader source, instead of what it says"},
      "no_grad":{"type":"boolean","default":false},"ids":"@ids"},
      "required":["kernel","inputs"]})",
    R"({"properties":{"outputs":{"type":"array","items":"@tensor"}},"required":["outputs"]})",
    kCommonErrors | kKernelErrors | kOperationErrors,
    {},
    Tensors::kAnywhere};

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

[[noreturn]] void refuse_number(const EagerCall& call) {
  throw Error(graph::GraphError::kDtypeMismatch,
              fmt::format("[{}] kernels in shader source take tensors; numbers are parameters", call.op));
}

void require_outputs(const SourceKernel& kernel, const std::vector<Shape>& outputs, const Room& room) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::uint64_t size = graph::storage_bytes(kernel.outputs[i].dtype, graph::element_count(outputs[i]));
    if (__builtin_add_overflow(bytes, size, &bytes)) bytes = std::numeric_limits<std::uint64_t>::max();
  }
  room.require(outputs.size(), bytes);
}

Made dispatch_source(ComputeService& service, OwnerState& owner, const EagerCall& call,
                     const std::optional<WorkgroupCounts>& workgroups, const Room& room) {
  std::vector<Tensor> tensors;
  std::vector<Shape> shapes;
  for (const CallInput& input : call.inputs) {
    if (input.scalar) refuse_number(call);
    tensors.push_back(input.tensors.front()->held());
    shapes.push_back(tensors.back().shape());
  }
  const SourceKernel& kernel = owner.kernels().at(call.op);
  require_outputs(kernel, resolve_call(kernel, shapes, call.attributes, workgroups).outputs, room);
  Made made;
  for (const Tensor& output : owner.kernels().dispatch(call.op, tensors, {call.attributes, workgroups})) {
    made.push_back(std::make_shared<TensorResource>(service, output));
  }
  return made;
}

Made dispatch_expression(ComputeService& service, OwnerState& owner, const EagerCall& call, const Room& room) {
  const OpSpec& op = owner.context().operations().at(call.op);
  if (op.inputs.size() != call.inputs.size()) {
    throw Error(graph::GraphError::kMissingInput,
                fmt::format("[{}] takes {} inputs, {} were given", op.name, op.inputs.size(), call.inputs.size()));
  }
  return run_call(service, owner, call, room);
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

/// Where the tensor stands among the first `count` inputs.
std::optional<std::size_t> place_of(const std::vector<CallInput>& inputs, const std::shared_ptr<TensorResource>& tensor,
                                    std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (inputs[i].tensors.front() == tensor) return i;
  }
  return std::nullopt;
}

/// The operands of a dispatch in a worker; what is here is read on the compute thread.
Task<std::vector<WorkerOperand>> worker_operands(ComputeService& service, const WorkerKernels* worker, EagerCall call) {
  std::vector<WorkerOperand> operands;
  bool here = false;
  for (const CallInput& input : call.inputs) {
    if (input.scalar) refuse_number(call);
    const auto& tensor = input.tensors.front();
    WorkerOperand& made = operands.emplace_back(WorkerOperand{tensor->in_worker(), tensor->dtype(), tensor->shape()});
    made.same_as = place_of(call.inputs, tensor, operands.size() - 1);
    here = here || !made.there;
    if (!made.there || made.there->kernels() == worker) continue;
    // Of a process before this one, which ended: nothing is left of it.
    co_await WorkerTensor::read(made.there);
  }
  if (!here) co_return operands;
  auto work = [call = std::move(call), operands = std::move(operands)]() mutable {
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (operands[i].there || operands[i].same_as) continue;
      operands[i].bytes = SharedBytes::take(call.inputs[i].tensors.front()->held().read());
    }
    return std::move(operands);
  };
  co_return co_await run_on(service.compute(), std::move(work));
}

Task<Made> dispatch_in_worker(ComputeService& service, std::shared_ptr<const KernelResource> known, EagerCall call,
                              std::optional<WorkgroupCounts> workgroups, Room room) {
  const auto worker = known->worker();
  const auto kernel = known->kernel();
  if (const auto lost = worker->lost()) throw Error(*lost);
  std::vector<Shape> shapes;
  for (const CallInput& input : call.inputs) {
    shapes.push_back(input.scalar ? Shape() : input.tensors.front()->shape());
  }
  WorkerDispatch dispatch;
  dispatch.parameters = call.attributes;
  dispatch.workgroups = workgroups;
  dispatch.outputs = resolve_call(*kernel, shapes, call.attributes, workgroups).outputs;
  require_outputs(*kernel, dispatch.outputs, room);
  dispatch.operands = co_await worker_operands(service, worker.get(), std::move(call));
  const auto outputs = co_await WorkerKernels::dispatch(worker, kernel, std::move(dispatch));
  Made made;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    made.push_back(
        std::make_shared<TensorResource>(service, kernel->outputs[i].dtype, outputs[i]->shape(), outputs[i]));
  }
  co_return made;
}

Task<Message> dispatch_kernel(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  const auto ids = ids_of(object);
  const auto owner = service.owner(context);
  const std::string_view name = text_member(object, "kernel");
  const auto found = owner->kernels_by_name.find(name);
  if (found == owner->kernels_by_name.end()) {
    throw Error(ComputeError::kUnknownKernel, fmt::format("this caller has registered no kernel \"{}\"", name),
                JsonObject{{"kernel", name}});
  }
  const auto known = found->second;
  if (known->form() != Form::kInWorker) co_await bring_tensors(service, context, input.value);
  EagerCall call{
      std::string(name), kernel_inputs(context, object.at("inputs").as_array()), {}, flag(object, "no_grad")};
  if (const Json* parameters = member(object, "parameters")) call.attributes = parameters->as_object();
  const Room room = room_of(context);
  const auto workgroups = workgroups_of(object);
  Made outputs;
  if (known->form() == Form::kInWorker) {
    outputs = co_await dispatch_in_worker(service, known, std::move(call), workgroups, room);
  } else {
    auto work = [&service, owner, call, room, form = known->form(), workgroups] {
      if (form == Form::kSource) return dispatch_source(service, *owner, call, workgroups, room);
      return dispatch_expression(service, *owner, call, room);
    };
    outputs = co_await run_on(service.compute(), std::move(work));
  }
  co_return Message{JsonObject{{"outputs", keep_tensors(context, outputs, ids)}}, {}};
}

}  // namespace

std::vector<call::Registration> kernel_operations(ComputeService& service) {
  return registrations_of(service, {{kRegisterKernel, register_kernel}, {kDispatchKernel, dispatch_kernel}});
}

}  // namespace alknet::compute
