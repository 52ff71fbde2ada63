#include "alknet/runtime/import_scan.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace alknet::runtime {
namespace {

/// White space beyond ASCII in UTF-8: the byte order mark, the no-break space, the spaces of category Zs, and the line
/// and paragraph separators.
constexpr std::string_view kSpaces[] = {"\uFEFF", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003",
                                        "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200A",
                                        "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};

/// The bytes of the white space at `at`; 0 for anything else.
std::size_t space_at(std::string_view source, std::size_t at) {
  const char c = source[at];
  if (c == ' ' || (c >= '\t' && c <= '\r')) return 1;
  if (static_cast<unsigned char>(c) < 0x80) return 0;
  const auto* const found =
      std::ranges::find_if(kSpaces, [&](std::string_view space) { return source.substr(at).starts_with(space); });
  return found == std::end(kSpaces) ? 0 : found->size();
}

/// True in the middle of a word. White space beyond ASCII ends none; what is beyond ASCII otherwise may be a letter.
bool is_word(std::string_view source, std::size_t at) {
  const char c = source[at];
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
         (static_cast<unsigned char>(c) >= 0x80 && space_at(source, at) == 0);
}

bool is_line_end(std::string_view rest) {
  return rest[0] == '\n' || rest[0] == '\r' || rest.starts_with("\u2028") || rest.starts_with("\u2029");
}

/// For each place of a text, where white space and comments that begin there end. Made from the end of the text, so
/// that no text, however many comments lie in comments, takes more than one look at each place.
std::vector<std::uint32_t> blank_ends(std::string_view source) {
  const auto size = static_cast<std::uint32_t>(source.size());
  std::vector<std::uint32_t> ends(source.size() + 1, size);
  std::uint32_t line_end = size, close = size, next_close = size;  // behind the next "*/" and the one after it
  for (std::uint32_t at = size; at-- > 0;) {
    const std::string_view rest = source.substr(at);
    if (is_line_end(rest)) line_end = at;
    if (rest.starts_with("*/")) next_close = std::exchange(close, at + 2);
    if (const std::size_t space = space_at(source, at); space != 0) {
      ends[at] = ends[at + space];
    } else if (rest.starts_with("//")) {
      ends[at] = ends[line_end];
    } else if (rest.starts_with("/*")) {
      ends[at] = ends[rest.starts_with("/*/") ? next_close : close];
    } else {
      ends[at] = at;
    }
  }
  return ends;
}

/// The text in quotes at `at`, unless it is none, or has parts that only running it would tell.
std::optional<std::string_view> quoted(std::string_view source, std::size_t at) {
  if (at >= source.size() || (source[at] != '"' && source[at] != '\'' && source[at] != '`')) return std::nullopt;
  const std::size_t end = source.find(source[at], at + 1);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view text = source.substr(at + 1, end - at - 1);
  if (text.find_first_of("\\\n") != std::string_view::npos) return std::nullopt;
  if (source[at] == '`' && text.find("${") != std::string_view::npos) return std::nullopt;
  return text;
}

}  // namespace

std::vector<ImportSite> scan_imports(std::string_view source) {
  const std::vector<std::uint32_t> blanks = blank_ends(source);
  std::map<std::size_t, std::optional<std::string_view>> found;  // by the place of the quote
  for (std::size_t at = 0; at < source.size();) {
    if (!is_word(source, at)) {
      at += std::max<std::size_t>(1, space_at(source, at));
      continue;
    }
    const std::size_t begin = at;
    while (at < source.size() && is_word(source, at)) ++at;
    const std::string_view word = source.substr(begin, at - begin);
    if (word != "from" && word != "import") continue;
    std::size_t quote = blanks[at];
    if (word == "import" && quote < source.size() && source[quote] == '(') quote = blanks[quote + 1];
    // What seems a text may hold the next import, when it is none: the scan goes on within it.
    if (!found.contains(quote)) found.emplace(quote, quoted(source, quote));
  }
  std::vector<ImportSite> sites;
  std::uint32_t line = 1;
  std::size_t line_start = 0;
  std::size_t counted = 0;
  for (const auto& [quote, specifier] : found) {
    if (!specifier) continue;
    for (; counted < quote; ++counted) {
      if (source[counted] != '\n') continue;
      ++line;
      line_start = counted + 1;
    }
    sites.push_back({std::string(*specifier), {line, static_cast<std::uint32_t>(quote - line_start + 1)}});
  }
  return sites;
}

}  // namespace alknet::runtime
