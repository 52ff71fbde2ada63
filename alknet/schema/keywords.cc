#include "alknet/schema/keywords.h"

#include <algorithm>
#include <array>

namespace alknet::schema {
namespace {

// Sorted by name. Keywords that hold no schema are not listed.
constexpr std::array<Keyword, 20> kHolders = {{
    {"$defs", Holds::kMap},
    {"additionalProperties", Holds::kSchema},
    {"allOf", Holds::kList},
    {"anyOf", Holds::kList},
    {"contains", Holds::kSchema},
    {"contentSchema", Holds::kSchema},
    {"definitions", Holds::kMap},  // the old name of $defs, which the meta-schema still has
    {"dependentSchemas", Holds::kMap},
    {"else", Holds::kSchema},
    {"if", Holds::kSchema},
    {"items", Holds::kSchema},
    {"not", Holds::kSchema},
    {"oneOf", Holds::kList},
    {"patternProperties", Holds::kMap},
    {"prefixItems", Holds::kList},
    {"properties", Holds::kMap},
    {"propertyNames", Holds::kSchema},
    {"then", Holds::kSchema},
    {"unevaluatedItems", Holds::kSchema},
    {"unevaluatedProperties", Holds::kSchema},
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

Holds keyword_holds(std::string_view name) {
  const auto at = std::lower_bound(kHolders.begin(), kHolders.end(), name,
                                   [](const Keyword& row, std::string_view wanted) { return row.name < wanted; });
  return at != kHolders.end() && at->name == name ? at->holds : Holds::kNothing;
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
