#include "alknet/compute/tokenizer/hostile_lines.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>

#include "alknet/base/utf8.h"

namespace alknet::compute {
namespace {

// One group of texts a comment.
// clang-format off
constexpr std::string_view kSnippets[] = {
    // Plain and punctuated
    "A dog runs in the park.", "The quick brown fox", "don't", "e-mail@example.com",
    "https://example.org/a?b=c&d=%20", "$1,234.56", "C++20", "unaffable", "embeddings", "3.14159e-10", "...!!!???",
    "`~^|<>=+$", "(a[b]{c})", "\"quoted\"", "\\n", "snake_case", "CamelCaseWord", "ALLCAPS", "a.b.c.d",
    // Accents, composed and not; ligatures; letters whose lower case is special
    "café", "cafe\u0301", "naïve", "Ångström", "A\u030Angstro\u0308m", "ÀÉÎÕÜ", "ñandú", "Dvořák", "Łódź", "Øresund",
    "straße", "STRASSE ẞ", "ﬁnance ﬂow ﬀ ﬃ", "Ǆ ǅ ǆ", "İstanbul", "I\u0307stanbul", "ıspanak", "ΟΔΥΣΣΕΥΣ", "Σίσυφος",
    "ὈΔΥΣΣΕΎΣ", "ᾼ ῌ ῼ", "ΐ ΰ", "K Å Ω", "ſtop", "Æsir Œuvre Þorn", "ŉ ǰ", "Ậ ậ ậ", "Việt Nam", "Vie\u0323\u0302t",
    "q\u0307\u0323", "q\u0323\u0307", "a\u0315\u0300\u05AE\u0062", "Ꭰ ꭰ Ა ა",
    // Ideographs, kana, Hangul in syllables and in jamo
    "中文分词", "我爱北京天安门", "日本語のテスト", "カタカナ ﾊﾝｶｸ", "ガ か\u3099", "한국어 토크나이저", "한\u1100\u1161\u11A8",
    "\u1112\u1161\u11AB\u1100\u116E\u11A8", "𠀀𠀁𪛖", "𫝀𫠠𬺡", "\uF900\uFA0E\uFAD9", "\U0002F800", "㍻ ㈱ ①", "、。「」・",
    "ＡＢＣ１２３！",
    // Emoji, with modifiers, joiners, flags, keycaps, tags
    "😀", "👍🏽", "👨‍👩‍👧‍👦", "🇩🇪🇫🇷", "1️⃣", "❤️", "☃", "🏴\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F",
    "😀text😀", "™ © ® € £ ¥", "½ ² ³ ₁", "→ ⇒ ∞ ≠",
    // Right to left, with marks and controls; Indic; Thai; others
    "שלום עולם", "שָׁלוֹם", "مرحبا بالعالم", "مُحَمَّد", "\u202Eabc\u202C", "\u2067x\u2069", "नमस्ते दुनिया",
    "क्षत्रिय", "தமிழ்", "ภาษาไทย", "ไม่มี", "ខ្មែរ", "မြန်မာ", "བོད་སྐད", "ქართული", "Հայերեն", "Привет, МИР!",
    "Ёлка Йод", "አማርኛ", "ᏣᎳᎩ", "ߒߞߏ", "۱۲۳ ٤٥٦", "։ ؟ ، ؛ ।", "«guillemets» „low“ ‘single’", "– — ― ‐ ‑", "…",
    "‽ ⁂ ⸘",
    // White space and what looks like it
    " ", "  ", "\t", "\n", "\r\n", "\v", "\f", "\u00A0", "\u1680", "\u2003", "\u2028", "\u2029", "\u202F", "\u205F",
    "\u3000", "\u0085", "\u200B", "\u2060", "\uFEFF", "\u180E", "a\u00A0b", "a\u200Bb", "a\u00ADb", "\u2800",
    "\u3164",
    // Control, private use, not characters, replacement, edges of the surrogates and of Unicode
    "\x01", "\x7F", "a\037b", "\u0080", "\u009F", "\uE000", "\uF8FF", "\uD7FF", "\uD7FB", "\uFFFD", "\uFFFE",
    "\uFFFF", "\uFDD0", "\U000F0000", "\U0010FFFD", "\U0010FFFF", "\U000E0001", "\u0378", "\U0001F9FF", "\U00011938",
    "\u08E2", "\U000110CD", "\u166D", "\u1734", "\uA9BD\u1885", "\U000111C9", "\u2E5D", "\U000A7CB0", "\uA7CB\u1C89",
    // Special tokens and what resembles them
    "[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]", "[cls]", "[ CLS ]", "[CLS", "CLS]", "[[CLS]]", "x[SEP]y",
    "[MASK][MASK]", "[PA\u0301D]", "##ing", "[unused1]", "<s>", "</s>", "<Name>", "<name>", "x<NAME>y", "wholeword",
    "awholeword", "wholewords", "wholeword.", "\u0301wholeword", "<strip>", "  <strip>  ", "\u3000<strip>\n",
    "<stripmore>", " <StripMore> \t", "a<stripmore>", "É!", "é!", "e!", "E\u0301!",
};
// clang-format on

/// Code points from each, so that what no table above thought of comes up too.
constexpr std::pair<char32_t, char32_t> kRanges[] = {
    {0x00, 0x7F},       {0x80, 0xFF},       {0x100, 0x24F},     {0x250, 0x36F},     {0x370, 0x3FF},
    {0x400, 0x52F},     {0x530, 0x7FF},     {0x800, 0xDFF},     {0xE00, 0x10FF},    {0x1100, 0x11FF},
    {0x1200, 0x1FFF},   {0x2000, 0x206F},   {0x2070, 0x2BFF},   {0x2C00, 0x2FFF},   {0x3000, 0x33FF},
    {0x3400, 0x4DFF},   {0x4E00, 0x9FFF},   {0xA000, 0xABFF},   {0xAC00, 0xD7FF},   {0xE000, 0xF8FF},
    {0xF900, 0xFAFF},   {0xFB00, 0xFFFF},   {0x10000, 0x11FFF}, {0x12000, 0x1CFFF}, {0x1D000, 0x1D7FF},
    {0x1E000, 0x1EFFF}, {0x1F000, 0x1FAFF}, {0x20000, 0x3FFFF}, {0xE0000, 0x10FFFF}};

/// A small generator (splitmix64) that gives the same numbers everywhere.
class Numbers {
 public:
  std::size_t below(std::size_t limit) {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<std::size_t>((z ^ (z >> 31)) % limit);
  }

