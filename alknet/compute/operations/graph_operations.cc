#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "alknet/base/await.h"
#include "alknet/call/error.h"
#include "alknet/compute/error.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/compute/operations/handles.h"
#include "alknet/compute/operations/owner_state.h"
#include "alknet/compute/operations/spec.h"
#include "alknet/compute/operations/values.h"
#include "alknet/compute/training/train_step.h"
#include "alknet/graph/error.h"
#include "alknet/graph/gradient.h"
#include "alknet/graph/json.h"

// Graphs: compiled to plans, run, and extended by gradients and training steps.

namespace alknet::compute {
namespace {

Message graph_document(const Message& input) { return {members(input).at("graph"), input.bytes}; }

/// {graph} with the constants' bytes.
Message graph_answer(Message document) {
  Message answer;
  answer.bytes = std::move(document.bytes);
  answer.value = JsonObject{{"graph", std::move(document.value)}};
  return answer;
}

template <typename Value>
JsonObject typed_json(const Value& value) {
  return {
      {"name", value.name}, {"dtype", graph::dtype_name(value.dtype)}, {"shape", graph::dim_attribute(value.shape)}};
}

constexpr ComputeOperation kCompile = {
    "compute/compile",
    call::OperationType::kMutation,
    "Compile a graph",
    "Checks a graph, plans its memory and chooses its kernels, for all sizes of its named dimensions. All problems of "
    "a "
    "graph are reported at once.",
    R"({"properties":{"graph":"@graph","ids":"@ids"},"required":["graph"]})",
    R"({"properties":{"plan":"@handle","inputs":{"type":"array","items":{"type":"object"}},
      "states":{"type":"array","items":{"type":"object"}},
      "outputs":{"type":"array","items":{"type":"string"},"description":"Names"},
      "kernels":{"type":"integer","description":"Launched by a run"}},
      "required":["plan","inputs","states","outputs"]})",
    kCommonErrors | kGraphErrors | kOperationErrors,
    std::chrono::seconds(120)};

std::uint64_t constant_bytes(const graph::Graph& graph) {
  std::uint64_t bytes = 0;
  for (const auto& constant : graph.constants) bytes += constant.data.size();
  return bytes;
}

JsonObject plan_json(const Plan& plan) {
  const graph::Graph& graph = plan.graph();
  JsonArray inputs, states, outputs;
  for (const auto& each : graph.inputs) inputs.push_back(typed_json(each));
  for (const auto& each : graph.states) {
    JsonObject state = typed_json(each);
    state["trainable"] = each.trainable;
    states.push_back(std::move(state));
  }
  for (const auto& each : graph.outputs) outputs.emplace_back(each.name);
  return {{"inputs", std::move(inputs)},
          {"states", std::move(states)},
          {"outputs", std::move(outputs)},
          {"kernels", plan.program().steps.size()}};
}

Task<Message> compile_graph(ComputeService& service, call::OperationContext& context, Message input) {
  const auto ids = ids_of(members(input));
  const Room room = room_of(context);
  auto work = [&service, room, owner = service.owner(context), document = graph_document(input)] {
    Context& own = owner->context();
    const graph::Graph graph = graph::from_message(document, own.operations());
    room.require(1, constant_bytes(graph));
    auto plan = Plan::compile(graph, own.backend(), {}, own.operations());
    auto facts = plan_json(*plan);
    const std::uint64_t bytes = constant_bytes(plan->graph());
    return std::pair(std::make_shared<PlanResource>(service, HeldPlan{own, std::move(plan)}, bytes), std::move(facts));
  };
  auto [plan, answer] = co_await run_on(service.compute(), std::move(work));
  const std::shared_ptr<call::Resource> kept = plan;
  answer["plan"] = keep(context, std::span(&kept, 1), ids).front();
  co_return Message{std::move(answer), {}};
}

