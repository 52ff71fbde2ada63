#include "alknet/net/import/openapi_operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "alknet/call/error.h"
#include "alknet/net/import/names.h"
#include "alknet/net/import/openapi_media.h"

namespace alknet::net {

namespace {

struct StyleName {
  std::string_view name;
  ParameterStyle style;
};
constexpr std::array kStyles{
    StyleName{"simple", ParameterStyle::kSimple},
    StyleName{"label", ParameterStyle::kLabel},
    StyleName{"matrix", ParameterStyle::kMatrix},
    StyleName{"form", ParameterStyle::kForm},
    StyleName{"spaceDelimited", ParameterStyle::kSpaceDelimited},
    StyleName{"pipeDelimited", ParameterStyle::kPipeDelimited},
    StyleName{"deepObject", ParameterStyle::kDeepObject},
};

struct PlaceName {
  std::string_view name;
  ParameterPlace place;
  ParameterStyle usual;
};
constexpr std::array kPlaces{
    PlaceName{"path", ParameterPlace::kPath, ParameterStyle::kSimple},
    PlaceName{"query", ParameterPlace::kQuery, ParameterStyle::kForm},
    PlaceName{"header", ParameterPlace::kHeader, ParameterStyle::kSimple},
    PlaceName{"cookie", ParameterPlace::kCookie, ParameterStyle::kForm},
};

ParameterStyle style_of(const OpenApiDocument& document, const DocumentPlace& place, ParameterStyle usual) {
  const std::string name = document.text(place, "style");
  const auto found = std::find_if(kStyles.begin(), kStyles.end(), [&](const StyleName& s) { return s.name == name; });
  return found == kStyles.end() ? usual : found->style;
}

bool explode_of(const DocumentPlace& place, ParameterStyle style) {
  const auto* explode = place.value->get_object().if_contains("explode");
  return explode != nullptr && explode->is_bool() ? explode->get_bool() : style == ParameterStyle::kForm;
}

/// Whether a member of a multipart form is a file: 3.0 says `format: binary`, 3.1 has no type or a media type.
bool is_binary(const Json& schema, bool is_3_0) {
  if (!schema.is_object()) return false;
  const JsonObject& object = schema.get_object();
  const auto text = [&](std::string_view name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
  };
  if (text("format") == "binary") return true;
  if (is_3_0 || object.contains("contentEncoding")) return false;
  const std::string_view media = text("contentMediaType");
  return !media.empty() && kind_of(media) == MediaKind::kBinary;
}

}  // namespace

std::vector<DocumentPlace> OperationReader::merged_parameters() const {
  const auto key = [&](const DocumentPlace& place) {
    return std::pair(document_.text(place, "in"), document_.text(place, "name"));
  };
  std::vector<DocumentPlace> all;
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto& holder : {operation_, path_item_}) {
    for (auto& place : document_.items(document_.member(holder, "parameters"))) {
      if (seen.insert(key(place)).second) all.push_back(std::move(place));
    }
  }
  return all;
}

std::string OperationReader::input_name(const std::string& name, std::string_view place, bool has_body) {
  if (!(has_body && name == "body") && used_names_.insert(name).second) return name;
  return fresh_name(used_names_, fmt::format("{}_{}", place, name));
}

void OperationReader::add_parameter(const DocumentPlace& place, HttpEndpoint& endpoint, SchemaTranslator& translator,
                                    JsonObject& properties, JsonArray& required) {
  HttpParameter parameter;
  parameter.name = document_.text(place, "name");
  const std::string in = document_.text(place, "in");
  const auto where = std::find_if(kPlaces.begin(), kPlaces.end(), [&](const PlaceName& p) { return p.name == in; });
  if (parameter.name.empty() || where == kPlaces.end()) {
    OpenApiDocument::fail(place.pointer, "needs a `name`, and an `in` of path, query, header or cookie");
  }
  parameter.place = where->place;
  if (parameter.place == ParameterPlace::kHeader && (is_reserved_header(parameter.name) || !is_token(parameter.name))) {
    work_.note(fmt::format("{}: the header {} is not a parameter's to set", place.pointer, parameter.name));
    return;
  }
  parameter.style = style_of(document_, place, where->usual);
  parameter.explode = explode_of(place, parameter.style);
  parameter.allow_reserved = document_.flag(place, "allowReserved");
  parameter.input = input_name(parameter.name, in, endpoint.body.form != BodyForm::kNone);

  Json schema = JsonObject{};
  const auto media = media_of(document_, place);
  if (!media.empty()) {
    if (media[0].kind == MediaKind::kJson) parameter.style = ParameterStyle::kJson;
    schema = schema_of(document_, media[0].place, translator);
  } else {
    schema = schema_of(document_, place, translator);
  }
  const std::string description = document_.text(place, "description");
  if (schema.is_object() && !description.empty()) schema.get_object().emplace("description", description);
  properties[parameter.input] = std::move(schema);
  if (parameter.place == ParameterPlace::kPath || document_.flag(place, "required")) {
    required.push_back(Json(parameter.input));
  }
  endpoint.parameters.push_back(std::move(parameter));
}

