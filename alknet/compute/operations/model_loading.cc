#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/call/error.h"
#include "alknet/compute/error.h"
#include "alknet/compute/operations/compute_operations.h"
#include "alknet/compute/operations/handles.h"
#include "alknet/compute/operations/owner_state.h"
#include "alknet/compute/operations/spec.h"
#include "alknet/tensor/import/import.h"

// Weights as handles: from files, from the program's catalogue, from a peer's stream.

namespace alknet::compute {
namespace {

using SourcePtr = std::shared_ptr<tensor::Source>;

constexpr ComputeOperation kLoadModel = {
    "compute/load_model",
    call::OperationType::kMutation,
    "Load a model's tensors",
    "The tensors of a model as handles, and a store of them for compute/open. By a catalogue name or a stream token; "
    "by "
    "path only for programs of this machine. Bytes are mapped, not copied, where the device is the processor.",
    R"({"properties":{
      "model":{"type":"string","minLength":1,"description":"A catalogue name","examples":["all-MiniLM-L6-v2"]},
      "path":{"type":"string","minLength":1,
        "description":"A metatensor, safetensors or GGUF file; local programs only"},
      "token":{"type":"string","minLength":1,"description":"Of a peer's compute/open_model"},
      "peer":{"type":"string","minLength":1,"description":"The peer that gave the token"},
      "tensors":{"type":"array","items":{"type":"string"},"description":"Names; all otherwise"},
      "ids":"@ids For the store, then the tensors in the order of `tensors`"},
      "oneOf":[{"required":["model"]},{"required":["path"]},{"required":["token"]}]})",
    R"({"properties":{"store":"@handle","tensors":{"type":"object","additionalProperties":"@tensor"},
      "skipped":{"type":"array","items":{"type":"string"},"description":"Entries of dtypes that graphs do not have"},
      "metadata":{"type":"object","additionalProperties":{"type":"string"}}},
      "required":["store","tensors","skipped","metadata"]})",
    kCommonErrors | kModelErrors,
    std::chrono::seconds(600)};

constexpr ComputeOperation kStreamModel = {
    "compute/stream_model",
    call::OperationType::kSubscription,
    "Load a model tensor by tensor",
    "As compute/load_model, but answers the store at once and then each tensor when its bytes are there, in the order "
    "of "
    "`priority`.",
    R"({"properties":{"model":{"type":"string","minLength":1},"path":{"type":"string","minLength":1},
      "token":{"type":"string","minLength":1},"peer":{"type":"string","minLength":1},"tensors":{"type":"array","items":{"type":"string"}},
      "priority":{"type":"array","items":{"type":"string"},"description":"Names wanted first"}},
      "oneOf":[{"required":["model"]},{"required":["path"]},{"required":["token"]}]})",
    R"({"properties":{"store":"@handle The first item","count":{"type":"integer"},"bytes":{"type":"integer"},
      "name":{"type":"string"},"tensor":"@tensor","skipped":{"type":"boolean"},
      "arrived":{"type":"integer","description":"Bytes so far"}}})",
    kCommonErrors | kModelErrors};

constexpr ComputeOperation kOpenModel = {
    "compute/open_model",
    call::OperationType::kMutation,
    "Grant a stream of a model",
    "A token with which this caller may stream a model of the catalogue over `alknet/tensor`.",
    R"({"properties":{"model":{"type":"string","minLength":1,"examples":["all-MiniLM-L6-v2"]},
      "files":{"type":"boolean","default":false,
        "description":"Answer configuration and tokenizer too, for a node that serves the model"}},"required":["model"]})",
    R"({"properties":{"token":{"type":"string"},"expires_in_s":{"type":"integer"},"alpn":{"const":"alknet/tensor"},
      "bytes":{"type":"integer"},"tensors":{"type":"integer"},
      "files":{"type":"object","additionalProperties":"@bytes","description":"By name in the model's folder"}},
      "required":["token","expires_in_s","alpn"]})",
    kCommonErrors | kModelErrors};

/// Where a caller says that a model is.
struct ModelRequest {
  std::string model;
  std::optional<std::string> path, token, peer;
};

ModelRequest model_request(call::OperationContext& context, const JsonObject& object) {
  const auto text = [&](std::string_view name) {
    const Json* value = member(object, name);
    return value == nullptr ? std::nullopt : std::optional(std::string(value->as_string()));
  };
  ModelRequest request{text("model").value_or(""), text("path"), text("token"), text("peer")};
  if (request.path && context.owner().kind() != call::Owner::Kind::kProgram) {
    throw Error(call::CallError::kForbidden, "a path is for programs of this machine: name a model of the catalogue");
  }
  return request;
}

