#include "alknet/compute/operations/spec.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <optional>
#include <utility>

#include "alknet/base/await.h"
#include "alknet/base/error.h"
#include "alknet/base/function_ref.h"
#include "alknet/call/error.h"
#include "alknet/call/from_call.h"
#include "alknet/compute/operations/owner_state.h"
#include "alknet/compute/operations/resources.h"
#include "alknet/graph/dtype.h"

namespace alknet::compute {
namespace {

struct DeclaredError {
  unsigned kinds;
  std::string_view code;
  int http_status;
  std::string_view description;
};

// What callers can do something about; everything else is INTERNAL.
constexpr std::array kDeclaredErrors = {
    DeclaredError{kCommonErrors, "DEVICE_LOST", 503, "The device is gone: make the tensors anew."},
    DeclaredError{kCommonErrors, "OUT_OF_MEMORY", 507, "The device's memory is exhausted; it stays usable."},
    DeclaredError{kCommonErrors, "SHAPE_MISMATCH", 400, "Shapes do not fit the operation, the data or each other."},
    DeclaredError{kCommonErrors, "DTYPE_MISMATCH", 400, "The operation or the tensor has another dtype."},
    DeclaredError{kCommonErrors, "INDEX_OUT_OF_RANGE", 400, "An index tensor points outside; may come at a read."},
    DeclaredError{kCommonErrors, "FOREIGN_HANDLE", 409, "The tensor is a peer's: call the peer, or copy it."},
    DeclaredError{kCommonErrors, "UNSUPPORTED", 501, "This device or node cannot do it; the message has a remedy."},
    DeclaredError{kCommonErrors, "UNKNOWN_DEVICE", 400, "There is no device of that name."},
    DeclaredError{kCommonErrors, "READ_ONLY", 409, "The memory is mapped from a file: write to a copy."},
    DeclaredError{kCommonErrors, "SIZE_OVERFLOW", 400, "A size does not fit 64 bits."},
    DeclaredError{kCommonErrors, "LIMIT_EXCEEDED", 400, "A limit of the device."},
    DeclaredError{kCommonErrors, "FAILED_RESULT", 424, "A handle stands for a failed call; `details` has its error."},
    DeclaredError{kOperationErrors, "BAD_ATTRIBUTE", 400, "A parameter is missing, unknown or out of range."},
    DeclaredError{kOperationErrors, "BAD_OPERAND", 400, "An operand that the operation cannot take here."},
    DeclaredError{kOperationErrors | kGraphErrors | kKernelErrors, "MISSING_INPUT", 400, "An input is absent."},
    DeclaredError{kOperationErrors | kGraphErrors, "NOT_DIFFERENTIABLE", 400, "A gradient that does not exist."},
    DeclaredError{kOperationErrors | kGraphErrors, "UNKNOWN_OP", 400, "No operation of the table has that name."},
    DeclaredError{kOperationErrors | kGraphErrors, "SINGULAR_MATRIX", 422, "A matrix has no inverse."},
    DeclaredError{kOperationErrors | kGraphErrors, "NOT_POSITIVE_DEFINITE", 422, "cholesky cannot factor the matrix."},
    DeclaredError{kOperationErrors | kGraphErrors, "TOO_LARGE", 400, "A graph, rank or text is beyond a limit."},
    DeclaredError{kOperationErrors | kGraphErrors, "CONTEXT_MISMATCH", 409, "Operands are on two devices."},
    DeclaredError{kOperationErrors, "STALE_VERSION", 409, "A tensor that a gradient needs was written since."},
    DeclaredError{kOperationErrors, "GRAPH_FREED", 409, "What the gradient needs went with an earlier backward."},
    DeclaredError{kGraphErrors, "GRAPH_INVALID", 400, "The graph has problems; `problems` lists them all."},
    DeclaredError{kGraphErrors, "UNKNOWN_REF", 400, "A name that is no value of the graph."},
    DeclaredError{kGraphErrors, "MISSING_PARAMETER", 400, "The store lacks states that have no initial value."},
    DeclaredError{kGraphErrors, "DIM_INVALID", 400, "A size is outside what the graph declares."},
    DeclaredError{kGraphErrors, "DIM_UNBOUND", 400, "A named dimension has no value."},
    DeclaredError{kKernelErrors, "KERNEL_INVALID", 400, "The kernel is specified wrongly; `problems` lists how."},
    DeclaredError{kKernelErrors, "UNKNOWN_KERNEL", 400, "This caller registered no kernel of that name."},
    DeclaredError{kKernelErrors, "UNTRUSTED_KERNEL", 403, "The device runs only sources that the program trusts."},
    DeclaredError{kKernelErrors, "EXPRESSION_INVALID", 400, "The expression is wrong at `line` and `column`."},
    DeclaredError{kKernelErrors, "OP_TABLE_INVALID", 400, "The entry is wrong, or its name is taken."},
    DeclaredError{kKernelErrors, "SHADER_INVALID", 400, "The shader does not compile; the message has its line."},
    DeclaredError{kKernelErrors, "FEATURE_MISSING", 501, "The device lacks a feature that the kernel needs."},
    DeclaredError{kKernelErrors, "VALIDATION_FAILED", 400, "The GPU refuses the dispatch."},
    DeclaredError{kModelErrors, "MODEL_NOT_FOUND", 404, "There is no model of that name here."},
    DeclaredError{kModelErrors, "MODEL_INVALID", 500, "The model's files are incomplete or damaged."},
    DeclaredError{kModelErrors, "ENTRY_MISSING", 400, "The model has no tensor of that name."},
    DeclaredError{kModelErrors, "INVALID_TEXT", 400, "A text is not UTF-8."},
    DeclaredError{kModelErrors, "CHECKSUM_MISMATCH", 502, "A tensor came damaged from a peer: ask again."},
};

JsonArray dtype_names() {
  JsonArray names;
  for (const Dtype dtype : graph::kAllDtypes) names.emplace_back(graph::dtype_name(dtype));
  for (const Dtype dtype : graph::kBlockDtypes) names.emplace_back(graph::dtype_name(dtype));
  return names;
}

Json tensor_schema() {
  return JsonObject{
      {"TypeDef:Tensor", true},
      {"title", "Tensor"},
      {"type", "object"},
      {"properties", JsonObject{{"$tensor", JsonObject{{"type", "string"}}},
                                {"dtype", JsonObject{{"type", "string"}}},
                                {"shape", JsonObject{{"type", "array"},
                                                     {"items", JsonObject{{"type", "integer"}, {"minimum", 0}}}}}}},
      {"required", JsonArray{"$tensor", "dtype", "shape"}},
      {"examples", JsonArray{JsonObject{{"$tensor", "h1"}, {"dtype", "f32"}, {"shape", JsonArray{2, 3}}}}}};
}

Json shape_schema() {
  return JsonObject{{"type", "array"},
                    {"items", JsonObject{{"type", "integer"}, {"minimum", 0}}},
                    {"maxItems", 32},
                    {"examples", JsonArray{JsonArray{2, 3}}}};
}

Json dtype_schema() { return JsonObject{{"type", "string"}, {"enum", dtype_names()}, {"examples", JsonArray{"f32"}}}; }

/// A number where an operation takes one in place of a tensor.
Json scalar_schema() {
  return parse_json(R"({"type":"object","required":["scalar"],"additionalProperties":false,"properties":{
    "scalar":{"anyOf":[{"type":"number"},{"type":"boolean"},{"enum":["inf","-inf","nan"]}]},
    "kind":{"enum":["bool","int","float"]}}})");
}

