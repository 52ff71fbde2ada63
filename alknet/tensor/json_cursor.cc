#include "alknet/tensor/json_cursor.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "alknet/base/utf8.h"
#include "alknet/tensor/limits.h"

namespace alknet::tensor {
namespace {

// Bytes that end the fast scan of a string: the quote, the backslash and controls.
constexpr std::array<bool, 256> kStringStops = [] {
  std::array<bool, 256> stops{};
  for (std::size_t c = 0; c < 0x20; ++c) stops[c] = true;
  stops['"'] = stops['\\'] = true;
  return stops;
}();

// What a backslash and this byte mean; NUL when they are no short escape.
constexpr std::array<char, 256> kShortEscapes = [] {
  std::array<char, 256> meaning{};
  constexpr std::string_view kLetters = "\"\\/bfnrt", kBytes = "\"\\/\b\f\n\r\t";
  for (std::size_t i = 0; i < kLetters.size(); ++i) meaning[static_cast<unsigned char>(kLetters[i])] = kBytes[i];
  return meaning;
}();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string_view JsonCursor::string(const char* context) {
  expect('"', context);
  char* const start = at_;
  // Locals: a char that is written may be any member, as far as the compiler knows.
  char* at = start;
  char* const end = end_;
  while (at != end && !kStringStops[static_cast<unsigned char>(*at)]) ++at;
  char* to = at;  // from the first escape on, behind at
  while (at != end) {
    const char c = *at;
    if (!kStringStops[static_cast<unsigned char>(c)]) {
      *to++ = c;
      ++at;
      continue;
    }
    if (c == '"') {
      at_ = at + 1;
      return {start, static_cast<std::size_t>(to - start)};
    }
    at_ = at;
    if (c != '\\') throw CursorFault{offset(), "a control character stands unescaped in a string"};
    to = unescape(to);
    at = at_;
  }
  at_ = at;
  throw CursorFault{offset(), "the text ends inside a string"};
}

std::uint32_t JsonCursor::hex4() {
  if (end_ - at_ < 4) throw CursorFault{offset(), "the text ends inside a \\u escape"};
  std::uint32_t code = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = *at_;
    const char lower = static_cast<char>(c | 0x20);
    if (is_digit(c)) {
      code = code * 16 + static_cast<std::uint32_t>(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      code = code * 16 + static_cast<std::uint32_t>(lower - 'a' + 10);
    } else {
      throw CursorFault{offset(), "a \\u escape needs four hexadecimal digits"};
    }
  }
  return code;
}

// Takes one escape and writes what it means to `to`, which is never ahead of at_. Returns the place after it.
char* JsonCursor::unescape(char* to) {
  ++at_;
  if (at_ == end_) throw CursorFault{offset(), "the text ends inside an escape"};
  const char c = *at_++;
  if (const char meaning = kShortEscapes[static_cast<unsigned char>(c)]; meaning != '\0') {
    *to = meaning;
    return to + 1;
  }
  if (c != 'u') throw CursorFault{offset() - 1, "an unknown escape in a string"};
  std::uint32_t code = hex4();
  if (code >= 0xD800 && code < 0xDC00) {
    if (end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') {
      throw CursorFault{offset(), "a \\u escape holds half of a surrogate pair"};
    }
    at_ += 2;
    const std::uint32_t low = hex4();
    if (low < 0xDC00 || low > 0xDFFF) throw CursorFault{offset(), "a \\u escape holds half of a surrogate pair"};
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  } else if (code >= 0xDC00 && code < 0xE000) {
    throw CursorFault{offset(), "a \\u escape holds half of a surrogate pair"};
  }
  std::string encoded;
  append_utf8(encoded, code);
  return std::copy(encoded.begin(), encoded.end(), to);
}

std::optional<std::uint64_t> JsonCursor::unsigned_integer(const char* context) {
  if (!is_digit(peek())) throw CursorFault{offset(), context};
  if (*at_ == '0' && at_ + 1 != end_ && is_digit(at_[1])) {
    throw CursorFault{offset(), "a number starts with a superfluous zero"};
  }
  const char* const first = at_;
  std::uint64_t value = 0;
  for (; at_ != end_ && is_digit(*at_); ++at_) value = value * 10 + static_cast<std::uint64_t>(*at_ - '0');
  if (at_ != end_ && (*at_ == '.' || *at_ == 'e' || *at_ == 'E')) throw CursorFault{offset(), context};
  constexpr std::ptrdiff_t kAlwaysFits = 19;  // digits; beyond, the loop above may have wrapped
  if (at_ - first <= kAlwaysFits) return value;
  const auto [stop, error] = std::from_chars(first, at_, value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

void JsonCursor::skip_number() {
  static constexpr const char* kWhat = "not a JSON value";
  const auto digits = [this] {
    if (at_ == end_ || !is_digit(*at_)) throw CursorFault{offset(), kWhat};
    while (at_ != end_ && is_digit(*at_)) ++at_;
  };
  if (*at_ == '-') ++at_;
  if (at_ != end_ && *at_ == '0') {
    ++at_;
  } else {
    digits();
  }
  if (at_ != end_ && *at_ == '.') {
    ++at_;
    digits();
  }
  if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    digits();
  }
}

void JsonCursor::skip_word(std::string_view word) {
  if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).substr(0, word.size()) != word) {
    throw CursorFault{offset(), "not a JSON value"};
  }
  at_ += word.size();
}

void JsonCursor::skip_value(int depth) {
  switch (peek()) {
    case '"': string(""); return;
    case 't': return skip_word("true");
    case 'f': return skip_word("false");
    case 'n': return skip_word("null");
    case '[':
    case '{': break;
    default:
      if (at_ == end_) throw CursorFault{offset(), "the text ends where a value belongs"};
      return skip_number();
  }
  if (depth >= kMaxJsonDepth) throw CursorFault{offset(), "the text nests too deep", true};
  const bool object = *at_++ == '{';
  const char close = object ? '}' : ']';
  if (accept(close)) return;
  do {
    if (object) {
      string("expected a member's name");
      expect(':', "expected ':' after a member's name");
    }
    skip_value(depth + 1);
  } while (accept(','));
  expect(close, "expected ',' or the end of an array or object");
}

}  // namespace alknet::tensor
