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

/// A member of what may be anything; null when it is not there.
const Json* member_of(const Json* value, std::string_view name) {
  const JsonObject* object = value == nullptr ? nullptr : value->if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

/// The item of an array that {"$bytes": index} says; null when there is none.
const Json* item_of(const Json* list, const Json* reference) {
  const Json* number = member_of(reference, kBytesKey);
  if (list == nullptr || number == nullptr || !list->is_array() || !number->is_number()) return nullptr;
  boost::system::error_code no_index;
  const auto index = number->to_number<std::size_t>(no_index);
  return no_index || index >= list->get_array().size() ? nullptr : &list->get_array()[index];
}

/// The bytes of a result, which says them as an index into the list beside the results; nothing when it lies.
std::optional<SharedBytes> result_bytes(const Message& answer, const Json& output) {
  const Json* place = item_of(member_of(&answer.value, "bytes"), member_of(&output, "data"));
  const Json* number = member_of(place, kBytesKey);
  if (number == nullptr || !number->is_number()) return std::nullopt;
  boost::system::error_code no_index;
  const auto index = number->to_number<std::size_t>(no_index);
  if (no_index || index >= answer.bytes.size()) return std::nullopt;
  return answer.bytes[index];
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
  const std::size_t expected = graph::storage_bytes(tensor->dtype_, graph::element_count(tensor->shape_));
  const auto kernels = tensor->kernels_;
  WorkerKernels::Submission reading;
  reading.calls.push_back(entry("compute/read_tensor", JsonObject{{"tensor", tensor->handle()}}));
  reading.what = "copying a tensor out";
  reading.answer_bytes = expected;
  const Message answer = co_await WorkerKernels::submit(kernels, std::move(reading));
  const auto bytes = result_bytes(answer, answer.value.at("results").at(0).at("output"));
  if (!bytes || bytes->size() != expected) {
    throw kernels->end_because(fmt::format("answered a read of {} bytes with others", expected));
  }
  ++kernels->counts_.copied_out;
  co_return *bytes;
}

Task<std::shared_ptr<WorkerKernels>> WorkerKernels::start(KernelWorkers& workers,
                                                          std::shared_ptr<const call::Operation> submit) {
  std::shared_ptr<KernelWorker> worker = co_await workers.start();
  const std::shared_ptr<WorkerKernels> made(new WorkerKernels(std::move(worker), std::move(submit)));
  // The first tensor opens the device, which takes longer than any dispatch may.
  Json nothing = tensor_type(Dtype::kF32, {0});
  Submission opening;
  JsonArray ids{made->next_id()};
  JsonArray handles{ids.front()};
  opening.calls.push_back(entry("compute/create_tensor", std::move(nothing), std::move(ids)));
  opening.calls.push_back(entry("compute/dispose", JsonObject{{"handles", std::move(handles)}}));
  opening.deadline = WorkerDeadline::kSetup;
  opening.what = "opening the device";
  co_await WorkerKernels::submit(made, std::move(opening));
  co_return made;
}

WorkerKernels::~WorkerKernels() { end(); }

/// A handle there that is disposed of unless somebody takes it over.
class WorkerKernels::Handle {
 public:
  explicit Handle(std::shared_ptr<WorkerKernels> kernels) : kernels_(std::move(kernels)), id_(kernels_->next_id()) {}
  ~Handle() {
    if (kernels_) kernels_->forget(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  const std::string& id() const { return id_; }
  std::string take() {
    kernels_ = nullptr;
    return id_;
  }

 private:
  std::shared_ptr<WorkerKernels> kernels_;
  std::string id_;
};

Task<void> WorkerKernels::add(std::shared_ptr<WorkerKernels> self, std::string name, Json kernel) {
  Handle handle(self);  // when this task is dropped, its name must not stay taken there
  Submission compiling;
  JsonArray ids{handle.id()};
  compiling.calls.push_back(
      entry("compute/register_kernel", JsonObject{{"kernel", std::move(kernel)}}, std::move(ids)));
  compiling.deadline = WorkerDeadline::kSetup;
  compiling.what = fmt::format("compiling the kernel \"{}\"", name);
  co_await WorkerKernels::submit(self, std::move(compiling));
  self->handles_[std::move(name)] = handle.take();
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
  Submission running;
  JsonArray inputs, copies, ids;
  for (WorkerOperand& operand : call.operands) {
    if (operand.there) {
      inputs.push_back(operand.there->handle());
      continue;
    }
    if (operand.same_as) {
      Json same = inputs[*operand.same_as];
      inputs.push_back(std::move(same));
      continue;
    }
    Json type = tensor_type(operand.dtype, operand.shape);
    Json handle = type;
    copies.emplace_back(self->next_id());
    handle.as_object().emplace("$tensor", copies.back());
    inputs.push_back(std::move(handle));
    if (!operand.bytes.empty()) {
      type.as_object().emplace("data", JsonObject{{kBytesKey, running.bytes.size()}});
      running.bytes.push_back(std::move(operand.bytes));
    }
    JsonArray id{copies.back()};
    running.calls.push_back(entry("compute/create_tensor", std::move(type), std::move(id)));
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
  running.calls.push_back(entry("compute/dispatch_kernel", std::move(input), std::move(ids)));
  if (copied > 0) running.calls.push_back(entry("compute/dispose", JsonObject{{"handles", std::move(copies)}}));
  running.what = fmt::format("running the kernel \"{}\"", kernel->name);
  co_await WorkerKernels::submit(self, std::move(running));
  ++self->counts_.dispatches;
  self->counts_.copied_in += copied;
  co_return outputs;
}

Task<Message> WorkerKernels::submit(std::shared_ptr<WorkerKernels> self, Submission submission) {
  const std::size_t count = submission.calls.size();
  JsonObject input{{"calls", std::move(submission.calls)}};
  JsonArray references;
  for (std::size_t i = 0; i < submission.bytes.size(); ++i) references.push_back(JsonObject{{kBytesKey, i}});
  if (!references.empty()) input.emplace("bytes", std::move(references));
  WorkerCall call{self->submit_,
                  {std::move(input), std::move(submission.bytes)},
                  submission.deadline,
                  std::move(submission.what),
                  submission.answer_bytes};
  Message answer = co_await self->worker_->call(std::move(call));
  const Json* results = member_of(&answer.value, "results");
  if (results == nullptr || !results->is_array() || results->get_array().size() != count) {
    throw self->end_because("answered without its results");
  }
  for (const Json& result : results->get_array()) {
    const Json* error = member_of(&result, "error");
    if (error == nullptr && member_of(&result, "output") == nullptr) {
      throw self->end_because("answered without its results");
    }
    if (error != nullptr) throw self->failure_of(*error);
  }
  co_return answer;
}

Error WorkerKernels::failure_of(const Json& error) const {
  std::optional<Error> failure;
  try {
    failure = call::error_from_wire(call::WireError::from_json(error));
  } catch (const Error& malformed) {
    return end_because(fmt::format("answered what is no error: {}", malformed.message()));
  }
  // A device that was lost there takes everything with it, and nothing here opens another one in the same process.
  if (call::wire_code(*failure) == "DEVICE_LOST") worker_->end("was ended, because its device was lost");
  return *failure;
}

Error WorkerKernels::end_because(std::string_view why) const {
  worker_->end(fmt::format("was ended, because it {}", why));
  return *worker_->lost();
}

void WorkerKernels::forget(std::string_view id) const {
  if (worker_->lost()) return;
  JsonArray handles{id};
  JsonArray calls;
  calls.push_back(entry("compute/dispose", JsonObject{{"handles", std::move(handles)}}));
  Message message{JsonObject{{"calls", std::move(calls)}}, {}};
  worker_->tell({submit_, std::move(message), WorkerDeadline::kDispatch, "disposing of a tensor"});
}

std::string WorkerKernels::next_id() { return fmt::format("c{}", ++last_id_); }

}  // namespace alknet::compute