Json graph_schema() {
  return parse_json(R"({"type":"object","title":"Graph","required":["alknet_graph"],"properties":{
    "alknet_graph":{"const":1,"description":"Version of the format"},
    "dims":{"type":"object","description":"Ranges of named dimensions: {name: {min?, max?}}"},
    "inputs":{"type":"array","description":"{name, dtype, shape}","items":{"type":"object"}},
    "states":{"type":"array","description":"{name, dtype, shape, scope, trainable, init?}","items":{"type":"object"}},
    "constants":{"type":"array","description":"{name, dtype, shape, data}","items":{"type":"object",
      "properties":{"data":{"TypeDef:Bytes":true,"type":"string"}}}},
    "nodes":{"type":"array","description":"{id, op, inputs, attrs, ...}","items":{"type":"object"}},
    "outputs":{"type":"array","description":"{name, value}","items":{"type":"object"}}},
    "examples":[{"alknet_graph":1,"inputs":[{"name":"x","dtype":"f32","shape":["n"]}],
      "nodes":[{"id":"y","op":"mul","inputs":{"input":"x","other":{"scalar":2}},"attrs":{}}],
      "outputs":[{"name":"doubled","value":"y"}]}]})");
}

Json handle_schema() {
  return JsonObject{{"type", "string"},
                    {"format", call::kHandleFormat},
                    {"pattern", "^[hc][1-9][0-9]*$"},
                    {"examples", JsonArray{"h3"}}};
}

