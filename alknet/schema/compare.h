#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "alknet/base/json.h"

namespace alknet::schema {

/// Orders two JSON numbers by their exact values: 1 equals 1.0, and 9007199254740993 is above 9007199254740992.0.
/// A NaN, which JSON lacks, is unordered.
std::partial_ordering compare_numbers(const Json& a, const Json& b);

/// Whether a number has no fraction: 1, 1.0, 1e300.
bool is_integer(const Json& number);

/// Whether `value` is a whole multiple of `divisor` > 0, both read as the decimal numbers that they print as: 0.3 is a
/// multiple of 0.1.
bool is_multiple_of(const Json& value, const Json& divisor);

/// A total order over JSON values in which equal means equal as JSON Schema has it: numbers by value, members in any
/// order. Throws `json_too_deep` for values nested deeper than 1,000.
std::strong_ordering compare_json(const Json& a, const Json& b);
inline bool equal_json(const Json& a, const Json& b) {
  if (a.is_string() && b.is_string()) return a.get_string() == b.get_string();
  return compare_json(a, b) == std::strong_ordering::equal;
}

/// The number as a count: a non-negative integer, also written 2.0; clamped to 2^64-1. Nothing otherwise.
std::optional<std::uint64_t> as_count(const Json& value);

}  // namespace alknet::schema
