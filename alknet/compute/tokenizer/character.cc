#include "alknet/compute/tokenizer/character.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/utf16.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "alknet/base/error.h"
#include "alknet/base/utf8.h"

namespace alknet::compute {
namespace {

constexpr unsigned kCategoryTables = 8;       // Unicode 8.0
constexpr unsigned kDecompositionTables = 9;  // Unicode 9.0

/// Characters whose category changed after Unicode 8.0, with the one they had.
struct OldCategory {
  char32_t code;
  UCharCategory category;
};
constexpr std::array<OldCategory, 6> kOldCategories{{{0x166D, U_OTHER_PUNCTUATION},
                                                     {0x1734, U_NON_SPACING_MARK},
                                                     {0x1885, U_OTHER_LETTER},
                                                     {0x1886, U_OTHER_LETTER},
                                                     {0xA9BD, U_COMBINING_SPACING_MARK},
                                                     {0x111C9, U_OTHER_PUNCTUATION}}};

/// Lower case that came after Unicode 15, the oldest that ICU may have: [first, last] map to themselves + distance.
struct NewLowerCase {
  char32_t first;
  char32_t last;
  int distance;
};
constexpr std::array<NewLowerCase, 10> kNewLowerCases{{{0x1C89, 0x1C89, 1},
                                                       {0xA7CB, 0xA7CB, 0x264 - 0xA7CB},
                                                       {0xA7CC, 0xA7CC, 1},
                                                       {0xA7CE, 0xA7CE, 1},
                                                       {0xA7D2, 0xA7D2, 1},
                                                       {0xA7D4, 0xA7D4, 1},
                                                       {0xA7DA, 0xA7DA, 1},
                                                       {0xA7DC, 0xA7DC, 0x19B - 0xA7DC},
                                                       {0x10D50, 0x10D65, 0x20},
                                                       {0x16EA0, 0x16EB8, 0x1B}}};

UChar32 icu(char32_t c) { return static_cast<UChar32>(c); }

unsigned age(char32_t c) {
  UVersionInfo version;
  u_charAge(icu(c), version);
  return version[1] == 0 ? version[0] : version[0] + 1U;  // 8.1 would be newer than 8
}

/// The mask bit of the general category in Unicode 8.0.
std::uint32_t category(char32_t c) {
  for (const auto& old : kOldCategories) {
    if (old.code == c) return U_MASK(old.category);
  }
  const unsigned version = age(c);
  return version == 0 || version > kCategoryTables ? U_GC_CN_MASK : U_GET_GC_MASK(icu(c));
}

const UNormalizer2* canonical_decomposition() {
  UErrorCode status = U_ZERO_ERROR;
  const auto* normalizer = unorm2_getNFDInstance(&status);
  if (U_FAILURE(status)) throw Error(BaseError::kInternal, "ICU has no data for canonical decomposition");
  return normalizer;
}

}  // namespace

bool is_whitespace(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13);
  return u_hasBinaryProperty(icu(c), UCHAR_WHITE_SPACE);
}

bool is_removed_by_cleaning(char32_t c) {
  if (c < 0x80) return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
  return c == 0xFFFD || (category(c) & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK)) != 0;
}

bool is_nonspacing_mark(char32_t c) { return c >= 0x300 && (category(c) & U_GC_MN_MASK) != 0; }

bool is_punctuation(char32_t c) {
  if (c < 0x80) {
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
  }
  return (category(c) & U_GC_P_MASK) != 0;
}

bool is_chinese(char32_t c) {
  constexpr std::array<std::pair<char32_t, char32_t>, 8> kBlocks{{{0x3400, 0x4DBF},
                                                                  {0x4E00, 0x9FFF},
                                                                  {0xF900, 0xFAFF},
                                                                  {0x20000, 0x2A6DF},
                                                                  {0x2A700, 0x2B73F},
                                                                  {0x2B740, 0x2B81F},
                                                                  {0x2B920, 0x2CEAF},
                                                                  {0x2F800, 0x2FA1F}}};
  if (c < kBlocks.front().first) return false;
  return std::any_of(kBlocks.begin(), kBlocks.end(),
                     [c](const auto& block) { return c >= block.first && c <= block.second; });
}

bool is_word_character(char32_t c) {
  return u_isUAlphabetic(icu(c)) || u_hasBinaryProperty(icu(c), UCHAR_JOIN_CONTROL) ||
         (U_GET_GC_MASK(icu(c)) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0;
}

unsigned combining_class(char32_t c) {
  if (c < 0x300) return 0;
  const unsigned value = u_getCombiningClass(icu(c));
  return value != 0 && age(c) <= kDecompositionTables ? value : 0;
}

void append_decomposition(std::u32string& to, char32_t c) {
  constexpr std::int32_t kMostUnits = 32;  // the longest canonical decomposition has 4 code points
  static const UNormalizer2* const normalizer = canonical_decomposition();
  UChar units[kMostUnits];
  UErrorCode status = U_ZERO_ERROR;
  const std::int32_t count = unorm2_getDecomposition(normalizer, icu(c), units, kMostUnits, &status);
  if (U_FAILURE(status)) throw Error(BaseError::kInternal, "ICU cannot decompose a character");
  if (count < 0 || age(c) > kDecompositionTables) {
    to += c;
    return;
  }
  for (std::int32_t i = 0; i < count;) {
    UChar32 part;
    U16_NEXT(units, i, count, part);
    to += static_cast<char32_t>(part);
  }
}

void append_lower_case(std::string& to, char32_t c) {
  if (c < 0x80) {
    to += static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    return;
  }
  if (c == 0x130) {  // the only character whose lower case has two: i and a dot above
    to += "i\xCC\x87";
    return;
  }
  char32_t lower = static_cast<char32_t>(u_tolower(icu(c)));
  if (lower == c) {
    for (const auto& range : kNewLowerCases) {
      if (c >= range.first && c <= range.last) lower = static_cast<char32_t>(icu(c) + range.distance);
    }
  }
  append_utf8(to, lower);
}

}  // namespace alknet::compute