 private:
  std::uint64_t state_ = 7;
};

char32_t random_code_point(Numbers& numbers) {
  const auto& [first, last] = kRanges[numbers.below(std::size(kRanges))];
  return first + static_cast<char32_t>(numbers.below(last - first + 1));
}

std::string snippets(Numbers& numbers) {
  std::string line;
  for (std::size_t i = 1 + numbers.below(12); i > 0; --i) {
    line += kSnippets[numbers.below(std::size(kSnippets))];
    if (numbers.below(3) != 0) line += ' ';
  }
  return line;
}

std::string soup(Numbers& numbers) {
  std::string line;
  for (std::size_t i = 1 + numbers.below(60); i > 0; --i) append_utf8(line, random_code_point(numbers));
  return line;
}

/// Combining marks in any order on letters.
std::string marks(Numbers& numbers) {
  std::string line;
  for (std::size_t i = 1 + numbers.below(20); i > 0; --i) {
    append_utf8(line, U'a' + static_cast<char32_t>(numbers.below(26)));
    for (std::size_t m = numbers.below(6); m > 0; --m) {
      constexpr std::pair<char32_t, char32_t> kMarks[] = {
          {0x300, 0x36F},   {0x591, 0x5C7},   {0x8CA, 0x8FF},     {0x1AB0, 0x1ACE}, {0x1DC0, 0x1DFF},
          {0x20D0, 0x20F0}, {0xFE20, 0xFE2F}, {0x1D165, 0x1D1AD}, {0x93C, 0x94D},   {0x1E000, 0x1E02A}};
      const auto& [first, last] = kMarks[numbers.below(std::size(kMarks))];
      append_utf8(line, first + static_cast<char32_t>(numbers.below(last - first + 1)));
    }
  }
  return line;
}

/// Words around and far beyond the longest that the model takes, in letters of 1 to 4 bytes.
std::string long_words(Numbers& numbers) {
  std::string line;
  for (std::size_t i = 1 + numbers.below(3); i > 0; --i) {
    constexpr std::array<std::string_view, 6> kLetters{"a", "é", "ing", "я", "ท", "𝒜"};
    const auto letter = kLetters[numbers.below(kLetters.size())];
    constexpr std::array<std::size_t, 8> kLengths{19, 20, 21, 33, 99, 100, 101, 5000};
    for (std::size_t n = kLengths[numbers.below(kLengths.size())]; n > 0; --n) line += letter;
    line += ' ';
  }
  return line;
}

}  // namespace

std::vector<std::string> hostile_lines(std::size_t count) {
  Numbers numbers;
  std::vector<std::string> lines{"", " ", "\t\n"};
  for (const auto snippet : kSnippets) lines.emplace_back(snippet);
  while (lines.size() < count) {
    switch (numbers.below(8)) {
      case 0:
      case 1: lines.push_back(soup(numbers)); break;
      case 2: lines.push_back(marks(numbers)); break;
      case 3: lines.push_back(long_words(numbers)); break;
      default: lines.push_back(snippets(numbers));
    }
  }
  lines.resize(count);
  return lines;
}

std::vector<std::string> every_code_point() {
  constexpr std::size_t kPerLine = 256;
  constexpr char32_t kStep = 101;
  constexpr std::pair<char32_t, char32_t> kAlike[] = {{0x3500, 0x4D00},   {0x4F00, 0x9F00},   {0xAD00, 0xD700},
                                                      {0xE100, 0xF800},   {0x20100, 0x2A600}, {0x2B900, 0x2F700},
                                                      {0x2FB00, 0xDFF00}, {0xE0300, 0x10FF00}};
  std::vector<std::string> lines;
  std::size_t count = 0;
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    const bool alike = std::any_of(std::begin(kAlike), std::end(kAlike),
                                   [code](const auto& block) { return code >= block.first && code < block.second; });
    if (alike && code % kStep != 0) continue;
    if (count++ % kPerLine == 0) lines.emplace_back();
    std::string& line = lines.back();
    std::string character;
    append_utf8(character, code);
    // Alone, inside a word, and between spacing marks of combining classes 216 and 9, which survive normalisation.
    line.append(character).append(" e").append(character).append("e e\U0001D165").append(character).append("\u1BAA ");
  }
  return lines;
}

}  // namespace alknet::compute