constexpr ComputeOperation kOpenPlan = {
    "compute/open",
    call::OperationType::kMutation,
    "Open a plan on a store",
    "An execution of a plan: its states are found in the store by name, or made as the graph says. Executions that "
    "share "
    "a store share parameters; states of scope session are the execution's own.",
    R"({"properties":{
      "plan":"@handle","store":"@handle Of another execution or a model; a new one otherwise",
      "parameters":{"type":"object","additionalProperties":"@tensor",
        "description":"Tensors for the store, by the names of states; runs that assign write into them"},
      "writable":{"type":"boolean","default":false,"description":"Take a copy of the store that runs may assign to"},
      "seed":{"type":"integer","minimum":0,"default":0,"description":"Of initial values, in a new store"},
      "dims":{"type":"object","additionalProperties":{"type":"integer","minimum":0},
        "description":"Sizes in the shapes of states that nothing else tells"},
      "ids":"@ids For the execution, then the store where it is new"},
      "required":["plan"]})",
    R"({"properties":{"execution":"@handle","store":"@handle"},"required":["execution","store"]})",
    kCommonErrors | kGraphErrors};

struct OpenRequest {
  std::shared_ptr<PlanResource> plan;
  std::shared_ptr<StoreResource> store;  ///< Null: a new one.
  std::map<std::string, std::shared_ptr<TensorResource>> parameters;
  bool writable = false;
  std::uint64_t seed = 0;
  graph::DimValues dims;
};

/// Bytes of the states that a store lacks, as far as their sizes are known.
std::uint64_t missing_bytes(const graph::Graph& graph, const Store& store, const graph::DimValues& dims) {
  std::uint64_t bytes = 0;
  const auto names = store.names();
  for (const auto& state : graph.states) {
    if (state.scope == graph::StateScope::kStore && std::ranges::binary_search(names, state.name)) continue;
    try {
      bytes += graph::storage_bytes(state.dtype, graph::element_count(graph::evaluate(state.shape, dims)));
    } catch (const Error& error) {
      if (error.code() != graph::GraphError::kDimUnbound) throw;  // the session finds the size in a tensor or complains
    }
  }
  return bytes;
}

struct Opened {
  std::shared_ptr<ExecutionResource> execution;
  std::shared_ptr<StoreResource> store;  ///< Null when it was given.
};

Opened open_plan(ComputeService& service, const OpenRequest& request, const Room& room) {
  const HeldPlan& held = request.plan->held();
  Store store = request.store ? request.store->held() : Store(held.context, request.seed);
  if (request.writable) store = store.writable();
  const bool fresh = !request.store || request.writable;
  for (const auto& [name, tensor] : request.parameters) store.set(name, tensor->held());
  const std::uint64_t made = missing_bytes(held.plan->graph(), store, request.dims);
  room.require(fresh ? 2 : 1, made);
  Session session(held.plan, store, {.dims = request.dims});
  const std::uint64_t arena = session.arena_bytes();
  Opened opened;
  opened.execution = std::make_shared<ExecutionResource>(service, HeldExecution{held.context, std::move(session)},
                                                         fresh ? arena : arena + made);
  if (fresh) opened.store = std::make_shared<StoreResource>(service, std::move(store), made);
  return opened;
}

Task<Message> open_execution(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  const auto ids = ids_of(object);
  OpenRequest request;
  request.plan = resource_of<PlanResource>(context, text_member(object, "plan"));
  std::string store_handle;
  if (const Json* store = member(object, "store")) {
    store_handle = store->as_string();
    request.store = resource_of<StoreResource>(context, store_handle);
  }
  if (const Json* parameters = member(object, "parameters")) {
    for (const auto& [name, tensor] : parameters->as_object()) {
      request.parameters.emplace(name, tensor_of(context, tensor));
    }
  }
  request.writable = flag(object, "writable");
  if (const Json* seed = member(object, "seed")) request.seed = integer_of<std::uint64_t>(*seed, "seed");
  if (const Json* dims = member(object, "dims")) {
    for (const auto& [name, size] : dims->as_object()) request.dims[name] = integer_of<std::int64_t>(size, name);
  }
  auto work = [&service, request, room = room_of(context)] { return open_plan(service, request, room); };
  const Opened opened = co_await run_on(service.compute(), std::move(work));
  std::vector<std::shared_ptr<call::Resource>> results = {opened.execution};
  if (opened.store) results.push_back(opened.store);
  const auto handles = keep(context, results, ids);
  co_return Message{JsonObject{{"execution", handles.front()}, {"store", opened.store ? handles.back() : store_handle}},
                    {}};
}

