#include "alknet/schema/keywords.h"

#include <array>

#include "alknet/schema/name_table.h"

namespace alknet::schema {
namespace {

constexpr std::array<Keyword, 56> kKeywords = {{
    {"$anchor", kCore},
    {"$comment", kCore},
    {"$defs", kCore, Holds::kMap},
    {"$dynamicAnchor", kCore},
    {"$dynamicRef", kCore},
    {"$id", kCore},
    {"$ref", kCore},
    {"$schema", kCore},
    {"$vocabulary", kCore},
    {"additionalProperties", kApplicator, Holds::kSchema},
    {"allOf", kApplicator, Holds::kList},
    {"anyOf", kApplicator, Holds::kList},
    {"const", kValidation},
    {"contains", kApplicator, Holds::kSchema},
    {"contentEncoding", kContent},
    {"contentMediaType", kContent},
    {"contentSchema", kContent, Holds::kSchema},
    {"definitions", kCore, Holds::kMap},  // the old name of $defs, which the meta-schema still has
    {"dependentRequired", kValidation},
    {"dependentSchemas", kApplicator, Holds::kMap},
    {"deprecated", kMetaData},
    {"description", kMetaData},
    {"else", kApplicator, Holds::kSchema},
    {"enum", kValidation},
    {"exclusiveMaximum", kValidation},
    {"exclusiveMinimum", kValidation},
    {"format", kFormatAnnotation | kFormatAssertion},
    {"if", kApplicator, Holds::kSchema},
    {"items", kApplicator, Holds::kSchema},
    {"maxContains", kValidation},
    {"maxItems", kValidation},
    {"maxLength", kValidation},
    {"maxProperties", kValidation},
    {"maximum", kValidation},
    {"minContains", kValidation},
    {"minItems", kValidation},
    {"minLength", kValidation},
    {"minProperties", kValidation},
    {"minimum", kValidation},
    {"multipleOf", kValidation},
    {"not", kApplicator, Holds::kSchema},
    {"oneOf", kApplicator, Holds::kList},
    {"pattern", kValidation},
    {"patternProperties", kApplicator, Holds::kMap},
    {"prefixItems", kApplicator, Holds::kList},
    {"properties", kApplicator, Holds::kMap},
    {"propertyNames", kApplicator, Holds::kSchema},
    {"readOnly", kMetaData},
    {"required", kValidation},
    {"then", kApplicator, Holds::kSchema},
    {"title", kMetaData},
    {"type", kValidation},
    {"unevaluatedItems", kUnevaluated, Holds::kSchema},
    {"unevaluatedProperties", kUnevaluated, Holds::kSchema},
    {"uniqueItems", kValidation},
    {"writeOnly", kMetaData},
}};

struct VocabularyName {
  std::string_view name;
  Vocabulary vocabulary;
};
constexpr std::string_view kVocabularyPrefix = "https://json-schema.org/draft/2020-12/vocab/";
constexpr std::array<VocabularyName, 8> kVocabularies = {{
    {"core", kCore},
    {"applicator", kApplicator},
    {"unevaluated", kUnevaluated},
    {"validation", kValidation},
    {"meta-data", kMetaData},
    {"format-annotation", kFormatAnnotation},
    {"format-assertion", kFormatAssertion},
    {"content", kContent},
}};

struct TypeDefMember {
  Kind kind;
  std::string_view name;
  Holds holds;
};

constexpr std::array<TypeDefMember, 4> kTypeDefHolders = {{
    {Kind::kRecord, "values", Holds::kSchema},
    {Kind::kUnion, "mapping", Holds::kMap},
    {Kind::kTensor, "dtype", Holds::kSchema},
    {Kind::kBlob, "item", Holds::kSchema},
}};

}  // namespace

const Keyword* find_keyword(std::string_view name) {
  static const NameTable kByName = NameTable::of(kKeywords);
  const auto at = kByName.find(name);
  return at == NameTable::kNotFound ? nullptr : &kKeywords[at];
}

std::optional<Vocabulary> find_vocabulary(std::string_view uri) {
  if (!uri.starts_with(kVocabularyPrefix)) return std::nullopt;
  for (const auto& row : kVocabularies) {
    if (row.name == uri.substr(kVocabularyPrefix.size())) return row.vocabulary;
  }
  return std::nullopt;
}

TypeDef find_typedef(const JsonObject& schema) {
  for (const auto& [key, value] : schema) {
    const std::string_view keyword = key;
    if (!keyword.starts_with(kTypeDefPrefix)) continue;
    const auto kind = parse_kind(keyword.substr(kTypeDefPrefix.size()));
    return {kind.value_or(Kind::kNone), keyword, value.if_object()};
  }
  return {};
}

Holds typedef_holds(Kind kind, std::string_view member) {
  for (const auto& row : kTypeDefHolders) {
    if (row.kind == kind && row.name == member) return row.holds;
  }
  return Holds::kNothing;
}

}  // namespace alknet::schema
