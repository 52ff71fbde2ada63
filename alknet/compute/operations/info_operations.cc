#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/base/machine_memory.h"
#include "alknet/call/error.h"
#include "alknet/compute/eager/gradcheck.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/compute/operations/eager_call.h"
#include "alknet/compute/operations/handles.h"
#include "alknet/compute/operations/owner_state.h"
#include "alknet/compute/operations/spec.h"
#include "alknet/gpu/instance.h"
#include "alknet/graph/json.h"

// What there is, and what would be: no tensor is made here.

namespace alknet::compute {
namespace {

constexpr ComputeOperation kDevices = {
    "compute/devices",
    call::OperationType::kQuery,
    "Devices",
    "The devices of this node: the processor, and every WebGPU adapter, software ones included.",
    R"({"properties":{}})",
    R"({"properties":{"devices":{"type":"array","items":{"type":"object"},
      "description":"{id, name, type, backend, driver, usable, limits, features}"}},"required":["devices"]})"};

Task<Message> list_devices(ComputeService& service, call::OperationContext&, Message) {
  auto survey = [] { return gpu::survey(); };
  const gpu::Survey found = co_await run_on(service.files(), std::move(survey));
  JsonArray list;
  list.push_back(JsonObject{
      {"id", "cpu"},
      {"name", "cpu"},
      {"type", "cpu"},
      {"backend", "native"},
      {"driver", ""},
      {"usable", true},
      {"limits", JsonObject{{"threads", std::thread::hardware_concurrency()}, {"memoryBytes", machine_memory()}}},
      {"features", JsonArray{}}});
  for (const auto& adapter : found.adapters) {
    JsonObject limits;
    for (const auto& limit : adapter.limits) limits.emplace(limit.name, limit.value);
    JsonObject device{{"id", adapter.id},
                      {"name", adapter.name},
                      {"type", gpu::adapter_type_name(adapter.type)},
                      {"backend", adapter.backend},
                      {"driver", adapter.driver},
                      {"usable", adapter.usable},
                      {"limits", std::move(limits)},
                      {"features", JsonArray(adapter.features.begin(), adapter.features.end())}};
    if (!adapter.reason.empty()) device.emplace("reason", adapter.reason);
    list.push_back(std::move(device));
  }
  co_return Message{JsonObject{{"devices", std::move(list)}}, {}};
}

constexpr ComputeOperation kStats = {
    "compute/stats",
    call::OperationType::kQuery,
    "Memory and counts",
    "Bytes in buffers by device, what devices and the computing thread have done so far, and what this caller holds of "
    "its quota. On a node that measures kernels (`alknet serve --measure-kernels`), also how long those of this caller "
    "and of the node's models took.",
    R"({"properties":{"kernels":{"type":"boolean","default":false,
      "description":"Answer `kernels` too; UNSUPPORTED on a node that measures none"}}})",
    R"({"properties":{
      "devices":{"type":"array","items":{"type":"object"},
        "description":"{id, buffers, live, pooled, peak, launches, kernels, allocations}"},
      "work":{"type":"object","description":"{jobs, busy_s, waiting} of the thread that computes"},
      "resources":{"type":"object","description":"{count, bytes, max_count, max_bytes}"},
      "kernel_worker":{"type":"object","description":"{dispatches, copied_in, copied_out} of the process of this caller's WGSL kernels, when it has one; copies of tensors"},
      "kernels":{"type":"array","description":"The longest in total first","items":{"properties":{
        "name":{"type":"string","examples":["matmul+add+gelu"]},"device":{"type":"string"},
        "by":{"enum":["caller","models"],"description":"This caller's own calls, or the node's models for anybody"},
        "count":{"type":"integer"},"total_s":{"type":"number"},"mean_s":{"type":"number"}},
        "required":["name","device","by","count","total_s","mean_s"]}}},
      "required":["devices","work","resources"]})"};

void add_kernels(JsonArray& list, const KernelTimes& times, std::string_view by) {
  for (const KernelTimes::Row& row : times.rows()) {
    list.push_back(JsonObject{{"name", row.name},
                              {"device", row.device},
                              {"by", by},
                              {"count", row.count},
                              {"total_s", row.seconds},
                              {"mean_s", row.seconds / static_cast<double>(row.count)}});
  }
}

