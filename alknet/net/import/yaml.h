#pragma once

#include <cstddef>
#include <string_view>

#include "alknet/base/json.h"

namespace alknet::net {

/// What a YAML document may cost.
struct YamlLimits {
  std::size_t max_bytes = std::size_t{64} << 20;
  std::size_t max_depth = 64;  ///< as JSON

  /// What the document may grow to when its aliases are written out: bytes of text, and 16 for each value.
  std::size_t max_expanded = std::size_t{256} << 20;
};

/// One YAML document (UTF-8) as JSON. Plain scalars are read by the core schema of YAML 1.2: `yes` and `2020-01-01` are
/// strings. Keys are strings, whatever they look like; a null key is
/// "null". Aliases become copies.
///
/// Throws call error `schema_parse` with details `line` and `column`, for text that is no YAML and for what JSON cannot
/// say or should not: duplicate keys, keys that are no scalars, merge keys, foreign tags, infinities, several
/// documents, aliases inside their own anchor, and what is over a limit.
Json parse_yaml(std::string_view text, const YamlLimits& limits = {});

/// A document in JSON or YAML, whichever it is. Throws `schema_parse`.
Json parse_json_or_yaml(std::string_view text, const YamlLimits& limits = {});

}  // namespace alknet::net