constexpr ComputeOperation kRunPlan = {
    "compute/run",
    call::OperationType::kMutation,
    "Run a graph",
    "One run of an execution, or of a plan without states. Runs of one caller follow each other. A training loop that "
    "asks for the loss in `values` needs no call to read it and none to let it go.",
    R"({"properties":{"execution":"@handle","plan":"@handle",
      "inputs":{"type":"object","additionalProperties":{"anyOf":["@tensor",{"type":["number","boolean"]}]},
        "description":"By the names of the graph's inputs; numbers for those of rank 0",
        "examples":[{"x":{"$tensor":"h1","dtype":"f32","shape":[2,3]},"learning_rate":0.01}]},
      "values":{"type":"array","items":{"type":"string"},"examples":[["loss"]],
        "description":"Outputs to answer as numbers, read when the run ends, and not as tensors"},
      "outputs":{"type":"array","items":{"type":"string"},
        "description":"Outputs to answer as tensors; without it all that are not in values"},
      "ids":"@ids For the tensors, in the order of the graph"},
      "required":["inputs"],"oneOf":[{"required":["execution"]},{"required":["plan"]}]})",
    R"({"properties":{"outputs":{"type":"object","additionalProperties":"@tensor"},
      "values":{"type":"object","description":"Numbers, or nested arrays of them, by name, when asked for"}},
      "required":["outputs"]})",
    kCommonErrors | kGraphErrors | kOperationErrors};

using RunInputs = std::map<std::string, std::variant<std::shared_ptr<TensorResource>, Json>, std::less<>>;

RunInputs read_inputs(call::OperationContext& context, const JsonObject& given) {
  RunInputs inputs;
  for (const auto& [name, value] : given) {
    if (value.is_object()) {
      inputs.emplace(name, tensor_of(context, value));
    } else {
      inputs.emplace(name, value);
    }
  }
  return inputs;
}

/// In the order of the graph.
std::vector<Tensor> ordered_inputs(const Context& context, const graph::Graph& graph, const RunInputs& given) {
  std::vector<Tensor> inputs;
  for (const auto& each : graph.inputs) {
    const auto found = given.find(each.name);
    if (found == given.end()) {
      throw Error(ComputeError::kMissingInput, fmt::format("[run] the graph's input \"{}\" was not given", each.name),
                  JsonObject{{"input", each.name}});
    }
    if (const auto* tensor = std::get_if<std::shared_ptr<TensorResource>>(&found->second)) {
      inputs.push_back((*tensor)->held());
    } else {
      const auto bytes = bytes_of_values(each.dtype, {}, std::get<Json>(found->second));
      inputs.push_back(context.from_bytes(each.dtype, {}, bytes, each.name));
    }
  }
  for (const auto& each : given) {
    const bool known = std::ranges::any_of(graph.inputs, [&](const auto& input) { return input.name == each.first; });
    if (known) continue;
    throw Error(call::CallError::kInvalidInput, fmt::format("[run] the graph has no input \"{}\"", each.first));
  }
  return inputs;
}

Session& session_of(HeldPlan& plan) {
  if (!plan.plan->graph().states.empty()) {
    throw Error(call::CallError::kInvalidInput, "[run] the plan has states: open it, and run the execution");
  }
  if (!plan.session) plan.session.emplace(plan.plan, Store(plan.context));
  return *plan.session;
}

using Names = std::set<std::string, std::less<>>;

/// What is asked for of the outputs.
struct RunAnswer {
  Names values;
  std::optional<Names> tensors;  ///< Nothing: all that are not in `values`.

  bool has_value(std::string_view name) const { return values.contains(name); }
  bool has_tensor(std::string_view name) const { return tensors ? tensors->contains(name) : !has_value(name); }
};

Names names_member(const JsonObject& object, std::string_view name) {
  const auto names = texts_member(object, name);
  return {names.begin(), names.end()};
}

RunAnswer read_answer(const JsonObject& input) {
  RunAnswer answer{names_member(input, "values"), {}};
  if (member(input, "outputs") != nullptr) answer.tensors = names_member(input, "outputs");
  return answer;
}

