#include "alknet/schema/header_schema.h"

#include "alknet/schema/file_schema.h"
#include "alknet/schema/places.h"

namespace alknet::schema {
namespace {

constexpr std::string_view kMetadata = "__metadata__";

Json any_count() { return JsonObject{{"type", "integer"}, {"minimum", 0}}; }

Json shape_schema(const std::vector<std::int64_t>& shape) {
  JsonObject out{{"type", "array"}};
  JsonArray dims;
  for (const auto dim : shape) dims.push_back(dim < 0 ? any_count() : Json(JsonObject{{"const", dim}}));
  if (!dims.empty()) out["prefixItems"] = std::move(dims);  // which the standard wants not to be empty
  out["minItems"] = shape.size();
  out["maxItems"] = shape.size();
  return out;
}

Json entry_schema(Json dtype, Json shape) {
  JsonObject offsets{{"type", "array"}, {"items", any_count()}, {"minItems", 2}, {"maxItems", 2}};
  return JsonObject{
      {"type", "object"},
      {"properties",
       JsonObject{{"dtype", std::move(dtype)}, {"shape", std::move(shape)}, {"data_offsets", std::move(offsets)}}},
      {"required", JsonArray{"dtype", "shape", "data_offsets"}},
      {"additionalProperties", false}};
}

}  // namespace

Json to_header_schema(const Schema& schema) {
  JsonObject properties{
      {kMetadata, JsonObject{{"type", "object"}, {"additionalProperties", JsonObject{{"type", "string"}}}}}};
  JsonArray required;
  for (const auto& entry : file_entries(schema)) {
    if (entry.name == kMetadata) {
      throw entry.node->places->error(SchemaError::kNotAFileSchema, entry.node->place, {},
                                      "an entry cannot have the name __metadata__");
    }
    properties.emplace(entry.name, entry_schema(JsonObject{{"const", name(entry.dtype)}}, shape_schema(entry.shape)));
    if (entry.required) required.emplace_back(entry.name);
  }
  const Json added =
      entry_schema(JsonObject{{"type", "string"}}, JsonObject{{"type", "array"}, {"items", any_count()}});
  return JsonObject{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                    {"type", "object"},
                    {"properties", std::move(properties)},
                    {"required", std::move(required)},
                    {"patternProperties", JsonObject{{R"(^__(pad|blob)__\.)", added}}},
                    {"additionalProperties", false}};
}

}  // namespace alknet::schema
