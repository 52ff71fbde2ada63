#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "alknet/base/json.h"
#include "alknet/schema/kind.h"

namespace alknet::schema {

/// What the value of a keyword holds that is itself a schema.
enum class Holds : unsigned char {
  kNothing,  ///< no schema
  kSchema,   ///< one
  kList,     ///< an array of them
  kMap,      ///< an object of them
};

/// The vocabularies of JSON Schema 2020-12, as bits. A dialect is a set of them.
enum Vocabulary : std::uint32_t {
  kCore = 1,
  kApplicator = 2,
  kUnevaluated = 4,
  kValidation = 8,
  kMetaData = 16,
  kFormatAnnotation = 32,
  kFormatAssertion = 64,
  kContent = 128,
};
using Vocabularies = std::uint32_t;

/// The set of the 2020-12 meta-schema: all but the assertion of formats.
constexpr Vocabularies kStandardVocabularies =
    kCore | kApplicator | kUnevaluated | kValidation | kMetaData | kFormatAnnotation | kContent;

/// The vocabulary of a URI as in `$vocabulary`; nothing when it is unknown.
std::optional<Vocabulary> find_vocabulary(std::string_view uri);

/// One keyword of JSON Schema 2020-12.
struct Keyword {
  std::string_view name;
  Vocabularies vocabularies;  ///< any of them gives it its meaning
  Holds holds = Holds::kNothing;
};

/// The keyword of that name, or null: then it is an annotation without meaning.
const Keyword* find_keyword(std::string_view name);

constexpr std::string_view kTypeDefPrefix = "TypeDef:";

/// The `TypeDef:*` member of a schema object.
struct TypeDef {
  Kind kind = Kind::kNone;
  std::string_view keyword;            ///< "TypeDef:Int32"; empty when there is none
  const JsonObject* object = nullptr;  ///< its value; null when that is `true`
};

/// Finds the TypeDef member; kind kNone when there is none or its kind is unknown (`keyword` tells which).
TypeDef find_typedef(const JsonObject& schema);

/// The members of a TypeDef object that are schemas: `values`, `mapping`, `dtype`, `item`.
Holds typedef_holds(Kind kind, std::string_view member);

}  // namespace alknet::schema
