#pragma once

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

/// One keyword of JSON Schema 2020-12 that the scanner has to know.
struct Keyword {
  std::string_view name;
  Holds holds;
};

/// What the keyword of that name holds; kNothing also for unknown ones, which are annotations.
Holds keyword_holds(std::string_view name);

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
