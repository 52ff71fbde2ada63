#include <algorithm>
#include <set>

#include "alknet/base/await.h"
#include "alknet/call/error.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/compute/operations/handles.h"
#include "alknet/compute/operations/spec.h"
#include "alknet/compute/training/checkpoint.h"

// Stores as files.

namespace alknet::compute {
namespace {

constexpr ComputeOperation kSaveModel = {
    "compute/save_model",
    call::OperationType::kMutation,
    "Write a store as a file",
    "The tensors of a store as one metatensor, which is a safetensors file too, with checksums and a schema that says "
    "what each is. Until it is there whole, a file that was there before stays. For programs of this machine only.",
    R"({"properties":{
      "store":"@handle",
      "path":{"type":"string","minLength":1,"examples":["model.mt"]},
      "tensors":{"type":"array","items":{"type":"string"},"minItems":1,"uniqueItems":true,
        "description":"Names; all otherwise"},
      "metadata":{"type":"object","additionalProperties":{"type":"string"}}},
      "required":["store","path"]})",
    R"({"properties":{"tensors":{"type":"integer","description":"How many were written"}},"required":["tensors"]})",
    kCommonErrors,
    std::chrono::seconds(600)};

CheckpointOptions checkpoint_options(const JsonObject& object) {
  CheckpointOptions options;
  if (const Json* const metadata = member(object, "metadata")) {
    for (const auto& [key, value] : metadata->as_object()) {
      if (key.starts_with("metatensor")) {
        throw Error(call::CallError::kInvalidInput, "metadata named metatensor... is the format's own",
                    JsonObject{{"path", "/metadata"}});
      }
      options.metadata.emplace_back(key, value.as_string());
    }
  }
  return options;
}

/// On the compute thread.
std::size_t save(const Store& store, const std::string& path, const std::vector<std::string>& wanted,
                 CheckpointOptions options) {
  const auto names = store.names();
  const std::set<std::string_view> known(names.begin(), names.end());
  for (const std::string& name : wanted) {
    if (!known.contains(name)) {
      throw Error(call::CallError::kInvalidInput, "the store has no tensor '" + name + "'", JsonObject{{"name", name}});
    }
  }
  if (wanted.empty()) {
    save_checkpoint(path, store, options);
    return names.size();
  }
  options.include = [&wanted](std::string_view name) { return std::ranges::find(wanted, name) != wanted.end(); };
  save_checkpoint(path, store, options);
  return wanted.size();
}

Task<Message> save_model(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  if (context.owner().kind() != call::Owner::Kind::kProgram) {
    throw Error(call::CallError::kForbidden, "files are for programs of this machine: read the tensors instead");
  }
  auto work = [store = resource_of<StoreResource>(context, text_member(object, "store")),
               path = std::string(text_member(object, "path")), wanted = texts_member(object, "tensors"),
               options = checkpoint_options(object)] { return save(store->held(), path, wanted, options); };
  const std::size_t count = co_await run_on(service.compute(), std::move(work));
  JsonObject answer{{"tensors", count}};
  co_return Message{std::move(answer), {}};
}

}  // namespace

std::vector<call::Registration> model_saving(ComputeService& service) {
  return registrations_of(service, {{kSaveModel, save_model}});
}

}  // namespace alknet::compute