/// Those of the caller, and of models, the longest in total first.
JsonArray kernel_list(ComputeService& service, call::OperationContext& context) {
  if (!service.options().measure_kernels) {
    throw Error(
        BaseError::kUnsupported,
        "this node measures no kernels: start it with `alknet serve --measure-kernels`, or leave out `kernels`");
  }
  JsonArray list;
  add_kernels(list, service.owner(context)->times(), "caller");
  add_kernels(list, *service.model_times(), "models");
  const auto total = [](const Json& row) { return row.at("total_s").as_double(); };
  std::ranges::stable_sort(list, [&](const Json& a, const Json& b) { return total(a) > total(b); });
  return list;
}

Task<Message> report_stats(ComputeService& service, call::OperationContext& context, Message input) {
  const bool kernels = flag(members(input), "kernels");
  if (kernels) kernel_list(service, context);  // refused before anything else
  // Read on the compute thread, so that all work before this has been counted, and this has not.
  auto work = [&service] {
    JsonArray list;
    for (const auto& backend : service.backends()) {
      const auto buffers = service.buffers()->statistics(*backend);
      const auto counts = backend->statistics();
      list.push_back(JsonObject{{"id", backend->id()},
                                {"buffers", buffers.buffers},
                                {"live", buffers.live},
                                {"pooled", buffers.pooled},
                                {"peak", buffers.peak},
                                {"launches", counts.launches},
                                {"kernels", counts.kernels_compiled},
                                {"allocations", counts.allocations}});
    }
    return std::pair(std::move(list), service.timings());
  };
  auto [list, timings] = co_await run_on(service.compute(), std::move(work));
  const call::ResourceTable& table = context.resources();
  JsonObject answer{
      {"devices", std::move(list)},
      {"work", JsonObject{{"jobs", timings.jobs}, {"busy_s", timings.busy_seconds}, {"waiting", timings.waiting - 1}}},
      {"resources", JsonObject{{"count", table.count()},
                               {"bytes", table.bytes()},
                               {"max_count", table.quota().max_count},
                               {"max_bytes", table.quota().max_bytes}}}};
  const auto owner = service.known_owner(context);
  if (owner && owner->worker) {
    const WorkerCounts& counts = owner->worker->counts();
    answer.emplace("kernel_worker", JsonObject{{"dispatches", counts.dispatches},
                                               {"copied_in", counts.copied_in},
                                               {"copied_out", counts.copied_out}});
  }
  if (kernels) answer.emplace("kernels", kernel_list(service, context));
  co_return Message{std::move(answer), {}};
}

constexpr ComputeOperation kShape = {
    "compute/shape",
    call::OperationType::kQuery,
    "Shapes without computing",
    "dtypes and shapes of the results of an operation of the table, from those of its operands. Nothing is computed "
    "and "
    "no device is touched, so a caller can go on before the results are there.",
    R"({"properties":{"operation":{"type":"string","description":"A name of the op table","examples":["matmul"]},
      "input":{"type":"object","description":"As tensor/<operation> takes it, with {dtype, shape} for tensors",
        "examples":[{"input":{"dtype":"f32","shape":[2,3]},"other":{"dtype":"f32","shape":[3,4]}}]}},
      "required":["operation","input"]})",
    R"({"properties":{"outputs":{"type":"array","items":"@type"}},"required":["outputs"]})",
    kCommonErrors | kOperationErrors,
    {},
    Tensors::kAnywhere};

JsonArray inferred(const graph::OpTable& ops, const std::string& name, const JsonObject& input) {
  JsonArray outputs;
  for (const auto& type : graph::infer_call(ops, name, input)) {
    const Shape shape = graph::evaluate(type.shape, {});
    outputs.push_back(
        JsonObject{{"dtype", graph::dtype_name(type.dtype)}, {"shape", JsonArray(shape.begin(), shape.end())}});
  }
  return outputs;
}

