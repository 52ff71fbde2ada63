#include "alknet/compute/operations/tensor_operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "alknet/base/await.h"
#include "alknet/compute/operations/eager_call.h"
#include "alknet/compute/operations/spec.h"

namespace alknet::compute {
namespace {

/// A parameter's schema for calls now: sizes are numbers, not expressions of dimensions.
Json eager_schema(const graph::OpParameter& parameter) {
  JsonObject schema = parameter.schema.as_object();
  schema.erase("dim");
  if (!parameter.dimensions) return schema;
  const auto without_text = [](JsonObject& object) {
    Json* type = object.if_contains("type");
    if (type == nullptr || !type->is_array()) return;
    JsonArray kept;
    for (const Json& one : type->get_array()) {
      if (one != Json("string")) kept.push_back(one);
    }
    *type = kept.size() == 1 ? kept.front() : Json(std::move(kept));
  };
  without_text(schema);
  if (Json* items = schema.if_contains("items"); items != nullptr && items->is_object()) {
    without_text(items->as_object());
  }
  return schema;
}

std::string dtypes_text(const graph::OpInput& input) {
  std::string text;
  for (const Dtype dtype : input.dtypes) text += (text.empty() ? "" : ", ") + std::string(graph::dtype_name(dtype));
  return text;
}

/// Whether a number may stand in place of the tensor; one operand must be a tensor.
bool takes_numbers(const OpSpec& op, const graph::OpInput& input) {
  return op.inputs.size() > 1 && !input.variadic && input.name != graph::kRandomState &&
         (op.elementwise() || op.composite());
}

Json operand_schema(const OpSpec& op, const graph::OpInput& input) {
  Json schema = named_schema(takes_numbers(op, input) ? "operand" : "tensor");
  if (input.variadic) schema = JsonObject{{"type", "array"}, {"items", std::move(schema)}};
  if (input.optional) schema = JsonObject{{"anyOf", JsonArray{std::move(schema), JsonObject{{"type", "null"}}}}};
  JsonObject& object = schema.as_object();
  object["title"] = input.name;
  object["description"] = input.name == graph::kRandomState
                              ? std::string("Seed and step as u32 [4]; without it the caller's own next numbers")
                              : "After promotion one of: " + dtypes_text(input);
  return schema;
}

Json input_schema(const OpSpec& op) {
  JsonObject properties;
  JsonArray required;
  for (const graph::OpInput& input : op.inputs) {
    properties.emplace(input.name, operand_schema(op, input));
    if (!input.optional && input.name != graph::kRandomState) required.emplace_back(input.name);
  }
  for (const graph::OpParameter& parameter : op.parameters) {
    properties.emplace(parameter.name, eager_schema(parameter));
    if (!parameter.default_value) required.emplace_back(parameter.name);
  }
  properties.emplace("no_grad", JsonObject{{"type", "boolean"},
                                           {"default", false},
                                           {"description", "Do not record the call for `compute/backward`"}});
  properties.emplace("ids", named_schema("ids"));
  return JsonObject{{"type", "object"},
                    {"properties", std::move(properties)},
                    {"required", std::move(required)},
                    {"additionalProperties", false}};
}

Json output_schema(const OpSpec& op) {
  if (op.outputs.front().variadic) return JsonObject{{"type", "array"}, {"items", named_schema("tensor")}};
  if (op.outputs.size() == 1) return named_schema("tensor");
  JsonObject properties;
  JsonArray required;
  for (const auto& output : op.outputs) {
    properties.emplace(output.name,
                       JsonObject{{"anyOf", JsonArray{named_schema("tensor"), JsonObject{{"type", "null"}}}}});
    required.emplace_back(output.name);
  }
  return JsonObject{{"type", "object"},
                    {"properties", std::move(properties)},
                    {"required", std::move(required)},
                    {"additionalProperties", false}};
}

Json output_json(const OpSpec& op, JsonArray handles) {
  if (op.outputs.front().variadic) return handles;
  if (op.outputs.size() == 1) return handles.front();
  JsonObject named;
  for (std::size_t i = 0; i < op.outputs.size(); ++i) named.emplace(op.outputs[i].name, std::move(handles[i]));
  return named;
}

Task<Message> call_operation(ComputeService& service, const OpSpec& op, call::OperationContext& context,
                             Message input) {
  const JsonObject& object = members(input);
  const auto ids = ids_of(object);
  const Room room = room_of(context);
  auto work = [&service, room, owner = service.owner(context), call = read_call(context, op, object)] {
    return run_call(service, *owner, call, room);
  };
  const auto results = co_await run_on(service.compute(), std::move(work));
  co_return Message{output_json(op, keep_tensors(context, results, ids)), {}};
}

call::OperationSpec spec_of(const OpSpec& op) {
  call::OperationSpec spec;
  spec.name = "tensor/" + op.name;
  spec.type = call::OperationType::kMutation;
  spec.title = op.name;
  spec.description = op.doc;
  spec.input_schema = input_schema(op);
  spec.output_schema = output_schema(op);
  return spec;
}

}  // namespace

std::vector<call::Registration> tensor_operations(ComputeService& service) {
  std::vector<call::Registration> registrations;
  for (const OpSpec& op : graph::OpTable::builtin().ops()) {
    registrations.push_back(guarded(service, spec_of(op), kCommonErrors | kOperationErrors,
                                    [&service, &op](call::OperationContext& context, Message input) {
                                      return call_operation(service, op, context, std::move(input));
                                    }));
  }
  return registrations;
}

}  // namespace alknet::compute
