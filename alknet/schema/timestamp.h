#pragma once

#include <string_view>

namespace alknet::schema {

/// Whether `text` is a date-time of RFC 3339, as the `pattern` that Timestamp lowers to says it: 02-29 in every year, a
/// second 60 in every minute.
bool is_timestamp(std::string_view text);

}  // namespace alknet::schema