Task<Message> infer_shape(ComputeService& service, call::OperationContext& context, Message input) {
  const std::string name(text_member(members(input), "operation"));
  const JsonObject& call = members(input).at("input").as_object();
  const graph::OpTable& builtin = graph::OpTable::builtin();
  if (builtin.find(name) != nullptr) {
    co_return Message{JsonObject{{"outputs", inferred(builtin, name, call)}}, {}};
  }
  auto work = [owner = service.owner(context), name, call] {
    return inferred(owner->context().operations(), name, call);
  };
  auto outputs = co_await run_on(service.compute(), std::move(work));
  co_return Message{JsonObject{{"outputs", std::move(outputs)}}, {}};
}

constexpr ComputeOperation kGradcheck = {
    "compute/gradcheck",
    call::OperationType::kQuery,
    "Check a gradient",
    "Compares gradients with central differences in f64 on the processor: of one operation of the table, or of a "
    "graph.",
    R"({"properties":{
      "operation":{"type":"string","description":"A name of the op table","examples":["tanh"]},
      "graph":"@graph Instead of an operation",
      "attributes":{"type":"object","description":"Parameters of the operation"},
      "inputs":{"type":"array","items":{"anyOf":["@tensor",{"type":"null"}]},
        "description":"In the order of the operation's or graph's inputs; null leaves an optional one out"},
      "outputs":{"type":"array","items":{"type":"string"},"description":"Of a graph; all floats otherwise"},
      "wrt":{"type":"array","items":{"type":"string"},"description":"Inputs by name; all floats otherwise"},
      "step":{"type":"number","exclusiveMinimum":0,"default":0.001},
      "tolerance":{"type":"number","exclusiveMinimum":0,"default":1e-6},
      "second_order":{"type":"boolean","default":false,"description":"Also the gradient of the gradient"}},
      "required":["inputs"],"oneOf":[{"required":["operation"]},{"required":["graph"]}]})",
    R"({"type":"object","required":["passed","worst"],"description":"{passed, ops, cases, elements, worst, worst_at}"})",
    kCommonErrors | kOperationErrors | kGraphErrors,
    std::chrono::seconds(120)};

Task<Message> check_gradient(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  GradcheckRequest request;
  if (const Json* operation = member(object, "operation")) request.op = operation->as_string();
  if (const Json* attributes = member(object, "attributes")) request.attrs = attributes->as_object();
  request.outputs = texts_member(object, "outputs");
  request.wrt = texts_member(object, "wrt");
  if (const Json* step = member(object, "step")) request.options.step = step->to_number<double>();
  if (const Json* most = member(object, "tolerance")) request.options.tolerance = most->to_number<double>();
  request.options.second_order = flag(object, "second_order");
  std::vector<std::shared_ptr<TensorResource>> tensors;
  std::int64_t elements = 0;
  for (const Json& each : object.at("inputs").as_array()) {
    tensors.push_back(each.is_null() ? nullptr : tensor_of(context, each));
    if (tensors.back()) elements += graph::element_count(tensors.back()->shape());
    if (elements <= service.options().max_gradcheck_elements) continue;
    throw Error(call::CallError::kResourceExhausted,
                fmt::format("the inputs have more than {} elements: check with smaller ones",
                            service.options().max_gradcheck_elements),
                JsonObject{{"limit", "gradcheck_elements"}});
  }
  Message document;
  if (const Json* graph = member(object, "graph")) document = {*graph, input.bytes};
  auto work = [owner = service.owner(context), request, tensors, document]() mutable {
    const graph::OpTable& ops = owner->context().operations();
    if (request.op.empty()) request.graph = graph::from_message(document, ops);
    for (const auto& tensor : tensors) request.inputs.push_back(tensor ? tensor->held() : Tensor());
    return gradcheck(request, ops).to_json();
  };
  auto report = co_await run_on(service.compute(), std::move(work));
  co_return Message{std::move(report), {}};
}

}  // namespace

std::vector<call::Registration> info_operations(ComputeService& service) {
  return registrations_of(
      service, {{kDevices, list_devices}, {kStats, report_stats}, {kShape, infer_shape}, {kGradcheck, check_gradient}});
}

}  // namespace alknet::compute
