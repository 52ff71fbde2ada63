#pragma once

#include <string>
#include <string_view>

namespace alknet::schema {

/// A URI reference in its five parts (RFC 3986 section 3). `has_*` tells an empty part from a missing one.
struct Uri {
  std::string scheme, authority, path, query, fragment;
  bool has_scheme = false, has_authority = false, has_query = false, has_fragment = false;

  static Uri parse(std::string_view text);

  /// The text without the fragment.
  std::string text() const;
};

/// Resolves `reference` against `base` (RFC 3986 section 5.2). `base` may itself be relative or empty.
Uri resolve_uri(const Uri& base, const Uri& reference);

/// Decodes %XX; a broken escape stays as it is.
std::string percent_decode(std::string_view text);

/// Encodes what a URI fragment may not hold.
std::string percent_encode_fragment(std::string_view text);

/// One token of a JSON pointer with `~` and `/` escaped, and back.
std::string escape_pointer_token(std::string_view token);
std::string unescape_pointer_token(std::string_view token);

}  // namespace alknet::schema