void require_outputs(const graph::Graph& graph, const Names& names) {
  if (names.empty()) return;
  std::set<std::string_view> known;
  for (const auto& output : graph.outputs) known.insert(output.name);
  for (const std::string& name : names) {
    if (known.contains(name)) continue;
    throw Error(call::CallError::kInvalidInput, fmt::format("[run] the graph has no output \"{}\"", name));
  }
}

struct RunResult {
  std::vector<std::shared_ptr<TensorResource>> outputs;
  std::vector<std::string> names;  ///< Of `outputs`.
  JsonObject values;
};

RunResult run_session(ComputeService& service, const Context& context, Session& session, const RunInputs& given,
                      const RunAnswer& answer) {
  const graph::Graph& graph = session.plan().graph();
  require_outputs(graph, answer.values);
  if (answer.tensors) require_outputs(graph, *answer.tensors);
  const std::vector<Tensor> outputs = session.run(ordered_inputs(context, graph, given));
  RunResult result;
  std::int64_t room = kMaxValues;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string& name = graph.outputs[i].name;
    if (answer.has_tensor(name)) {
      result.outputs.push_back(std::make_shared<TensorResource>(service, outputs[i]));
      result.names.push_back(name);
    }
    if (answer.has_value(name)) {
      room -= require_few_values(outputs[i].shape(), room);
      result.values.emplace(name, nested_values(outputs[i].dtype(), outputs[i].shape(), outputs[i].read()));
    }
  }
  return result;
}

/// A run of a plan's or an execution's session; the resource then counts what its arena has grown by.
template <typename Resource>
RunResult run_counted(ComputeService& service, Resource& resource, Session& session, const RunInputs& inputs,
                      const RunAnswer& answer) {
  const std::size_t before = session.arena_bytes();
  auto result = run_session(service, resource.held().context, session, inputs, answer);
  resource.set_bytes(resource.bytes() + session.arena_bytes() - before);
  return result;
}

/// After a run: what its arena takes now counts. A plan or execution that outgrew the quota goes.
void recount(call::OperationContext& context, const std::string& handle) {
  try {
    context.resources().recount(handle);
  } catch (const Error&) {
    context.resources().take(handle);
    throw;
  }
}

Task<Message> run_execution(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  const auto ids = ids_of(object);
  room_of(context).require(1, 0);
  const RunInputs inputs = read_inputs(context, object.at("inputs").as_object());
  std::shared_ptr<ExecutionResource> execution;
  std::shared_ptr<PlanResource> plan;
  std::string handle;
  if (const Json* given = member(object, "execution")) {
    handle = given->as_string();
    execution = resource_of<ExecutionResource>(context, handle);
  } else {
    handle = text_member(object, "plan");
    plan = resource_of<PlanResource>(context, handle);
  }
  auto work = [&service, execution, plan, inputs, answer = read_answer(object)] {
    if (plan) return run_counted(service, *plan, session_of(plan->held()), inputs, answer);
    return run_counted(service, *execution, execution->held().session, inputs, answer);
  };
  RunResult result = co_await run_on(service.compute(), std::move(work));
  recount(context, handle);
  JsonObject outputs;
  auto handles = keep_tensors(context, result.outputs, ids);
  for (std::size_t i = 0; i < handles.size(); ++i) outputs.emplace(result.names[i], std::move(handles[i]));
  JsonObject answer{{"outputs", std::move(outputs)}};
  if (object.contains("values")) answer.emplace("values", std::move(result.values));
  co_return Message{std::move(answer), {}};
}

constexpr ComputeOperation kGrad = {"compute/grad",
                                    call::OperationType::kQuery,
                                    "Extend a graph by gradients",
                                    "The graph with an output `grad/<name>` for each of wrt: what it contributes to "
                                    "the sum of the outputs. No device is "
                                    "touched.",
                                    R"({"properties":{"graph":"@graph",
      "outputs":{"type":"array","items":{"type":"string"},"minItems":1,"description":"Names of outputs"},
      "wrt":{"type":"array","items":{"type":"string"},"minItems":1,"description":"Names of values"},
      "seeds":{"type":"array","items":{"type":"string"},
        "description":"Names of the gradients of the outputs; one element needs none"},
      "allow_unused":{"type":"boolean","default":false}},"required":["graph","outputs","wrt"]})",
                                    R"({"properties":{"graph":"@graph"},"required":["graph"]})",
                                    kCommonErrors | kGraphErrors | kOperationErrors};

