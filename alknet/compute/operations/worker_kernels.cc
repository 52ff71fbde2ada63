#include "alknet/compute/operations/worker_kernels.h"

#include <fmt/format.h>

#include <utility>

#include "alknet/call/error.h"
#include "alknet/graph/shape.h"

namespace alknet::compute {
namespace {

Json tensor_type(Dtype dtype, const Shape& shape) {
  return JsonObject{{"dtype", graph::dtype_name(dtype)}, {"shape", JsonArray(shape.begin(), shape.end())}};
}

Json entry(std::string_view operation, Json input, JsonArray ids = {}) {
  JsonObject made{{"operation", operation}, {"input", std::move(input)}};
  if (!ids.empty()) made.emplace("ids", std::move(ids));
  return made;
}

Error broken(std::string_view what) {
  return {BaseError::kInternal, fmt::format("[kernels] the kernel worker {}", what)};
}

/// The bytes of `result`'s member `data`, an index into the list beside the results.
SharedBytes result_bytes(const Message& answer, const Json& result) {
  const Json* index = result.is_object() ? result.get_object().if_contains("data") : nullptr;
  const Json* list = answer.value.as_object().if_contains("bytes");
  if (index == nullptr || list == nullptr) throw broken("answered a read without bytes");
  return attached_bytes(answer, list->as_array().at(index->at(kBytesKey).to_number<std::size_t>()));
}

}  // namespace

WorkerTensor::WorkerTensor(std::shared_ptr<WorkerKernels> kernels, std::string id, Dtype dtype, Shape shape)
    : kernels_(std::move(kernels)), id_(std::move(id)), dtype_(dtype), shape_(std::move(shape)) {}

WorkerTensor::~WorkerTensor() { kernels_->forget(id_); }

Json WorkerTensor::handle() const {
  Json handle = tensor_type(dtype_, shape_);
  handle.as_object().emplace("$tensor", id_);
  return handle;
}

Task<SharedBytes> WorkerTensor::read(std::shared_ptr<const WorkerTensor> tensor) {
  JsonArray calls;
  calls.push_back(entry("compute/read_tensor", JsonObject{{"tensor", tensor->handle()}}));
  std::vector<SharedBytes> none;
  const auto kernels = tensor->kernels_;
  const Message answer = co_await WorkerKernels::submit(kernels, std::move(calls), std::move(none),
                                                        WorkerDeadline::kDispatch, "copying a tensor out");
  SharedBytes bytes = result_bytes(answer, answer.value.at("results").at(0).at("output"));
  const std::size_t expected = graph::storage_bytes(tensor->dtype_, graph::element_count(tensor->shape_));
  if (bytes.size() != expected) throw broken(fmt::format("answered {} bytes for {}", bytes.size(), expected));
  ++kernels->counts_.copied_out;
  co_return bytes;
}

Task<std::shared_ptr<WorkerKernels>> WorkerKernels::start(KernelWorkers& workers,
                                                          std::shared_ptr<const call::Operation> submit) {
  std::shared_ptr<KernelWorker> worker = co_await workers.start();
  const std::shared_ptr<WorkerKernels> made(new WorkerKernels(std::move(worker), std::move(submit)));
  // The first tensor opens the device, which takes longer than any dispatch may.
  Json nothing = tensor_type(Dtype::kF32, {0});
  JsonArray calls;
  JsonArray ids{made->next_id()};
  JsonArray handles{ids.front()};
  calls.push_back(entry("compute/create_tensor", std::move(nothing), std::move(ids)));
  calls.push_back(entry("compute/dispose", JsonObject{{"handles", std::move(handles)}}));
  std::vector<SharedBytes> none;
  co_await WorkerKernels::submit(made, std::move(calls), std::move(none), WorkerDeadline::kSetup, "opening the device");
  co_return made;
}

WorkerKernels::~WorkerKernels() { worker_->end(); }

Task<void> WorkerKernels::add(std::shared_ptr<WorkerKernels> self, std::string name, Json kernel) {
  std::string id = self->next_id();
  JsonArray calls;
  JsonArray ids{id};
  calls.push_back(entry("compute/register_kernel", JsonObject{{"kernel", std::move(kernel)}}, std::move(ids)));
  std::vector<SharedBytes> none;
  std::string what = fmt::format("compiling the kernel \"{}\"", name);
  co_await WorkerKernels::submit(self, std::move(calls), std::move(none), WorkerDeadline::kSetup, std::move(what));
  self->handles_[std::move(name)] = std::move(id);
}

void WorkerKernels::remove(const std::string& name) {
  const auto found = handles_.find(name);
  if (found == handles_.end()) return;
  forget(found->second);
  handles_.erase(found);
}

Task<std::vector<std::shared_ptr<WorkerTensor>>> WorkerKernels::dispatch(std::shared_ptr<WorkerKernels> self,
                                                                         std::shared_ptr<const SourceKernel> kernel,
                                                                         WorkerDispatch call) {
  JsonArray calls, inputs, copies, ids;
  std::vector<SharedBytes> bytes;
  for (WorkerOperand& operand : call.operands) {
    if (operand.there) {
      inputs.push_back(operand.there->handle());
      continue;
    }
    Json type = tensor_type(operand.dtype, operand.shape);
    Json handle = type;
    copies.emplace_back(self->next_id());
    handle.as_object().emplace("$tensor", copies.back());
    inputs.push_back(std::move(handle));
    if (!operand.bytes.empty()) {
      type.as_object().emplace("data", JsonObject{{kBytesKey, bytes.size()}});
      bytes.push_back(std::move(operand.bytes));
    }
    JsonArray id{copies.back()};
    calls.push_back(entry("compute/create_tensor", std::move(type), std::move(id)));
  }
  // Made first: when this task is dropped, they are disposed of after the dispatch.
  std::vector<std::shared_ptr<WorkerTensor>> outputs;
  for (std::size_t i = 0; i < call.outputs.size(); ++i) {
    ids.emplace_back(self->next_id());
    outputs.push_back(std::make_shared<WorkerTensor>(self, std::string(ids.back().get_string()),
                                                     kernel->outputs[i].dtype, call.outputs[i]));
  }
  JsonObject input{{"kernel", kernel->name}, {"inputs", std::move(inputs)}, {"parameters", std::move(call.parameters)}};
  if (call.workgroups) input.emplace("workgroups", JsonArray(call.workgroups->begin(), call.workgroups->end()));
  const std::size_t copied = copies.size();
  calls.push_back(entry("compute/dispatch_kernel", std::move(input), std::move(ids)));
  if (copied > 0) calls.push_back(entry("compute/dispose", JsonObject{{"handles", std::move(copies)}}));
  std::string what = fmt::format("running the kernel \"{}\"", kernel->name);
  co_await WorkerKernels::submit(self, std::move(calls), std::move(bytes), WorkerDeadline::kDispatch, std::move(what));
  ++self->counts_.dispatches;
  self->counts_.copied_in += copied;
  co_return outputs;
}

Task<Message> WorkerKernels::submit(std::shared_ptr<WorkerKernels> self, JsonArray calls,
                                    std::vector<SharedBytes> bytes, WorkerDeadline deadline, std::string what) {
  JsonObject input{{"calls", std::move(calls)}};
  JsonArray references;
  for (std::size_t i = 0; i < bytes.size(); ++i) references.push_back(JsonObject{{kBytesKey, i}});
  if (!references.empty()) input.emplace("bytes", std::move(references));
  Message message{std::move(input), std::move(bytes)};
  Message answer = co_await self->worker_->call(self->submit_, std::move(message), deadline, std::move(what));
  for (const Json& result : answer.value.at("results").as_array()) {
    const Json* error = result.as_object().if_contains("error");
    if (error == nullptr) continue;
    const Error failure = call::error_from_wire(call::WireError::from_json(*error));
    // A device that was lost there takes everything with it, and nothing here opens another one in the same process.
    if (call::wire_code(failure) == "DEVICE_LOST") self->worker_->end();
    throw Error(failure);
  }
  co_return answer;
}

void WorkerKernels::forget(std::string_view id) const {
  if (worker_->lost()) return;
  JsonArray handles{id};
  JsonArray calls;
  calls.push_back(entry("compute/dispose", JsonObject{{"handles", std::move(handles)}}));
  Message message{JsonObject{{"calls", std::move(calls)}}, {}};
  worker_->tell(submit_, std::move(message), "disposing of a tensor");
}

std::string WorkerKernels::next_id() { return fmt::format("c{}", ++last_id_); }

}  // namespace alknet::compute
