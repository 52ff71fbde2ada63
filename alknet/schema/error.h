#pragma once

#include <system_error>

#include "alknet/base/error.h"

namespace alknet::schema {

/// What can be wrong with a schema, or with bytes read or written by one. Names are the snake_case of the enumerators.
enum class SchemaError {
  kSchemaTooLarge = 1,   ///< The text is over 32 MiB, or the schema unfolds into more parts than the limit.
  kSchemaTooDeep,        ///< Nested deeper than 64, in text or through references.
  kSchemaInvalid,        ///< Not a usable JSON Schema 2020-12 document; details has `pointer`.
  kBadOrder,             ///< `order` is not a permutation of the names, or is missing where it is needed.
  kNotAFileSchema,       ///< The schema describes values, not the entries of a file.
  kPatternTooLarge,      ///< A pattern is over 64 KiB, or needs over 8 MiB when compiled.
  kPatternUnsupported,   ///< A pattern uses look-around, back-references or what RE2 lacks; details has `position`.
  kBadBoolean,           ///< A boolean's byte is neither 0 nor 1.
  kBadEnum,              ///< An enum's or union's index is beyond its names, or a text is none of them.
  kBadPresence,          ///< A presence byte is neither 0 nor 1, or an unused presence bit is set.
  kBadUtf8,              ///< A string's bytes are not UTF-8.
  kBadLength,            ///< A length or count is beyond what the place allows.
  kReservationOverflow,  ///< A value is longer than its `maxBytes`.
  kNonzeroPadding,       ///< Padding, unused reservation or an absent field has a byte that is not zero.
  kMessageTruncated,     ///< The bytes end before the value does.
  kInstanceInvalid,      ///< An instance is not what its kind takes; details has `instance_path` and `pointer`.
};

const std::error_category& schema_category() noexcept;
inline std::error_code make_error_code(SchemaError error) noexcept {
  return {static_cast<int>(error), schema_category()};
}

}  // namespace alknet::schema

template <>
struct std::is_error_code_enum<alknet::schema::SchemaError> : std::true_type {};