Json OperationReader::form_schema(const DocumentPlace& media, HttpBody& body, SchemaTranslator& translator) {
  const auto schema = document_.member(media, "schema");
  if (!schema) return JsonObject{{"type", "object"}};
  Json written_form = *schema.value;
  if (written_form.is_object()) written_form.get_object().erase("nullable");  // a form is never null
  Json translated = translator.translate(written_form, schema.pointer);
  std::map<std::string, HttpPart> parts;
  const auto part = [&](const std::string& name) -> HttpPart& {
    HttpPart& made = parts[name];
    made.name = name;
    return made;
  };
  const bool multipart = body.form == BodyForm::kMultipart;
  const auto properties = schema.value->is_object() ? document_.member(schema, "properties") : DocumentPlace();
  for (const auto& [name, place] : document_.members(properties)) {
    const auto property = document_.follow(place);
    if (!multipart || !property.value->is_object()) continue;
    const auto* items = property.value->get_object().if_contains("items");
    const auto item = items != nullptr && items->is_object() ? document_.member(property, "items") : DocumentPlace();
    Json& written = translated.get_object().at("properties").get_object().at(name);
    if (is_binary(*property.value, document_.is_3_0())) {
      written = bytes_schema(document_.text(property, "description"));
    } else if (item && is_binary(*item.value, document_.is_3_0())) {
      written = JsonObject{{"type", "array"}, {"items", bytes_schema()}};
    } else {
      continue;
    }
    part(name).bytes = true;
  }
  for (const auto& [name, place] : document_.members(document_.member(media, "encoding"))) {
    const auto encoding = document_.follow(place);
    HttpPart& made = part(name);
    const std::string type = document_.text(encoding, "contentType");
    made.content_type = concrete_type(media_type(type.substr(0, type.find(','))), "");
    if (made.content_type.find_first_of("\r\n") != std::string::npos) {
      OpenApiDocument::fail(encoding.pointer, "has a `contentType` with line breaks");
    }
    const bool json = !multipart && is_json_type(made.content_type);
    made.style = json ? ParameterStyle::kJson : style_of(document_, encoding, ParameterStyle::kForm);
    made.explode = explode_of(encoding, made.style);
    made.allow_reserved = document_.flag(encoding, "allowReserved");
  }
  for (auto& [name, made] : parts) body.parts.push_back(std::move(made));
  return translated;
}

void OperationReader::add_body(const DocumentPlace& place, HttpEndpoint& endpoint, SchemaTranslator& translator,
                               JsonObject& properties, JsonArray& required) {
  const auto media = media_of(document_, place);
  if (media.empty()) return;
  const Media& chosen = media[0];
  HttpBody& body = endpoint.body;
  Json schema = JsonObject{};
  switch (chosen.kind) {
    case MediaKind::kJson:
      body.form = BodyForm::kJson;
      body.content_type = concrete_type(chosen.type, "application/json");
      schema = schema_of(document_, chosen.place, translator);
      break;
    case MediaKind::kMultipart:
    case MediaKind::kForm:
      body.form = chosen.kind == MediaKind::kForm ? BodyForm::kForm : BodyForm::kMultipart;
      body.content_type = chosen.type;
      schema = form_schema(chosen.place, body, translator);
      break;
    case MediaKind::kText:
    case MediaKind::kEvents:
      body.form = BodyForm::kText;
      body.content_type = concrete_type(chosen.type, "text/plain");
      schema = JsonObject{{"type", "string"}};
      break;
    case MediaKind::kBinary:
      body.form = BodyForm::kBytes;
      body.content_type = concrete_type(chosen.type, "application/octet-stream");
      schema = bytes_schema();
      break;
  }
  const auto slash = body.content_type.find('/');
  const bool media_name = slash != std::string::npos &&
                          is_token(std::string_view(body.content_type).substr(0, slash)) &&
                          is_token(std::string_view(body.content_type).substr(slash + 1));
  if (!media_name) OpenApiDocument::fail(chosen.place.pointer, "is no media type");
  const std::string description = document_.text(place, "description");
  if (schema.is_object() && !description.empty()) schema.get_object().emplace("description", description);
  properties[body.input] = std::move(schema);
  if (document_.flag(place, "required")) required.push_back(Json(body.input));
}

/// Documents forget to declare parameters that the path has; they are strings then.
void OperationReader::add_undeclared_path_parameters(HttpEndpoint& endpoint, JsonObject& properties,
                                                     JsonArray& required) {
  std::string_view rest = endpoint.path;
  while (true) {
    const auto open = rest.find('{');
    const auto close = rest.find('}', open == std::string_view::npos ? open : open + 1);
    if (open == std::string_view::npos || close == std::string_view::npos) return;
    const std::string name(rest.substr(open + 1, close - open - 1));
    rest = rest.substr(close + 1);
    const bool declared =
        std::any_of(endpoint.parameters.begin(), endpoint.parameters.end(),
                    [&](const HttpParameter& p) { return p.place == ParameterPlace::kPath && p.name == name; });
    if (declared) continue;
    HttpParameter parameter;
    parameter.name = name;
    parameter.place = ParameterPlace::kPath;
    parameter.style = ParameterStyle::kSimple;
    parameter.input = input_name(name, "path", endpoint.body.form != BodyForm::kNone);
    properties[parameter.input] = JsonObject{{"type", "string"}};
    required.push_back(Json(parameter.input));
    work_.note(fmt::format("{}: the path parameter {} is not declared; it is a string", operation_.pointer, name));
    endpoint.parameters.push_back(std::move(parameter));
  }
}

Json OperationReader::read_input(HttpEndpoint& endpoint) {
  SchemaTranslator translator(work_, SchemaSide::kRequest);
  JsonObject body_property;
  JsonArray body_required;
  if (const auto body = document_.member(operation_, "requestBody")) {
    add_body(body, endpoint, translator, body_property, body_required);
  }
  JsonObject properties;
  JsonArray required;
  for (const auto& place : merged_parameters()) add_parameter(place, endpoint, translator, properties, required);
  add_undeclared_path_parameters(endpoint, properties, required);
  for (auto& [name, schema] : body_property) properties[name] = std::move(schema);
  for (Json& name : body_required) required.push_back(std::move(name));
  JsonObject input{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) input["required"] = std::move(required);
  input["additionalProperties"] = false;
  return translator.finish(std::move(input));
}

}  // namespace alknet::net