Json ids_schema() {
  return JsonObject{
      {"type", "array"},
      {"items", JsonObject{{"type", "string"}, {"format", call::kHandleFormat}, {"pattern", "^c[1-9][0-9]*$"}}},
      {"title", "Handles for the results"},
      {"description",
       "\"c<n>\" for each result, in order, chosen by the caller with rising numbers; without it the "
       "host chooses \"h<n>\""},
      {"examples", JsonArray{JsonArray{"c1"}}}};
}

/// Numbers written as JSON text would lose infinities and the kind, so those have a long form.
Json operand_schema() {
  return JsonObject{{"anyOf", JsonArray{tensor_schema(), JsonObject{{"type", "number"}},
                                        JsonObject{{"type", "boolean"}}, scalar_schema()}}};
}

call::Registration finished(ComputeService& service, call::OperationSpec spec, unsigned errors, call::Handler handler) {
  spec.errors = declared_errors(errors | kCommonErrors);
  const bool model = spec.name_space() == "model";
  spec.access.required_scopes = model ? service.options().model_scopes : service.options().compute_scopes;
  spec.tags.emplace_back(spec.name_space());
  spec.version = "1";
  call::Registration registration;
  registration.spec = std::move(spec);
  registration.handler = std::move(handler);
  return registration;
}

/// Throws the error that is caught, as callers see it.
[[noreturn]] void rethrow_for_callers(const Error& error) {
  if (error.code() != BaseError::kInvalidArgument) throw Error(error);
  throw Error(call::CallError::kInvalidInput, error.message(), error.details());
}

/// Whether the owner of a call has tensors elsewhere.
bool has_worker(ComputeService& service, call::OperationContext& context) {
  if (!service.options().kernel_workers) return false;
  const auto owner = service.known_owner(context);
  return owner && owner->worker;
}

/// Calls `each` for the tensors among the owner's that `value` names anywhere.
void for_each_tensor(call::OperationContext& context, const Json& value,
                     FunctionRef<void(std::shared_ptr<TensorResource>)> each) {
  if (const auto* array = value.if_array()) {
    for (const Json& item : *array) for_each_tensor(context, item, each);
  } else if (const auto* object = value.if_object()) {
    const Json* handle = object->if_contains("$tensor");
    if (handle != nullptr && handle->is_string()) {
      auto found = std::dynamic_pointer_cast<TensorResource>(context.resources().find(handle->get_string()));
      if (found) each(std::move(found));
      return;
    }
    for (const auto& member : *object) for_each_tensor(context, member.value(), each);
  }
}

/// Waits for the calls of the same owner before it that move tensors, and moves those of `input` if it is not null.
Task<void> take_turn(ComputeService& service, call::OperationContext& context, const Json* input) {
  const auto owner = service.owner(context);
  const std::uint64_t number = ++owner->last_move;
  const auto ready = owner->moves.take(number);
  const OwnerState::Turns::Turn turn(owner, owner->moves, number);
  co_await ready->wait();
  if (input == nullptr) co_return;
  std::vector<std::shared_ptr<TensorResource>> elsewhere;
  for_each_tensor(context, *input, [&](std::shared_ptr<TensorResource> tensor) {
    if (tensor->in_worker()) elsewhere.push_back(std::move(tensor));
  });
  for (const auto& tensor : elsewhere) co_await TensorResource::bring(service, owner, tensor);
}

Task<Message> run_guarded(ComputeService& service, Tensors tensors, const call::OnceHandler& handler,
                          call::OperationContext& context, Message input) {
  try {
    if (has_worker(service, context)) {
      co_await take_turn(service, context, tensors == Tensors::kHere ? &input.value : nullptr);
    }
    co_return co_await handler(context, std::move(input));
  } catch (const Error& error) {
    rethrow_for_callers(error);
  }
}

AsyncGenerator<Message> stream_guarded(ComputeService& service, const call::StreamHandler& handler,
                                       call::OperationContext& context, Message input) {
  co_await bring_tensors(service, context, input.value);
  auto items = handler(context, std::move(input));
  while (true) {
    std::optional<Message> item;
    try {
      item = co_await items.next();
    } catch (const Error& error) {
      rethrow_for_callers(error);
    }
    if (!item) co_return;
    co_yield std::move(*item);
  }
}

