#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "alknet/base/bytes.h"

namespace alknet {

/// Whether `text` has only ASCII; in line, and a few instructions for a short text. Words overlap at the end instead of
/// going on byte by byte: lengths that differ from text to text would be branches that no processor predicts.
inline bool is_ascii(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  const std::size_t size = text.size();
  const auto word = [&](std::size_t at) { return load_le<std::uint64_t>(bytes + at); };
  if (size >= 16) {
    std::uint64_t seen = word(size - 16) | word(size - 8);
    for (std::size_t at = 0; at + 16 < size; at += 16) seen |= word(at) | word(at + 8);
    return (seen & kHighBits) == 0;
  }
  if (size >= 8) return ((word(0) | word(size - 8)) & kHighBits) == 0;
  if (size >= 4) {
    return ((load_le<std::uint32_t>(bytes) | load_le<std::uint32_t>(bytes + size - 4)) & kHighBits) == 0;
  }
  unsigned seen = 0;
  for (const char c : text) seen |= static_cast<unsigned char>(c);
  return seen < 0x80;
}

/// The offset of the first byte that makes `text` not UTF-8 (RFC 3629: shortest form, no surrogates, at most U+10FFFF),
/// or nothing when it is. For a sequence that is cut off or goes wrong, the offset of its first byte.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

/// Throws `invalid_argument` "WHAT is not UTF-8 at byte N" with details `byte` when `text` is not UTF-8.
void require_utf8(std::string_view text, std::string_view what);

/// Reads the code point at `text[position]` and moves `position` behind it.
/// `text` must be UTF-8 and `position` inside it at the start of a code point; nothing is checked.
inline char32_t next_code_point(std::string_view text, std::size_t& position) {
  const auto byte = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[position + i]));
  };
  const char32_t lead = byte(0);
  if (lead < 0x80) {
    position += 1;
    return lead;
  }
  char32_t code;
  if (lead < 0xE0) {
    code = (lead & 0x1F) << 6 | (byte(1) & 0x3F);
    position += 2;
  } else if (lead < 0xF0) {
    code = (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    position += 3;
  } else {
    code = (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    position += 4;
  }
  return code;
}

/// Appends the UTF-8 of `code`, which must be a code point and no surrogate.
void append_utf8(std::string& text, char32_t code);

/// `text` with what a terminal would obey in place of showing it written as \u001b: control characters but line feed
/// and tab, and the characters that turn the direction of text around. Bytes that are not UTF-8 are written as \xff.
/// For what strangers say; inside JSON it stays the same JSON.
std::string escape_controls(std::string_view text);

/// The number of code points in `text`, which must be UTF-8.
std::size_t count_code_points(std::string_view text);

}  // namespace alknet