Task<Message> extend_graph(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  auto work = [owner = service.owner(context), document = graph_document(input),
               outputs = texts_member(object, "outputs"), wrt = texts_member(object, "wrt"),
               seeds = texts_member(object, "seeds"), allow_unused = flag(object, "allow_unused")] {
    const graph::OpTable& ops = owner->context().operations();
    const graph::Graph graph = graph::from_message(document, ops);
    return graph::to_message(graph::grad(graph, {outputs, wrt, seeds, allow_unused}, ops), ops);
  };
  Message document = co_await run_on(service.compute(), std::move(work));
  co_return graph_answer(std::move(document));
}

constexpr ComputeOperation kTrainStep = {
    "compute/train_step",
    call::OperationType::kQuery,
    "Make a training step",
    "A graph that computes the given one and takes a step against the gradient of its loss for every trainable state: "
    "forward, gradients, clipping, optimizer, assigns, in one run. It has the inputs of the graph and `learning_rate` "
    "(with loss scaling `loss_scale`). No device is touched.",
    R"({"properties":{"graph":"@graph","loss":{"type":"string","description":"The output of one element"},
      "optimizer":{"type":"object","required":["name"],"properties":{
        "name":{"enum":["sgd","adam","adamw","rmsprop","adagrad","lion"]}},"additionalProperties":true,
        "description":"With members as torch.optim has them","examples":[{"name":"adamw","weight_decay":0.01}]},
      "clip_value":{"type":"number","exclusiveMinimum":0},"clip_norm":{"type":"number","exclusiveMinimum":0},
      "loss_scaling":{"type":"boolean","default":false},
      "accumulate":{"description":"Parts of gradient accumulation: \"add\", or {apply: count} for the step after",
        "anyOf":[{"const":"add"},{"properties":{"apply":{"type":"integer","minimum":1}},"required":["apply"]}]}},
      "required":["graph","loss","optimizer"]})",
    R"({"properties":{"graph":"@graph"},"required":["graph"]})",
    kCommonErrors | kGraphErrors | kOperationErrors};

TrainStepOptions step_options(const JsonObject& object) {
  TrainStepOptions options;
  options.optimizer = OptimizerOptions::from_json(object.at("optimizer"));
  if (const Json* most = member(object, "clip_value")) options.clip_value = most->to_number<double>();
  if (const Json* most = member(object, "clip_norm")) options.clip_norm = most->to_number<double>();
  options.loss_scaling = flag(object, "loss_scaling");
  return options;
}

graph::Graph step_graph(const graph::Graph& forward, const std::string& loss, const TrainStepOptions& options,
                        const Json& accumulate, const graph::OpTable& ops) {
  if (accumulate.is_null()) return train_step(forward, loss, options, ops);
  if (accumulate.is_string()) return accumulate_step(forward, loss, options, ops);
  return apply_step(forward, integer_of<std::int64_t>(accumulate.at("apply"), "apply"), options, ops);
}

Task<Message> make_train_step(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  const Json* accumulate = member(object, "accumulate");
  auto work = [owner = service.owner(context), document = graph_document(input),
               loss = std::string(text_member(object, "loss")), options = step_options(object),
               part = accumulate == nullptr ? Json(nullptr) : *accumulate] {
    const graph::OpTable& ops = owner->context().operations();
    const graph::Graph forward = graph::from_message(document, ops);
    return graph::to_message(step_graph(forward, loss, options, part, ops), ops);
  };
  Message document = co_await run_on(service.compute(), std::move(work));
  co_return graph_answer(std::move(document));
}

}  // namespace

std::vector<call::Registration> graph_operations(ComputeService& service) {
  return registrations_of(service, {{kCompile, compile_graph},
                                    {kOpenPlan, open_execution},
                                    {kRunPlan, run_execution},
                                    {kGrad, extend_graph},
                                    {kTrainStep, make_train_step}});
}

}  // namespace alknet::compute
