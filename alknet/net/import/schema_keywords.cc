#include "alknet/net/import/schema_keywords.h"

#include <algorithm>
#include <array>

namespace alknet::net {

namespace {

constexpr std::array kKeywords{
    Keyword{"type", KeywordForm::kTypes},
    Keyword{"enum", KeywordForm::kArray},
    Keyword{"const", KeywordForm::kAny},
    Keyword{"multipleOf", KeywordForm::kNumber},
    Keyword{"maximum", KeywordForm::kNumber},
    Keyword{"exclusiveMaximum", KeywordForm::kNumber},
    Keyword{"minimum", KeywordForm::kNumber},
    Keyword{"exclusiveMinimum", KeywordForm::kNumber},
    Keyword{"maxLength", KeywordForm::kCount},
    Keyword{"minLength", KeywordForm::kCount},
    Keyword{"pattern", KeywordForm::kPattern},
    Keyword{"maxItems", KeywordForm::kCount},
    Keyword{"minItems", KeywordForm::kCount},
    Keyword{"uniqueItems", KeywordForm::kFlag},
    Keyword{"maxContains", KeywordForm::kCount},
    Keyword{"minContains", KeywordForm::kCount},
    Keyword{"maxProperties", KeywordForm::kCount},
    Keyword{"minProperties", KeywordForm::kCount},
    Keyword{"required", KeywordForm::kNames},
    Keyword{"dependentRequired", KeywordForm::kNameSets},
    Keyword{"title", KeywordForm::kText},
    Keyword{"description", KeywordForm::kText},
    Keyword{"default", KeywordForm::kAny},
    Keyword{"deprecated", KeywordForm::kFlag},
    Keyword{"readOnly", KeywordForm::kFlag},
    Keyword{"writeOnly", KeywordForm::kFlag},
    Keyword{"examples", KeywordForm::kArray},
    Keyword{"format", KeywordForm::kText},
    Keyword{"contentEncoding", KeywordForm::kText},
    Keyword{"contentMediaType", KeywordForm::kText},
    Keyword{"$comment", KeywordForm::kText},
    Keyword{"items", KeywordForm::kSchema},
    Keyword{"contains", KeywordForm::kSchema},
    Keyword{"additionalProperties", KeywordForm::kSchema},
    Keyword{"propertyNames", KeywordForm::kSchema},
    Keyword{"not", KeywordForm::kSchema},
    Keyword{"if", KeywordForm::kSchema},
    Keyword{"then", KeywordForm::kSchema},
    Keyword{"else", KeywordForm::kSchema},
    Keyword{"unevaluatedItems", KeywordForm::kSchema},
    Keyword{"unevaluatedProperties", KeywordForm::kSchema},
    Keyword{"allOf", KeywordForm::kSchemas},
    Keyword{"anyOf", KeywordForm::kSchemas},
    Keyword{"oneOf", KeywordForm::kSchemas},
    Keyword{"prefixItems", KeywordForm::kSchemas},
    Keyword{"properties", KeywordForm::kSchemaMap},
    Keyword{"dependentSchemas", KeywordForm::kSchemaMap},
    Keyword{"patternProperties", KeywordForm::kPatternSchemas},
};
constexpr std::array<std::string_view, 4> kUntranslated{"$dynamicRef", "$recursiveRef", "dependencies",
                                                        "additionalItems"};
constexpr std::array<std::string_view, 7> kTypes{"null", "boolean", "object", "array", "number", "integer", "string"};

bool is_type(const Json& value) {
  return value.is_string() && std::find(kTypes.begin(), kTypes.end(), value.get_string()) != kTypes.end();
}

bool is_count(const Json& value) {
  if (value.is_int64()) return value.get_int64() >= 0;
  return value.is_uint64();
}

bool is_name_list(const Json& value) {
  const auto* array = value.if_array();
  return array != nullptr && std::all_of(array->begin(), array->end(), [](const Json& v) { return v.is_string(); });
}

}  // namespace

const Keyword* find_keyword(std::string_view name) {
  const auto found = std::find_if(kKeywords.begin(), kKeywords.end(), [&](const Keyword& k) { return k.name == name; });
  return found == kKeywords.end() ? nullptr : &*found;
}

bool is_untranslated(std::string_view name) {
  return std::find(kUntranslated.begin(), kUntranslated.end(), name) != kUntranslated.end();
}

bool has_form(const Json& value, KeywordForm form) {
  switch (form) {
    case KeywordForm::kAny: return true;
    case KeywordForm::kText:
    case KeywordForm::kPattern: return value.is_string();
    case KeywordForm::kNumber: return value.is_number();
    case KeywordForm::kCount: return is_count(value);
    case KeywordForm::kFlag: return value.is_bool();
    case KeywordForm::kNames: return is_name_list(value);
    case KeywordForm::kArray: return value.is_array();
    case KeywordForm::kTypes:
      return is_type(value) || (value.is_array() && !value.get_array().empty() &&
                                std::all_of(value.get_array().begin(), value.get_array().end(), is_type));
    case KeywordForm::kSchema: return value.is_object() || value.is_bool();
    case KeywordForm::kSchemas: return value.is_array() && !value.get_array().empty();
    case KeywordForm::kNameSets:
      return value.is_object() && std::all_of(value.get_object().begin(), value.get_object().end(),
                                              [](const auto& member) { return is_name_list(member.value()); });
    case KeywordForm::kSchemaMap:
    case KeywordForm::kPatternSchemas: return value.is_object();
  }
  return false;
}

}  // namespace alknet::net
