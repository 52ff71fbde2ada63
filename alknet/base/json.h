#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace alknet {

/// JSON values: objects keep the order of their members, integers are 64-bit exact, doubles round-trip exactly.
using Json = boost::json::value;
using JsonObject = boost::json::object;
using JsonArray = boost::json::array;
using JsonString = boost::json::string;

/// What `parse_json` accepts.
struct JsonLimits {
  std::size_t max_depth = 64;
  bool refuse_duplicate_keys = true;
};

/// Parses one JSON document (RFC 8259, UTF-8, nothing but white space after it).
/// Throws Error `json_invalid`, `json_too_deep` or `duplicate_key`; details has `byte`, the offset of the fault.
Json parse_json(std::string_view text, const JsonLimits& limits = {});

/// Compact JSON text. Numbers are the shortest that read back exactly (0.1, not 1E-1).
std::string json_text(const Json& value);

/// Indented JSON text for people: two spaces a level, short arrays of scalars on one line.
std::string json_pretty(const Json& value);

/// The shortest decimal text that reads back as exactly `number`. NaN and infinities, which JSON lacks, give `null`.
std::string number_text(double number);

}  // namespace alknet
