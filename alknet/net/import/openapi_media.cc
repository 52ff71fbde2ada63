#include "alknet/net/import/openapi_media.h"

#include <algorithm>
#include <array>

#include "alknet/net/import/names.h"

namespace alknet::net {

MediaKind kind_of(std::string_view type) {
  constexpr std::array<std::string_view, 6> kTextTypes{"application/xml",        "application/yaml",
                                                       "application/x-yaml",     "application/x-ndjson",
                                                       "application/javascript", "application/graphql"};
  if (is_json_type(type) || type == "*/*" || type == "application/*") return MediaKind::kJson;
  if (type == "text/event-stream") return MediaKind::kEvents;
  if (type == "multipart/form-data") return MediaKind::kMultipart;
  if (type == "application/x-www-form-urlencoded") return MediaKind::kForm;
  const bool text = type.starts_with("text/") || type.ends_with("+xml") || type.ends_with("+yaml") ||
                    std::find(kTextTypes.begin(), kTextTypes.end(), type) != kTextTypes.end();
  return text ? MediaKind::kText : MediaKind::kBinary;
}

std::string concrete_type(std::string_view type, std::string_view usual) {
  return type.find('*') == std::string_view::npos ? std::string(type) : std::string(usual);
}

Json bytes_schema(std::string_view description) {
  JsonObject schema{{"TypeDef:Bytes", true}};
  if (!description.empty()) schema["description"] = description;
  return schema;
}

std::vector<Media> media_of(const OpenApiDocument& document, const DocumentPlace& holder) {
  static const Json kNothingSaid = JsonObject{};
  std::vector<Media> all;
  for (const auto& [name, place] : document.members(document.member(holder, "content"))) {
    const std::string type = media_type(name);
    auto media = document.follow(place);
    // YAML documents often name a media type and say nothing of it.
    if (media.value->is_null()) media.value = &kNothingSaid;
    if (!media.value->is_object()) OpenApiDocument::fail(media.pointer, "must be an object");
    all.push_back({type, kind_of(type), std::move(media)});
  }
  std::stable_sort(all.begin(), all.end(), [](const Media& a, const Media& b) { return a.kind < b.kind; });
  return all;
}

Json schema_of(const OpenApiDocument& document, const DocumentPlace& holder, SchemaTranslator& translator) {
  const auto schema = document.written(holder, "schema");
  return schema ? translator.translate(*schema.value, schema.pointer) : Json(JsonObject{});
}

}  // namespace alknet::net
