#pragma once

#include <string_view>

#include "alknet/base/json.h"

namespace alknet::net {

/// How the value of a keyword looks, and so what becomes of it.
enum class KeywordForm {
  kAny,
  kText,
  kNumber,
  kCount,  ///< an integer from 0
  kFlag,
  kNames,     ///< an array of strings, each once
  kNameSets,  ///< an object of such arrays
  kArray,
  kTypes,
  kPattern,
  kSchema,
  kSchemas,        ///< an array of at least one
  kSchemaMap,      ///< an object
  kPatternSchemas  ///< an object by pattern
};

/// A keyword of JSON Schema 2020-12 that foreign schemas may use.
struct Keyword {
  std::string_view name;
  KeywordForm form;
};

/// Null for what is no keyword, or none that is taken over.
const Keyword* find_keyword(std::string_view name);

/// Whether a keyword that is not taken over would change what the document means, so that a note must say so.
bool is_untranslated(std::string_view name);

/// Whether `value` is what such a keyword may have.
bool has_form(const Json& value, KeywordForm form);

}  // namespace alknet::net
