#include "alknet/net/http/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "alknet/net/error.h"
#include "alknet/schema/uri.h"

namespace alknet::net {

namespace {

struct Scheme {
  std::string_view name;
  std::uint16_t port;
};
constexpr std::array kSchemes{Scheme{"http", 80}, Scheme{"https", 443}, Scheme{"ws", 80}, Scheme{"wss", 443}};

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw Error(NetError::kInvalidUrl, fmt::format("[url] \"{:.200}\" {}", text, why));
}

void to_lower(std::string& text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
}

std::uint16_t default_port(std::string_view scheme) {
  const auto found = std::find_if(kSchemes.begin(), kSchemes.end(), [&](const Scheme& s) { return s.name == scheme; });
  return found == kSchemes.end() ? 0 : found->port;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_address6_character(char c) { return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == ':' || c == '.'; }

Url from_uri(const schema::Uri& uri, std::string_view text) {
  Url url;
  url.scheme = uri.scheme;
  to_lower(url.scheme);
  url.port = default_port(url.scheme);
  if (url.port == 0) refuse(text, "has no scheme that is known here: write http, https, ws or wss");
  if (uri.authority.find('@') != std::string::npos) {
    refuse("", "user information in a URL is refused: send an Authorization header instead");
  }
  std::string_view port;
  url.host = uri.authority;
  if (const auto colon = url.host.rfind(':');
      colon != std::string::npos && url.host.find(']', colon) == std::string::npos) {
    port = std::string_view(uri.authority).substr(colon + 1);
    url.host.resize(colon);
  }
  to_lower(url.host);
  const bool bracketed = url.host.starts_with('[') && url.host.ends_with(']');
  if (bracketed) url.host = url.host.substr(1, url.host.size() - 2);
  if (url.host.empty() || url.host.size() > 255 ||
      !std::all_of(url.host.begin(), url.host.end(), bracketed ? is_address6_character : is_host_character)) {
    refuse(text, "has no usable host name");
  }
  if (!port.empty()) {
    const auto parsed = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (parsed.ec != std::errc{} || parsed.ptr != port.data() + port.size() || url.port == 0) {
      refuse(text, "has a port that is not between 1 and 65535");
    }
  }
  url.target = uri.path.empty() ? "/" : uri.path;
  if (uri.has_query) url.target += "?" + uri.query;
  return url;
}

void check_characters(std::string_view text) {
  const auto bad = [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F;
  };
  if (std::any_of(text.begin(), text.end(), bad)) {
    refuse("", "a URL has ASCII without spaces and control characters: percent-encode all others");
  }
  if (text.size() > (32U << 10U)) refuse(text, "is longer than 32 KiB");
}

}  // namespace

Url Url::parse(std::string_view text) {
  check_characters(text);
  return from_uri(schema::Uri::parse(text), text);
}

Url Url::resolve(std::string_view reference) const {
  check_characters(reference);
  return from_uri(schema::resolve_uri(schema::Uri::parse(text()), schema::Uri::parse(reference)), reference);
}

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == default_port(scheme) ? name : fmt::format("{}:{}", name, port);
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
  const auto decode = [](std::string_view part) {
    std::string text(part);
    std::replace(text.begin(), text.end(), '+', ' ');
    return schema::percent_decode(text);
  };
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    const auto equals = pair.find('=');
    if (!pair.empty()) {
      pairs.emplace_back(decode(pair.substr(0, equals)),
                         equals == std::string_view::npos ? "" : decode(pair.substr(equals + 1)));
    }
    query = pair.size() == query.size() ? std::string_view() : query.substr(pair.size() + 1);
  }
  return pairs;
}

std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

}  // namespace alknet::net
