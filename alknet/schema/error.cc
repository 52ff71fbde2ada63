#include "alknet/schema/error.h"

namespace alknet::schema {

const std::error_category& schema_category() noexcept {
  static const NamedCategory<16> category(
      "schema", {"schema_too_large", "schema_too_deep", "schema_invalid", "bad_order", "not_a_file_schema",
                 "pattern_too_large", "pattern_unsupported", "bad_boolean", "bad_enum", "bad_presence", "bad_utf8",
                 "bad_length", "reservation_overflow", "nonzero_padding", "message_truncated", "instance_invalid"});
  return category;
}

}  // namespace alknet::schema
