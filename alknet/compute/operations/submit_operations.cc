#include <fmt/format.h>

#include <optional>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/call/error.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/compute/operations/handles.h"
#include "alknet/compute/operations/owner_state.h"
#include "alknet/compute/operations/spec.h"

// Many calls as one, without waiting for what lies between.

namespace alknet::compute {
namespace {

constexpr std::string_view kSubmitName = "compute/submit";

constexpr ComputeOperation kSubmit = {
    kSubmitName,
    call::OperationType::kMutation,
    "Many calls in order",
    "Runs calls one after the other, each through its own gates as if this caller had made it. The caller names the "
    "results by `ids`, so that later entries can use them before anything is answered. An entry that fails does not "
    "stop "
    "the others: its ids stand for the error, and whoever uses them gets it. Submissions with `seq` run in the order "
    "of "
    "their numbers, from 1, whatever order they arrive in.",
    R"({"properties":{
      "seq":{"type":"integer","minimum":1,"description":"Rising by one; each is used once"},
      "calls":{"type":"array","maxItems":10000,"items":{"properties":{
        "operation":{"type":"string","examples":["tensor/matmul"]},
        "input":{"type":"object"},
        "ids":"@ids","no_grad":{"type":"boolean","default":false}},"required":["operation","input"]}},
      "bytes":{"type":"array","items":"@bytes","description":"What {\"$bytes\": i} in the inputs of entries stands for"}},
      "required":["calls"]})",
    R"({"properties":{
      "results":{"type":"array","description":"For each call {output} or {error}","items":{"type":"object"}},
      "bytes":{"type":"array","items":"@bytes","description":"What {\"$bytes\": i} in outputs stands for"}},
      "required":["results"]})",
    kCommonErrors,
    std::chrono::seconds(300),
    Tensors::kAnywhere};

/// The entry's own input, with what the entry says beside it.
Json entry_input(call::OperationContext& context, const JsonObject& entry) {
  JsonObject input = entry.at("input").as_object();
  const Json* ids = member(entry, "ids");
  if (ids != nullptr) input["ids"] = *ids;
  if (flag(entry, "no_grad")) {
    const auto operation = context.find_visible(text_member(entry, "operation"));
    const Json* properties = operation ? operation->spec().input_schema.as_object().if_contains("properties") : nullptr;
    if (properties != nullptr && properties->as_object().contains("no_grad")) input["no_grad"] = true;
  }
  return input;
}

/// Moves an entry's bytes behind those of the entries before.
void append_output(call::OperationContext& context, std::string_view name, Message output, Message& answer) {
  if (!output.bytes.empty()) {
    const std::size_t first = answer.bytes.size();
    const auto operation = context.find_visible(name);
    if (operation) {
      operation->output_bytes().renumber(output.value, [&](std::uint64_t index) { return first + index; });
    }
    for (SharedBytes& bytes : output.bytes) answer.bytes.push_back(std::move(bytes));
  }
  answer.value.as_array().push_back(JsonObject{{"output", std::move(output.value)}});
}

/// Puts the error where the results would be, as far as their ids are free.
void poison(call::OperationContext& context, const JsonObject& entry, const Error& error) {
  const Json* ids = member(entry, "ids");
  if (ids == nullptr) return;
  for (const Json& id : ids->as_array()) {
    if (context.resources().find(std::string_view(id.as_string()))) continue;
    context.add_resource_as(std::string_view(id.as_string()), std::make_shared<FailedResource>(error));
  }
}

/// One entry after its failure: its ids stand for the error. When even that fails (an id that was used before, a full
/// table), that is the entry's error.
Json failed_entry(call::OperationContext& context, const JsonObject& entry, const Error& error) {
  try {
    poison(context, entry, error);
    return JsonObject{{"error", call::wire_error(error).to_json()}};
  } catch (const Error& other) {
    return JsonObject{{"error", call::wire_error(other).to_json()}};
  }
}

Task<Message> submit(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  std::optional<OwnerState::Turns::Turn> turn;
  if (const Json* seq = member(object, "seq")) {
    const auto number = integer_of<std::uint64_t>(*seq, "seq");
    const auto owner = service.owner(context);
    const auto ready = owner->turns.take(number);
    if (!ready) {
      throw Error(call::CallError::kInvalidInput, fmt::format("seq {} was used before: numbers rise by one", number));
    }
    turn.emplace(owner, owner->turns, number);
    co_await ready->wait();
  }
  std::vector<SharedBytes> bytes;
  if (const Json* list = member(object, "bytes")) {
    for (const Json& each : list->as_array()) bytes.push_back(attached_bytes(input, each));
  }
  Message answer{JsonArray{}, {}};
  for (const Json& each : object.at("calls").as_array()) {
    const JsonObject& entry = each.as_object();
    const std::string name(text_member(entry, "operation"));
    std::optional<Error> failure;
    try {
      if (name.ends_with(kSubmitName)) {
        throw Error(call::CallError::kInvalidInput, "an entry of a submission is no submission");
      }
      Message call{entry_input(context, entry), bytes};
      Message output = co_await context.call_as_caller(name, std::move(call));
      append_output(context, name, std::move(output), answer);
    } catch (const Error& error) {
      if (context.stop_requested()) throw;
      failure = error;
    }
    if (failure) answer.value.as_array().push_back(failed_entry(context, entry, *failure));
  }
  JsonObject result{{"results", std::move(answer.value)}};
  JsonArray references;
  for (std::size_t i = 0; i < answer.bytes.size(); ++i) references.push_back(JsonObject{{kBytesKey, i}});
  if (!references.empty()) result.emplace("bytes", std::move(references));
  answer.value = std::move(result);
  co_return answer;
}

}  // namespace

std::vector<call::Registration> submit_operations(ComputeService& service) {
  return registrations_of(service, {{kSubmit, submit}});
}

}  // namespace alknet::compute
