#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/net/import/http_endpoint.h"

namespace alknet::net {

/// A scalar as text: strings as they are, null as nothing, arrays and objects as JSON.
std::string plain_text(const Json& value);

/// `text` percent-encoded for a URL. With `allow_reserved` complete escapes stay, and those reserved characters that a
/// query does not use itself: `&=+#[]` are encoded all the same, so that no value becomes another parameter.
std::string encode_text(std::string_view text, bool allow_reserved);

/// The value of a path parameter: styles simple, label and matrix (RFC 6570 sections 3.2.2, 3.2.5, 3.2.7).
std::string path_text(const HttpParameter& parameter, const Json& value);

/// The value of a header field: style simple, not encoded.
std::string header_text(const HttpParameter& parameter, const Json& value);

/// The encoded pairs of a query or a form; none for an empty array or object.
using TextPairs = std::vector<std::pair<std::string, std::string>>;
TextPairs query_pairs(const HttpParameter& parameter, const Json& value);

/// "a=1&b=2".
std::string join_pairs(const TextPairs& pairs, std::string_view separator = "&");

}  // namespace alknet::net
