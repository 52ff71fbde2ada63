#include "alknet/schema/uri.h"

#include <cctype>

namespace alknet::schema {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// RFC 3986 section 5.2.4, segment by segment.
std::string remove_dot_segments(std::string_view path) {
  const bool absolute = path.starts_with('/');
  std::string out = absolute ? "/" : "";
  const std::size_t floor = out.size();
  std::size_t at = floor;
  while (at <= path.size()) {
    auto end = path.find('/', at);
    const bool last = end == std::string_view::npos;
    if (last) end = path.size();
    const auto segment = path.substr(at, end - at);
    if (segment == "..") {
      if (out.size() > floor) {
        const auto slash = out.rfind('/', out.size() - 2);
        out.resize(slash == std::string::npos || slash < floor ? floor : slash + 1);
      }
    } else if (segment != ".") {
      out.append(segment);
      if (!last) out += '/';
    }
    at = end + 1;
    if (last) break;
  }
  return out;
}

std::string merge_paths(const Uri& base, const std::string& path) {
  if (base.has_authority && base.path.empty()) return "/" + path;
  const auto slash = base.path.rfind('/');
  return slash == std::string::npos ? path : base.path.substr(0, slash + 1) + path;
}

}  // namespace

Uri Uri::parse(std::string_view text) {
  Uri uri;
  if (const auto hash = text.find('#'); hash != std::string_view::npos) {
    uri.has_fragment = true;
    uri.fragment = text.substr(hash + 1);
    text = text.substr(0, hash);
  }
  if (const auto mark = text.find('?'); mark != std::string_view::npos) {
    uri.has_query = true;
    uri.query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  if (const auto colon = text.find_first_of(":/"); colon != std::string_view::npos && colon > 0 && text[colon] == ':' &&
                                                   std::isalpha(static_cast<unsigned char>(text[0])) != 0) {
    uri.has_scheme = true;
    uri.scheme = text.substr(0, colon);
    text = text.substr(colon + 1);
  }
  if (text.starts_with("//")) {
    const auto slash = text.find('/', 2);
    uri.has_authority = true;
    uri.authority = text.substr(2, slash == std::string_view::npos ? slash : slash - 2);
    text = slash == std::string_view::npos ? std::string_view() : text.substr(slash);
  }
  uri.path = text;
  return uri;
}

std::string Uri::text() const {
  std::string out;
  if (has_scheme) out += scheme + ":";
  if (has_authority) out += "//" + authority;
  out += path;
  if (has_query) out += "?" + query;
  return out;
}

Uri resolve_uri(const Uri& base, const Uri& reference) {
  Uri out = reference;
  if (reference.has_scheme) {
    if (reference.has_authority) out.path = remove_dot_segments(reference.path);
    return out;
  }
  out.has_scheme = base.has_scheme;
  out.scheme = base.scheme;
  if (reference.has_authority) {
    out.path = remove_dot_segments(reference.path);
    return out;
  }
  out.has_authority = base.has_authority;
  out.authority = base.authority;
  if (reference.path.empty()) {
    out.path = base.path;
    if (!reference.has_query) {
      out.has_query = base.has_query;
      out.query = base.query;
    }
  } else {
    out.path =
        remove_dot_segments(reference.path.starts_with('/') ? reference.path : merge_paths(base, reference.path));
  }
  return out;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string percent_encode_fragment(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~!$&'()*+,;=:@/?";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x80 && std::isalnum(byte) != 0) || kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

std::string escape_pointer_token(std::string_view token) {
  std::string out;
  out.reserve(token.size());
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string unescape_pointer_token(std::string_view token) {
  std::string out;
  out.reserve(token.size());
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
      out += token[++i] == '0' ? '~' : '/';
    } else {
      out += token[i];
    }
  }
  return out;
}

}  // namespace alknet::schema
