#include "alknet/schema/codegen/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "alknet/base/error.h"
#include "alknet/base/utf8.h"

namespace alknet::schema {
namespace {

// Sorted: the keywords of C++20, its alternative tokens, and macros and names that the generated text relies on.
constexpr std::array<std::string_view, 103> kReservedInCpp = {
    "NULL",
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "char16_t",
    "char32_t",
    "char8_t",
    "class",
    "co_await",
    "co_return",
    "co_yield",
    "compl",
    "concept",
    "const",
    "const_cast",
    "consteval",
    "constexpr",
    "constinit",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "final",
    "float",
    "for",
    "friend",
    "goto",
    "i386",
    "if",
    "import",
    "inline",
    "int",
    "linux",
    "long",
    "module",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "offsetof",
    "operator",
    "or",
    "or_eq",
    "override",
    "private",
    "protected",
    "public",
    "register",
    "reinterpret_cast",
    "requires",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "std",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "typeof",
    "union",
    "unix",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
};

// Sorted: what TypeScript does not take as the name of a type, beyond the above.
constexpr std::array<std::string_view, 23> kReservedInTypeScript = {
    "any",        "arguments", "bigint",     "boolean",   "debugger",  "eval",    "extends", "function",
    "implements", "in",        "instanceof", "interface", "let",       "never",   "null",    "number",
    "object",     "package",   "string",     "symbol",    "undefined", "unknown", "var",
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& sorted, std::string_view word) {
  return std::binary_search(sorted.begin(), sorted.end(), word);
}

/// Limits of <cstdint>: INT8_MAX, UINT64_C, SIZE_MAX, ...
bool is_limit_macro(std::string_view text) {
  const bool ends =
      text.ends_with("_MAX") || text.ends_with("_MIN") || text.ends_with("_C") || text.ends_with("_WIDTH");
  return ends && std::all_of(text.begin(), text.end(), [](char c) { return c < 'a' || c > 'z'; });
}

}  // namespace

bool is_identifier(std::string_view text) {
  if (text.empty() || is_digit(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
}

std::string cpp_identifier(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const char kept = is_letter(c) || is_digit(c) ? c : '_';
    const bool doubled = kept == '_' && !out.empty() && out.back() == '_';
    if (!doubled) out += kept;
  }
  // A `_` in front is reserved before a capital, and outside of classes.
  const bool nameless = out.empty() || out == "_";
  if (nameless || is_digit(out.front()) || out.front() == '_') out = nameless ? "field" : "field_" + out;
  if (const auto doubled = out.find("__"); doubled != std::string::npos) out.erase(doubled, 1);
  return contains(kReservedInCpp, out) || is_limit_macro(out) ? out + "_" : out;
}

std::string camel_case(std::string_view text) {
  std::string out;
  bool start = true;
  for (const char c : text) {
    if (!is_letter(c) && !is_digit(c)) {
      start = true;
      continue;
    }
    out += start && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    start = false;
  }
  return out;
}

std::string ascii_json(const Json& value) {
  const std::string text = json_text(value);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t code = next_code_point(text, at);
    if (code < 0x7F) {
      out += static_cast<char>(code);
    } else if (code <= 0xFFFF) {
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(code));
    } else {
      const auto offset = static_cast<std::uint32_t>(code - 0x10000);
      out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (offset >> 10), 0xDC00 + (offset & 0x3FF));
    }
  }
  return out;
}

void require_type_name(std::string_view name) {
  const bool reserved = contains(kReservedInCpp, name) || contains(kReservedInTypeScript, name) || is_limit_macro(name);
  if (is_identifier(name) && !reserved && name.front() != '_' && name.find("__") == std::string_view::npos) return;
  throw Error(BaseError::kInvalidArgument,
              fmt::format("codegen: \"{}\" is no name for a type: use letters and digits, such as Point", name));
}

std::string Names::unique(const std::string& wanted) {
  std::string name = wanted;
  for (std::size_t number = 2; !taken_.insert(name).second; ++number) {
    name = wanted + (wanted.ends_with('_') ? "" : "_") + std::to_string(number);
  }
  return name;
}

}  // namespace alknet::schema
