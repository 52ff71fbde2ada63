#include "alknet/schema/regex.h"

#include <gtest/gtest.h>

#include <string>

#include "alknet/base/json.h"
#include "alknet/schema/error.h"

namespace alknet::schema {
namespace {

struct Case {
  std::string_view pattern;
  std::string text;
  bool matches;
};

class RegexMatching : public testing::TestWithParam<Case> {};

TEST_P(RegexMatching, IsThatOfEcmaScript) {
  const auto& [pattern, text, matches] = GetParam();
  EXPECT_EQ(Regex(pattern).matches(text), matches) << pattern << " on " << text << " as " << translate_pattern(pattern);
}

const Case kCases[] = {
    {"", "", true},
    {"b", "abc", true},  // not anchored
    {"^b", "abc", false},
    {"^abc$", "abc\n", false},  // $ is the very end
    {"^\\d+$", "0159", true},
    {"^\\d$", "\xDF\xAD", false},  // NKO DIGIT THREE: \d is ASCII
    {"^\\w$", "\xC3\xA9", false},  // e with acute: \w is ASCII
    {"^\\W$", "\xC3\xA9", true},
    {"^\\s$", "\x0B", true},
    {"^\\s$", "\xC2\xA0", true},       // no-break space
    {"^\\s$", "\xEF\xBB\xBF", true},   // zero width no-break space
    {"^\\s$", "\xE2\x80\xA9", true},   // paragraph separator
    {"^\\s$", "\xE2\x80\x8B", false},  // zero width space
    {"^\\S$", "\xC2\xA0", false},
    {"^\\S$", "x", true},
    {"^[\\s]$", "\xE2\x80\xA8", true},
    {"^[^\\s]$", "\xE2\x80\xA8", false},
    {"^[\\S]$", "\xC2\xA0", false},
    {"^[^\\S]$", "\xC2\xA0", true},
    {"^.$", "\xE2\x80\xA8", false},  // a line terminator
    {"^.$", "\r", false},
    {"^.$", "\xF0\x9F\x98\x80", true},  // one code point
    {"^\\u0041$", "A", true},
    {"^\\uD83D\\uDE00$", "\xF0\x9F\x98\x80", true},
    {"^\\u{1F600}$", "\xF0\x9F\x98\x80", true},
    {"^[\\u{1F600}-\\u{1F64F}]$", "\xF0\x9F\x98\x81", true},
    {"^\\x41\\cC\\0$", std::string("A\x03\0", 3), true},
    {"^[\\b]$", "\b", true},
    {"^\\t\\n\\v\\f\\r$", "\t\n\v\f\r", true},
    {"^\\p{Letter}$", "\xC3\xA9", true},
    {"^\\p{L}\\P{Letter}$", "a1", true},
    {"^\\p{Lowercase_Letter}$", "A", false},
    {"^[\\p{gc=Lu}\\p{Decimal_Number}]+$", "A1", true},
    {"^\\p{Script=Greek}$", "\xCE\xB1", true},
    {"^\\p{sc=Grek}$", "a", false},
    {"^\\p{digit}+$", "\xE0\xA7\xAA", true},  // a Bengali digit
    {"^\\p{Cased_Letter}$", "x", true},
    {"^\\P{LC}$", "x", false},
    {"^[\\p{ASCII}]$", "\xC3\xA9", false},
    {"^[]$", "x", false},
    {"^[^]$", "\n", true},
    {"^[[]$", "[", true},
    {"^[a^]$", "^", true},
    {"^[\\w-.]$", "-", true},
    {"^[a\\-z]$", "b", false},
    {"^[a-c]$", "b", true},
    {"^(?<year>[0-9]{4})-(?:x|y)$", "2024-y", true},
    {"^a{2,3}?$", "aaa", true},
    {"^a{,3}$", "a{,3}", true},
    {"^{}$", "{}", true},
    {"^]$", "]", true},
    {"^\\/\\-\\.\\$$", "/-.$", true},
    {"^\\Bx", "x", false},
    {"x\\b", "x y", true},
    {"^(a+)+$", std::string(50'000, 'a') + "b", false},
};
INSTANTIATE_TEST_SUITE_P(All, RegexMatching, testing::ValuesIn(kCases));

struct Refusal {
  std::string_view pattern, code;
  int position;
};
class RegexRefusing : public testing::TestWithParam<Refusal> {};

TEST_P(RegexRefusing, NamesTheCodeAndThePosition) {
  const auto& [pattern, code, position] = GetParam();
  try {
    const Regex regex(pattern);
    ADD_FAILURE() << pattern;
  } catch (const Error& error) {
    EXPECT_EQ(error.code_name(), code) << error.message();
    EXPECT_EQ(error.details().at("pattern_position").to_number<int>(), position) << error.message();
  }
}

const Refusal kRefusals[] = {
    {"ab(?=c)", "pattern_unsupported", 2},
    {"(?!c)", "pattern_unsupported", 0},
    {"x(?<=c)", "pattern_unsupported", 1},
    {"x(?<!c)", "pattern_unsupported", 1},
    {"(a)\\1", "pattern_unsupported", 3},
    {"(?<n>a)\\k<n>", "pattern_unsupported", 7},
    {"\\p{Emoji}", "pattern_unsupported", 0},
    {"a{1001}", "pattern_unsupported", 1},
    {"\\uD800", "pattern_unsupported", 0},
    {"a(", "schema_invalid", 0},
    {"[a", "schema_invalid", 0},
    {"a**", "schema_invalid", 1},
    {"\\a", "schema_invalid", 0},
    {"\\Z", "schema_invalid", 0},
    {"x\\", "schema_invalid", 1},
    {"\\u12", "schema_invalid", 0},
    {"(?i)a", "schema_invalid", 0},
    {"\\c1", "schema_invalid", 0},
    {"\\u{110000}", "schema_invalid", 0},
    {"((((a{100}){100}){100}){100})", "pattern_unsupported", 5},
};
INSTANTIATE_TEST_SUITE_P(All, RegexRefusing, testing::ValuesIn(kRefusals));

TEST(Regex, RefusesLongAndExpensivePatterns) {
  const auto code = [](const std::string& pattern) {
    try {
      const Regex regex(pattern);
      return std::string("fine");
    } catch (const Error& error) {
      return error.code_name();
    }
  };
  EXPECT_EQ(code(std::string(65'537, 'a')), "pattern_too_large");
  EXPECT_EQ(code(std::string(65'536, 'a')), "fine");
  std::string expensive;
  for (int i = 0; i < 2'000; ++i) expensive += "[\\u0100-\\uFFFF]{100}";
  EXPECT_EQ(code(expensive), "pattern_too_large");
}

TEST(Regex, MatchesTextsOfOneClassAsTheAutomatonDoes) {
  // Around each pattern an empty group, which only the automaton reads.
  for (const std::string_view pattern : {"^[a-z]*$", "^[a-z]+$", "^[-a]*$", "^[a-]+$", "^[a-c-e]+$", "^[ -~]*$",
                                         "^[.$*+?(){}|]+$", "^[a-zA-Z0-9_.-]+$", "^[,--]*$", "^[--0]+$"}) {
    const Regex simple(pattern), automaton("(?:)" + std::string(pattern));
    EXPECT_EQ(simple.matches(""), automaton.matches("")) << pattern;
    for (int c = 1; c < 128; ++c) {
      for (const std::string_view before :
           {"", "a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
        const auto text = std::string(before) + static_cast<char>(c);
        EXPECT_EQ(simple.matches(text), automaton.matches(text)) << pattern << " " << c;
      }
    }
    EXPECT_FALSE(simple.matches("a\u00e9"));
    EXPECT_EQ(simple.matches("a\n"), automaton.matches("a\n")) << pattern;
  }
}

}  // namespace
}  // namespace alknet::schema
