#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "alknet/base/error.h"
#include "alknet/schema/schema.h"

namespace alknet::schema {

/// A compiled `pattern`: ECMAScript's notation (as with its `u` flag), matched in linear time by RE2. Immutable, cheap
/// to copy, safe to use from several threads.
///
/// Look-around, back-references and Unicode properties that RE2 lacks are refused, as are repeat counts above 1,000.
class Regex {
 public:
  /// `max_memory`: bytes for the compiled form and what matching remembers. Throws `pattern_too_large` (over 64 KiB, or
  /// over `max_memory` compiled), `pattern_unsupported` or `schema_invalid` (not a pattern at all); details has
  /// `pattern_position`, a byte offset.
  explicit Regex(std::string_view pattern, std::size_t max_memory = kMaxPatternMemory);

  /// Whether the pattern matches anywhere in `text` (UTF-8).
  bool matches(std::string_view text) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

/// The pattern in RE2's notation. Throws as Regex does. Exposed for tests.
std::string translate_pattern(std::string_view pattern);

}  // namespace alknet::schema
