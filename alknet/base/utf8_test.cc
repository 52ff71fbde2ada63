#include "alknet/base/utf8.h"

#include <gtest/gtest.h>

#include "alknet/base/error.h"
#include "alknet/base/json.h"

namespace alknet {
namespace {

bool is_surrogate(char32_t code) { return code >= 0xD800 && code <= 0xDFFF; }

TEST(Utf8, RoundTripsEveryCodePoint) {
  std::string all;
  std::size_t count = 0;
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    if (is_surrogate(code)) continue;
    append_utf8(all, code);
    ++count;
  }
  EXPECT_EQ(find_invalid_utf8(all), std::nullopt);
  EXPECT_EQ(count_code_points(all), count);
  std::size_t position = 0;
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    if (is_surrogate(code)) continue;
    ASSERT_EQ(next_code_point(all, position), code);
  }
  EXPECT_EQ(position, all.size());
}

TEST(Utf8, RefusesWhatTheStandardRefuses) {
  // The first byte of each is at fault: RFC 3629 section 3 and the well-formed table of Unicode (3-7).
  for (const std::string_view bad :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xE2\x82",
        "\xE2\x82\x41", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF"}) {
    // At the start, behind a long run of ASCII, at the very end and with text behind it.
    for (const std::size_t before : {0UL, 1UL, 15UL, 16UL, 17UL, 100UL}) {
      for (const std::size_t behind : {0UL, 1UL, 40UL}) {
        const std::string text = std::string(before, 'a') + std::string(bad) + std::string(behind, 'b');
        EXPECT_EQ(find_invalid_utf8(text), before) << before << ' ' << behind;
      }
    }
  }
  EXPECT_EQ(find_invalid_utf8(std::string_view("a\0b", 3)), std::nullopt);
}

TEST(Utf8, NamesTheByteInItsError) {
  try {
    require_utf8("ab\xFF", "the sentence");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code_name(), "invalid_argument");
    EXPECT_EQ(error.message(), "the sentence is not UTF-8 at byte 2: convert it first");
    EXPECT_EQ(error.details().at("byte").to_number<int>(), 2);
  }
}

TEST(EscapeControls, ShowsWhatATerminalWouldObey) {
  EXPECT_EQ(escape_controls("a\tb\nc é 漢 😀"), "a\tb\nc é 漢 😀");
  EXPECT_EQ(escape_controls("\x1b[31mred\x1b]0;title\a\r\b\x7f"),
            "\\u001b[31mred\\u001b]0;title\\u0007\\u000d\\u0008\\u007f");
  EXPECT_EQ(escape_controls(std::string_view("\0", 1)), "\\u0000");
  EXPECT_EQ(escape_controls("\u009b2J \u202egnp.exe\u2066"), "\\u009b2J \\u202egnp.exe\\u2066");
  EXPECT_EQ(escape_controls("a\xff\xc3"), "a\\xff\\xc3");
  EXPECT_EQ(escape_controls("\x9b"), "\\x9b") << "as a byte it is a command for some";
  EXPECT_EQ(escape_controls(""), "");
}

TEST(IsAscii, SeesOneOtherByteAtAnyPlaceOfAnyLength) {
  for (std::size_t size = 0; size < 70; ++size) {
    std::string text(size, '\x7f');
    EXPECT_TRUE(is_ascii(text)) << size;
    for (std::size_t at = 0; at < size; ++at) {
      text[at] = '\x80';
      EXPECT_FALSE(is_ascii(text)) << size << ", " << at;
      text[at] = 0;
    }
  }
}

}  // namespace
}  // namespace alknet
