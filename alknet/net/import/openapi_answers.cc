#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "alknet/call/error.h"
#include "alknet/net/import/openapi_media.h"
#include "alknet/net/import/openapi_operation.h"

// What the answers of an operation become: its output schema and its errors.

namespace alknet::net {

namespace {

/// "4xx" as "4XX"; nothing for what is no status.
std::optional<std::string> status_key(std::string_view key) {
  if (key == "default") return "default";
  std::string status = call::capitals(key);
  const bool first = status.size() == 3 && status[0] >= '1' && status[0] <= '5';
  const bool digits = first && status[1] >= '0' && status[1] <= '9' && status[2] >= '0' && status[2] <= '9';
  if (!digits && !(first && status.ends_with("XX"))) return std::nullopt;
  return status;
}

int http_status_of(const std::string& status) {
  const bool error = status[0] == '4' || status[0] == '5';
  if (!error) return 502;
  return status.ends_with("XX") ? (status[0] - '0') * 100 : std::stoi(status);
}

Json either(std::vector<Json> schemas) {
  std::vector<Json> distinct;
  for (Json& schema : schemas) {
    if (std::find(distinct.begin(), distinct.end(), schema) == distinct.end()) distinct.push_back(std::move(schema));
  }
  if (distinct.empty()) return JsonObject{};
  if (distinct.size() == 1) return std::move(distinct[0]);
  JsonArray alternatives;
  for (Json& schema : distinct) alternatives.push_back(std::move(schema));
  return JsonObject{{"anyOf", std::move(alternatives)}};
}

}  // namespace

struct OperationReader::Answers {
  std::vector<Json> json;
  std::vector<Json> events;
  bool text = false;
  bool binary = false;
  bool nothing = false;  // a status without a body
  bool unknown = false;  // no content is declared where there may be one
  std::set<std::string> json_types;
  std::set<std::string> other_types;
};

void OperationReader::read_success(const DocumentPlace& answer, bool empty_status, SchemaTranslator& translator,
                                   Answers& found) {
  const auto media = media_of(document_, answer);
  if (media.empty()) (empty_status ? found.nothing : found.unknown) = true;
  for (const Media& each : media) {
    if (each.kind == MediaKind::kJson) {
      found.json.push_back(schema_of(document_, each.place, translator));
      found.json_types.insert(concrete_type(each.type, "application/json"));
    } else if (each.kind == MediaKind::kEvents) {
      found.events.push_back(schema_of(document_, each.place, translator));
    } else {
      (each.kind == MediaKind::kBinary ? found.binary : found.text) = true;
      found.other_types.insert(each.type);
    }
  }
}

call::ErrorSpec OperationReader::read_error(const std::string& status, const DocumentPlace& answer) {
  call::ErrorSpec error;
  error.code = http_error_code(status);
  error.description = document_.text(answer, "description");
  error.http_status = http_status_of(status);
  for (const Media& media : media_of(document_, answer)) {
    if (media.kind != MediaKind::kJson) continue;
    if (!document_.written(media.place, "schema")) continue;
    SchemaTranslator translator(work_, SchemaSide::kAnswer);
    Json translated = schema_of(document_, media.place, translator);
    error.schema = translator.finish(std::move(translated));
    break;
  }
  return error;
}

Json OperationReader::read_answers(HttpEndpoint& endpoint, std::vector<call::ErrorSpec>& errors) {
  SchemaTranslator translator(work_, SchemaSide::kAnswer);
  Answers found;
  bool any_success = false;
  DocumentPlace usual;
  for (const auto& [key, place] : document_.members(document_.member(operation_, "responses"))) {
    if (key.starts_with("x-")) continue;
    const auto status = status_key(key);
    const auto answer = document_.follow(place);
    if (!status) {
      work_.note(fmt::format("{}: this is no status", place.pointer));
      continue;
    }
    if ((*status)[0] == '2') {
      any_success = true;
      read_success(answer, *status == "204" || *status == "205", translator, found);
      continue;
    }
    if (*status == "default") usual = answer;
    if (std::find(endpoint.error_statuses.begin(), endpoint.error_statuses.end(), *status) !=
        endpoint.error_statuses.end()) {
      continue;
    }
    endpoint.error_statuses.push_back(*status);
    errors.push_back(read_error(*status, answer));
  }
  if (!any_success && usual) read_success(usual, false, translator, found);
  return answer_schema(found, endpoint, translator);
}

Json OperationReader::answer_schema(const Answers& found, HttpEndpoint& endpoint, SchemaTranslator& translator) const {
  const auto accept = [](const std::set<std::string>& types) {
    std::string text;
    for (const std::string& type : types) text += (text.empty() ? "" : ", ") + type;
    return text;
  };
  if (found.json.empty() && !found.events.empty()) {
    endpoint.answer = AnswerForm::kEvents;
    endpoint.accept = "text/event-stream";
    return translator.finish(either(found.events));
  }
  if (found.json.empty() && found.binary && !found.text) {
    endpoint.answer = AnswerForm::kBytes;
    endpoint.accept = accept(found.other_types);
    return bytes_schema();
  }
  endpoint.accept = accept(found.json.empty() ? found.other_types : found.json_types);
  if (found.unknown) return JsonObject{};
  std::vector<Json> schemas = found.json;
  if (found.text) schemas.emplace_back(JsonObject{{"type", "string"}});
  if (found.nothing) schemas.emplace_back(JsonObject{{"type", "null"}});
  Json schema = either(std::move(schemas));
  return translator.finish(std::move(schema));
}

}  // namespace alknet::net
