#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace alknet::schema {

/// The number of a value of `format` that can be checked: date-time, date, time, duration (RFC 3339), email (RFC 5321),
/// hostname (RFC 1123), ipv4, ipv6 (RFC 4291), uri, uri-reference (RFC 3986), uuid (RFC 4122), json-pointer (RFC 6901),
/// relative-json-pointer, regex (ECMA-262). Nothing for others.
std::optional<std::uint64_t> find_format(std::string_view name);

/// Whether `text` (UTF-8) has the format of that number. Linear in the length of the text.
bool has_format(std::uint64_t format, std::string_view text);

}  // namespace alknet::schema
