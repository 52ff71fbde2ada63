#include "alknet/runtime/import_scan.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace alknet::runtime {
namespace {

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_' ||
         byte == '$' || byte >= 0x80;
}

/// Behind white space and comments.
std::size_t skip_blank(std::string_view source, std::size_t at) {
  while (at < source.size()) {
    const std::string_view rest = source.substr(at);
    if (rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r' || rest[0] == '\n') {
      ++at;
    } else if (rest.starts_with("//")) {
      at = std::min(source.find('\n', at), source.size());
    } else if (rest.starts_with("/*")) {
      const std::size_t end = source.find("*/", at + 2);
      at = end == std::string_view::npos ? source.size() : end + 2;
    } else {
      break;
    }
  }
  return at;
}

/// The text in quotes at `at`, unless it is none, or has parts that only running it would tell.
std::optional<std::string_view> quoted(std::string_view source, std::size_t at) {
  if (at >= source.size() || (source[at] != '"' && source[at] != '\'' && source[at] != '`')) return std::nullopt;
  const std::size_t end = source.find(source[at], at + 1);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view text = source.substr(at + 1, end - at - 1);
  if (text.find_first_of("\\\n$") != std::string_view::npos) return std::nullopt;
  return text;
}

}  // namespace

std::vector<ImportSite> scan_imports(std::string_view source) {
  std::vector<ImportSite> sites;
  std::uint32_t line = 1;
  std::size_t line_start = 0;
  std::size_t counted = 0;
  for (std::size_t at = 0; at < source.size();) {
    if (!is_word(source[at])) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    while (at < source.size() && is_word(source[at])) ++at;
    const std::string_view word = source.substr(begin, at - begin);
    if (word != "from" && word != "import") continue;
    std::size_t quote = skip_blank(source, at);
    if (word == "import" && quote < source.size() && source[quote] == '(') quote = skip_blank(source, quote + 1);
    const auto specifier = quoted(source, quote);
    if (!specifier) continue;
    for (; counted < quote; ++counted) {
      if (source[counted] != '\n') continue;
      ++line;
      line_start = counted + 1;
    }
    sites.push_back({std::string(*specifier), {line, static_cast<std::uint32_t>(quote - line_start + 1)}});
    at = quote + specifier->size() + 2;
  }
  return sites;
}

}  // namespace alknet::runtime