/// A file of a foreign format as one of ours, in a temporary file that is gone when the last view is.
tensor::File imported(const tensor::Format& format, const std::string& path) {
  std::string target = (std::filesystem::temp_directory_path() / "alknet-import-XXXXXX").string();
  const int descriptor = ::mkstemp(target.data());
  if (descriptor < 0) throw io_error("cannot make", target, errno);
  ::close(descriptor);
  try {
    tensor::write_import(*format.open(path), target);
    tensor::File file = tensor::File::open(target);
    std::filesystem::remove(target);
    return file;
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(target, ignored);
    throw;
  }
}

SourcePtr open_path(const std::string& path) {
  const tensor::Format& format = tensor::detect_format(path);
  return std::make_shared<tensor::FileSource>(format.open == nullptr ? tensor::File::open(path)
                                                                     : imported(format, path));
}

/// On the file thread.
SourcePtr find_source(const ModelAccess& access, const ModelRequest& request) {
  const auto unavailable = [](std::string_view what) {
    return Error(BaseError::kUnsupported, fmt::format("this program has no {}", what));
  };
  if (request.path) return open_path(*request.path);
  if (request.token) {
    if (!access.open_stream) throw unavailable("streams of models");
    return access.open_stream(*request.token, request.peer ? &*request.peer : nullptr);
  }
  if (!access.find) throw unavailable("catalogue of models");
  try {
    return access.find(request.model);
  } catch (const Error& error) {
    if (error.code() != BaseError::kNotFound) throw;
    throw call::domain_error("MODEL_NOT_FOUND", error.message(), error.details());
  }
}

std::vector<std::string> wanted_entries(const tensor::File& file, const JsonObject& object) {
  auto names = texts_member(object, "tensors");
  for (const std::string& name : names) file.entry(name);
  if (member(object, "tensors") != nullptr) return names;
  for (const auto& entry : file.entries()) {
    if (!file.is_reserved(entry)) names.emplace_back(entry.name);
  }
  return names;
}

JsonObject metadata_json(const tensor::File& file) {
  JsonObject json;
  for (const auto& [key, value] : file.metadata()) {
    if (!key.starts_with("metatensor")) json.emplace(key, value);
  }
  return json;
}

using TensorPtr = std::shared_ptr<TensorResource>;

/// Null for an entry that graphs cannot compute with.
TensorPtr tensor_from(ComputeService& service, const Store& store, const std::string& name) {
  try {
    return std::make_shared<TensorResource>(service, store.find(name));
  } catch (const Error& error) {
    if (error.code() != ComputeError::kUnsupported) throw;
    return nullptr;
  }
}

std::shared_ptr<StoreResource> store_of(ComputeService& service, OwnerState& owner, const tensor::File& file) {
  Store store(owner.context());
  store.add_file(file);
  return std::make_shared<StoreResource>(service, std::move(store), 0);
}

Task<SourcePtr> open_source(ComputeService& service, ModelRequest request) {
  auto work = [&service, request = std::move(request)] { return find_source(service.options().models, request); };
  co_return co_await run_on(service.files(), std::move(work));
}

Task<Message> load_model(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  const auto ids = ids_of(object);
  const Room room = room_of(context);
  ModelRequest request = model_request(context, object);
  const SourcePtr source = co_await open_source(service, std::move(request));
  const auto names = wanted_entries(source->file(), object);
  room.require(names.size() + 1, 0);
  source->prioritize(names);
  for (const std::string& name : names) co_await source->arrived(source->file().entry(name));
  struct Loaded {
    std::shared_ptr<StoreResource> store;
    std::vector<TensorPtr> tensors;
  };
  // Not the source, which belongs to this thread.
  auto work = [&service, file = source->file(), names, owner = service.owner(context)] {
    Loaded loaded{store_of(service, *owner, file), {}};
    for (const auto& name : names) loaded.tensors.push_back(tensor_from(service, loaded.store->held(), name));
    return loaded;
  };
  const Loaded loaded = co_await run_on(service.compute(), std::move(work));
  std::vector<std::shared_ptr<call::Resource>> results = {loaded.store};
  for (const auto& tensor : loaded.tensors) {
    if (tensor) results.push_back(tensor);
  }
  const auto handles = keep(context, results, ids);
  JsonObject tensors;
  JsonArray skipped;
  std::size_t next = 1;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (loaded.tensors[i]) {
      tensors.emplace(names[i], tensor_json(handles[next++], *loaded.tensors[i]));
    } else {
      skipped.emplace_back(names[i]);
    }
  }
  co_return Message{JsonObject{{"store", handles.front()},
                               {"tensors", std::move(tensors)},
                               {"skipped", std::move(skipped)},
                               {"metadata", metadata_json(source->file())}},
                    {}};
}

