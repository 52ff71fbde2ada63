#include "alknet/net/mcp/tool_import.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "alknet/call/error.h"
#include "alknet/net/import/http_endpoint.h"
#include "alknet/net/import/schema_translator.h"

namespace alknet::net::mcp {

namespace {

/// The text blocks of a tool's content joined by line breaks; nothing when there are others or none.
std::optional<std::string> only_text(const JsonArray& content) {
  std::string text;
  for (const Json& block : content) {
    const auto* object = block.if_object();
    const auto* type = object == nullptr ? nullptr : object->if_contains("type");
    const auto* part = object == nullptr ? nullptr : object->if_contains("text");
    if (type == nullptr || *type != Json("text") || part == nullptr || !part->is_string()) return std::nullopt;
    if (!text.empty()) text += '\n';
    text += std::string_view(part->get_string());
  }
  return content.empty() ? std::nullopt : std::optional(std::move(text));
}

Json own_schema(const Json& schema, SchemaSide side, std::vector<std::string>& notes) {
  ImportWork work{schema};
  SchemaTranslator translator(work, side);
  Json translated = translator.translate(schema, "");
  translated = translator.finish(std::move(translated));
  notes.insert(notes.end(), work.notes.begin(), work.notes.end());
  return translated;
}

}  // namespace

std::string text_of(const JsonObject& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

Message tool_answer(const std::string& tool, const Json& result) {
  const auto* object = result.if_object();
  if (object == nullptr)
    throw Error(call::CallError::kTransport, fmt::format("[mcp] {}: the result is no object", tool));
  const auto* content = object->if_contains("content");
  const JsonArray blocks = content != nullptr && content->is_array() ? content->get_array() : JsonArray{};
  const auto text = only_text(blocks);
  const auto* structured = object->if_contains("structuredContent");
  const auto* failed = object->if_contains("isError");
  if (failed != nullptr && *failed == Json(true)) {
    JsonObject details;
    details.emplace("content", blocks);
    if (structured != nullptr) details.emplace("structuredContent", *structured);
    throw call::domain_error("TOOL_ERROR", text ? text->substr(0, 1'000) : tool + " failed", std::move(details));
  }
  Message answer;
  if (structured != nullptr && structured->is_object()) {
    answer.value = *structured;
  } else if (text) {
    answer.value = *text;
  } else {
    JsonObject all;
    all.emplace("content", blocks);
    answer.value = std::move(all);
  }
  return answer;
}

call::OperationSpec tool_spec(const JsonObject& tool, std::string name, std::vector<std::string>& notes) {
  call::OperationSpec spec;
  spec.name = std::move(name);
  spec.type = call::OperationType::kMutation;
  spec.title = text_of(tool, "title");
  const auto* annotations = tool.if_contains("annotations");
  if (spec.title.empty() && annotations != nullptr && annotations->is_object()) {
    spec.title = text_of(annotations->get_object(), "title");
  }
  spec.description = text_of(tool, "description");
  const auto* input = tool.if_contains("inputSchema");
  spec.input_schema =
      input == nullptr ? Json(JsonObject{{"type", "object"}}) : own_schema(*input, SchemaSide::kRequest, notes);
  if (const auto* output = tool.if_contains("outputSchema")) {
    spec.output_schema = own_schema(*output, SchemaSide::kAnswer, notes);
  }
  const Json any = JsonObject{};
  spec.errors = adapter_errors();
  spec.errors.push_back({"TOOL_ERROR", "The tool failed; details have its content.", any, 502});
  spec.errors.push_back({"MCP_ERROR", "The server answered an error of the protocol.", any, 502});
  return spec;
}

}  // namespace alknet::net::mcp