Json expanded(const Json& value) {
  if (const auto* text = value.if_string(); text != nullptr && text->starts_with("@")) {
    const std::string_view words(text->data() + 1, text->size() - 1);
    const std::size_t space = std::min(words.find(' '), words.size());
    Json named = named_schema(words.substr(0, space));
    if (space < words.size()) named.as_object()["description"] = words.substr(space + 1);
    return named;
  }
  if (const auto* array = value.if_array()) {
    JsonArray all;
    for (const Json& item : *array) all.push_back(expanded(item));
    return all;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return value;
  JsonObject copy;
  for (const auto& [key, each] : *object) copy.emplace(key, expanded(each));
  if (copy.contains("properties") && !copy.contains("additionalProperties")) {
    copy.emplace("type", "object");
    copy.emplace("additionalProperties", false);
  }
  return copy;
}

}  // namespace

const Json& named_schema(std::string_view name) {
  static const std::map<std::string_view, Json> kNamed = {
      {"tensor", tensor_schema()},
      {"operand", operand_schema()},
      {"bytes", JsonObject{{"TypeDef:Bytes", true}, {"type", "string"}}},
      {"dtype", dtype_schema()},
      {"shape", shape_schema()},
      {"handle", handle_schema()},
      {"ids", ids_schema()},
      {"graph", graph_schema()},
      {"type", JsonObject{{"type", "object"},
                          {"properties", JsonObject{{"dtype", dtype_schema()}, {"shape", shape_schema()}}},
                          {"required", JsonArray{"dtype", "shape"}}}}};
  const auto found = kNamed.find(name);
  if (found != kNamed.end()) return found->second;
  throw Error(BaseError::kInternal, fmt::format("[operations] no shared schema \"{}\"", name));
}

Json shared_schema(std::string_view text) { return expanded(parse_json(text)); }

std::vector<call::ErrorSpec> declared_errors(unsigned kinds) {
  std::vector<call::ErrorSpec> errors;
  for (const DeclaredError& each : kDeclaredErrors) {
    if ((each.kinds & kinds) == 0) continue;
    errors.push_back({std::string(each.code), std::string(each.description), JsonObject{}, each.http_status});
  }
  return errors;
}

call::OperationSpec spec_of(const ComputeOperation& operation) {
  call::OperationSpec spec;
  spec.name = operation.name;
  spec.type = operation.type;
  spec.title = operation.title;
  spec.description = operation.description;
  spec.input_schema = shared_schema(operation.input);
  spec.output_schema = shared_schema(operation.output);
  if (operation.timeout.count() > 0) spec.default_timeout = operation.timeout;
  return spec;
}

call::Registration guarded(ComputeService& service, call::OperationSpec spec, unsigned errors,
                           call::OnceHandler handler, Tensors tensors) {
  return finished(service, std::move(spec), errors,
                  call::OnceHandler([&service, tensors, handler = std::move(handler)](call::OperationContext& context,
                                                                                      Message input) {
                    return run_guarded(service, tensors, handler, context, std::move(input));
                  }));
}

Task<void> bring_tensors(ComputeService& service, call::OperationContext& context, const Json& input) {
  if (has_worker(service, context)) co_await take_turn(service, context, &input);
}

call::Registration registration_of(ComputeService& service, const ComputeOperation& operation,
                                   call::OnceHandler handler) {
  return guarded(service, spec_of(operation), operation.errors, std::move(handler), operation.tensors);
}

call::Registration guarded(ComputeService& service, call::OperationSpec spec, unsigned errors,
                           call::StreamHandler handler) {
  return finished(
      service, std::move(spec), errors,
      call::StreamHandler([&service, handler = std::move(handler)](call::OperationContext& context, Message input) {
        return stream_guarded(service, handler, context, std::move(input));
      }));
}

call::Registration registration_of(ComputeService& service, const ComputeOperation& operation,
                                   call::StreamHandler handler) {
  return guarded(service, spec_of(operation), operation.errors, std::move(handler));
}

std::vector<call::Registration> registrations_of(ComputeService& service, std::initializer_list<ComputeEntry> entries) {
  std::vector<call::Registration> all;
  for (const ComputeEntry& entry : entries) {
    all.push_back(registration_of(service, entry.operation,
                                  [&service, handle = entry.handle](call::OperationContext& context, Message input) {
                                    return handle(service, context, std::move(input));
                                  }));
  }
  return all;
}

}  // namespace alknet::compute