/// The wanted entries in the order in which they are to come.
std::vector<std::string> by_priority(std::vector<std::string> names, const std::vector<std::string>& priority) {
  const auto rank = [&](const std::string& name) { return std::ranges::find(priority, name) - priority.begin(); };
  std::ranges::stable_sort(names, {}, rank);
  return names;
}

AsyncGenerator<Message> stream_model(ComputeService& service, call::OperationContext& context, Message input) {
  const JsonObject& object = members(input);
  const Room room = room_of(context);
  ModelRequest request = model_request(context, object);
  const SourcePtr source = co_await open_source(service, std::move(request));
  const auto names = by_priority(wanted_entries(source->file(), object), texts_member(object, "priority"));
  room.require(names.size() + 1, 0);
  std::uint64_t total = 0, arrived = 0;
  for (const auto& name : names) total += source->file().entry(name).bytes();
  auto make_store = [&service, file = source->file(), owner = service.owner(context)] {
    return store_of(service, *owner, file);
  };
  const auto store = co_await run_on(service.compute(), std::move(make_store));
  const std::shared_ptr<call::Resource> kept = store;
  Message first{
      JsonObject{{"store", keep(context, std::span(&kept, 1), {}).front()}, {"count", names.size()}, {"bytes", total}},
      {}};
  co_yield std::move(first);
  source->prioritize(names);
  for (const std::string& name : names) {
    const auto& entry = source->file().entry(name);
    co_await source->arrived(entry);
    arrived += entry.bytes();
    auto work = [&service, store, name] { return tensor_from(service, store->held(), name); };
    const TensorPtr tensor = co_await run_on(service.compute(), std::move(work));
    JsonObject item{{"name", name}, {"arrived", arrived}};
    if (tensor) {
      item.emplace("tensor", keep_tensor(context, tensor, {}));
    } else {
      item.emplace("skipped", true);
    }
    Message next{std::move(item), {}};
    co_yield std::move(next);
  }
}

Task<Message> open_model(ComputeService& service, call::OperationContext& context, Message input) {
  ModelRequest request;
  request.model = text_member(members(input), "model");
  struct Granted {
    StreamGrant grant;
    std::uint64_t bytes;
    std::size_t tensors;
    ModelFiles files;
  };
  const bool with_files = flag(members(input), "files");
  auto work = [&service, request, with_files, caller = context.identity()] {
    const ModelAccess& models = service.options().models;
    if (!models.grant_stream) throw Error(BaseError::kUnsupported, "this program streams no models");
    if (with_files && !models.files) throw Error(BaseError::kUnsupported, "this program gives no files of models");
    const SourcePtr source = find_source(models, request);
    const tensor::File& file = source->file();
    ModelFiles files = with_files ? models.files(request.model) : ModelFiles();
    return Granted{models.grant_stream(caller, request.model, source), file.size(), file.entries().size(),
                   std::move(files)};
  };
  const Granted granted = co_await run_on(service.files(), std::move(work));
  Message answer;
  JsonObject object{{"token", granted.grant.token},
                    {"expires_in_s", granted.grant.lifetime.count()},
                    {"alpn", "alknet/tensor"},
                    {"bytes", granted.bytes},
                    {"tensors", granted.tensors}};
  if (with_files) {
    JsonObject files;
    for (const auto& [name, text] : granted.files.texts)
      files.emplace(name, attach_bytes(answer, SharedBytes::copy(text)));
    object.emplace("files", std::move(files));
  }
  answer.value = std::move(object);
  co_return answer;
}

}  // namespace

std::vector<call::Registration> model_loading(ComputeService& service) {
  auto all = registrations_of(service, {{kLoadModel, load_model}, {kOpenModel, open_model}});
  all.push_back(registration_of(service, kStreamModel,
                                call::StreamHandler([&service](call::OperationContext& context, Message input) {
                                  return stream_model(service, context, std::move(input));
                                })));
  return all;
}

}  // namespace alknet::compute
