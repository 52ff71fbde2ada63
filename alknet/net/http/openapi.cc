#include "alknet/net/http/openapi.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/net/http/gateway_errors.h"
#include "alknet/schema/schema.h"

namespace alknet::net {

namespace {

using call::OperationSpec;
using call::OperationType;

constexpr std::string_view kError = R"({
  "type": "object",
  "properties": {
    "error": {
      "type": "object",
      "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "retryable": {"type": "boolean"},
        "details": {}
      },
      "required": ["code", "message"]
    }
  },
  "required": ["error"]
})";

constexpr std::string_view kCall = R"({
  "type": "object",
  "properties": {
    "operation": {"type": "string", "description": "namespace/name"},
    "input": {"description": "conforms to the operation's input schema"},
    "timeout_ms": {"type": "integer", "minimum": 1}
  },
  "required": ["operation"]
})";

/// The gateway's own paths.
constexpr std::string_view kPaths = R"({
  "/search": {"get": {
    "operationId": "gateway.search", "summary": "Lists the operations that the caller may call",
    "parameters": [{"name": "q", "in": "query", "required": false, "schema": {"type": "string"}}],
    "responses": {"200": {"description": "the operations", "content": {"application/json": {"schema": {"type": "object"}}}}}}},
  "/schema": {"get": {
    "operationId": "gateway.schema", "summary": "The full specification of an operation",
    "parameters": [{"name": "name", "in": "query", "required": true, "schema": {"type": "string"}}],
    "responses": {"200": {"description": "the specification", "content": {"application/json": {"schema": {"type": "object"}}}}}}},
  "/call": {"post": {
    "operationId": "gateway.call", "summary": "Calls a query or mutation",
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/gateway.Call"}}}},
    "responses": {"200": {"description": "the output", "content": {"application/json": {"schema": {"type": "object", "properties": {"output": {}}}}}}}}},
  "/batch": {"post": {
    "operationId": "gateway.batch", "summary": "Calls several operations; the answers come in order",
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/gateway.Call"}}}}},
    "responses": {"200": {"description": "an output or error for each", "content": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}}}}},
  "/subscribe": {"get": {
    "operationId": "gateway.subscribe", "summary": "Subscribes: events message, completed, error",
    "parameters": [{"name": "operation", "in": "query", "required": true, "schema": {"type": "string"}},
                   {"name": "input", "in": "query", "required": false, "schema": {"type": "string"}, "description": "JSON text"}],
    "responses": {"200": {"description": "the events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}}}}
})";

/// Points every `$ref` of a lowered schema, all of which are pointers into itself, to where it stands in the document.
void rebase(Json& value, const std::string& root) {
  if (auto* array = value.if_array()) {
    for (Json& item : *array) rebase(item, root);
    return;
  }
  auto* object = value.if_object();
  if (object == nullptr) return;
  for (auto& [key, member] : *object) {
    if (key == "const" || key == "enum" || key == "default" || key == "examples") continue;
    if (key == "$ref" && member.is_string()) {
      const std::string_view text = member.get_string();
      if (text.starts_with('#')) member = root + std::string(text.substr(1));
    } else {
      rebase(member, root);
    }
  }
}

Json standard_schema(const Json& schema, const std::string& component) {
  Json lowered;
  try {
    lowered = schema::Schema::from_json(schema).lowered();
  } catch (const Error& error) {
    if (error.code() != BaseError::kUnsupported) throw;
    return JsonObject{{"description", "a schema that standard keywords cannot say"}};
  }
  if (auto* object = lowered.if_object()) {
    object->erase("$schema");
    object->erase("$id");
  }
  rebase(lowered, "#/components/schemas/" + component);
  return lowered;
}

class Document {
 public:
  Document(const call::OperationMap& operations, const std::optional<call::Identity>& anonymous)
      : anonymous_(anonymous) {
    schemas_["gateway.Error"] = parse_json(kError);
    schemas_["gateway.Call"] = parse_json(kCall);
    paths_ = parse_json(kPaths).as_object();
    for (const auto& [name, operation] : operations) add(operation->spec());
  }

  Json finish(const std::string& title, const std::string& version) && {
    return JsonObject{
        {"openapi", "3.1.0"},
        {"info", JsonObject{{"title", title}, {"version", version}}},
        {"paths", std::move(paths_)},
        {"components",
         JsonObject{{"schemas", std::move(schemas_)},
                    {"securitySchemes", JsonObject{{"bearer", JsonObject{{"type", "http"}, {"scheme", "bearer"}}}}}}}};
  }

 private:
  void add(const OperationSpec& spec) {
    std::string component = spec.name;
    std::replace(component.begin(), component.end(), '/', '.');
    schemas_[component + ".input"] = standard_schema(spec.input_schema, component + ".input");
    schemas_[component + ".output"] = standard_schema(spec.output_schema, component + ".output");
    const bool streams = spec.type == OperationType::kSubscription;
    JsonObject item = describe(spec, component);
    const Json input = reference(component + ".input");
    if (streams) {
      item["parameters"] =
          JsonArray{JsonObject{{"name", "input"},
                               {"in", "query"},
                               {"content", JsonObject{{"application/json", JsonObject{{"schema", input}}}}}}};
    } else {
      item["requestBody"] =
          JsonObject{{"required", true}, {"content", JsonObject{{"application/json", JsonObject{{"schema", input}}}}}};
    }
    item["responses"] = responses(spec, component, streams);
    const std::string path = (streams ? "/subscribe/" : "/call/") + spec.name;
    paths_[path] = JsonObject{{streams ? "get" : "post", std::move(item)}};
  }

  JsonObject describe(const OperationSpec& spec, const std::string& component) const {
    JsonObject item{{"operationId", component}};
    if (!spec.title.empty()) item["summary"] = spec.title;
    if (!spec.description.empty()) item["description"] = spec.description;
    JsonArray tags;
    for (const auto& tag : spec.tags) tags.emplace_back(tag);
    if (tags.empty()) tags.emplace_back(std::string(spec.name_space()));
    item["tags"] = std::move(tags);
    if (!spec.access.open()) {
      JsonArray scopes;
      for (const auto& scope : spec.access.required_scopes) scopes.emplace_back(scope);
      JsonArray security{JsonObject{{"bearer", std::move(scopes)}}};
      if (call::may_access(spec.access, anonymous_)) security.push_back(JsonObject{});
      item["security"] = std::move(security);
    }
    return item;
  }

  static Json reference(const std::string& component) {
    return JsonObject{{"$ref", "#/components/schemas/" + component}};
  }

  static JsonObject responses(const OperationSpec& spec, const std::string& component, bool streams) {
    JsonObject all;
    if (streams) {
      all["200"] = JsonObject{
          {"description", "events message, whose data conform to " + component + ".output, then completed or error"},
          {"content", JsonObject{{"text/event-stream", JsonObject{{"schema", JsonObject{{"type", "string"}}}}}}}};
    } else {
      const Json body = JsonObject{{"type", "object"},
                                   {"properties", JsonObject{{"output", reference(component + ".output")}}},
                                   {"required", JsonArray{"output"}}};
      all["200"] = JsonObject{{"description", "the output"},
                              {"content", JsonObject{{"application/json", JsonObject{{"schema", body}}}}}};
    }
    std::map<int, std::string> errors;
    for (const auto& error : spec.errors) {
      std::string& text = errors[error.http_status];
      text += (text.empty() ? "" : "; ") + error.code + (error.description.empty() ? "" : ": " + error.description);
    }
    errors.erase(200);
    const JsonObject content{{"application/json", JsonObject{{"schema", reference("gateway.Error")}}}};
    for (const auto& [status, text] : errors) {
      all[std::to_string(status)] = JsonObject{{"description", text}, {"content", content}};
    }
    all["default"] = JsonObject{{"description", "an error of the protocol"}, {"content", content}};
    return all;
  }

  const std::optional<call::Identity>& anonymous_;
  JsonObject schemas_;
  JsonObject paths_;
};

}  // namespace

Json openapi_document(const call::OperationMap& operations, const std::optional<call::Identity>& anonymous,
                      const std::string& title, const std::string& version) {
  return Document(operations, anonymous).finish(title, version);
}

}  // namespace alknet::net
