#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace alknet::net {

/// An absolute URL of scheme http, https, ws or wss (RFC 3986), in the parts that a request needs.
struct Url {
  std::string scheme;      ///< in lower case
  std::string host;        ///< in lower case; an IPv6 address without brackets
  std::uint16_t port = 0;  ///< the scheme's own when the URL has none
  std::string target;      ///< path and query, at least "/"

  /// Throws `invalid_url`: another scheme, user information, no host, a port out of range, or characters that a URL may
  /// not hold.
  static Url parse(std::string_view text);

  /// The URL that `reference`, for example of a Location field, means here.
  Url resolve(std::string_view reference) const;

  bool secure() const { return scheme == "https" || scheme == "wss"; }

  /// "example.com", "example.com:8080", "[::1]:80": what the Host field says.
  std::string authority() const;

  /// "https://example.com:8443": what two URLs share when credentials of one may go to the other.
  std::string origin() const { return scheme + "://" + authority(); }

  std::string text() const { return origin() + target; }
};

/// The pairs of a query "a=1&b=x%20y+z", decoded; `+` is a space.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);

/// Encodes what a path segment or a query value may not hold.
std::string percent_encode(std::string_view text);

}  // namespace alknet::net
