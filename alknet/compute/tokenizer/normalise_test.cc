#include "alknet/compute/tokenizer/normalise.h"

#include <gtest/gtest.h>

namespace alknet::compute {
namespace {

using namespace std::string_view_literals;

std::string normalised(std::string_view text, const BertNormaliser& normaliser = {}) {
  std::string to;
  normaliser.append(to, text);
  return to;
}

TEST(BertNormaliser, CleansControlCharactersAndWhiteSpace) {
  const BertNormaliser clean{true, false, false, false};
  EXPECT_EQ(normalised("a\0b\x01\x7F\uFFFD\u200B\uE000c"sv, clean), "abc");
  EXPECT_EQ(normalised("a\tb\r\nc\u3000d\u00A0e", clean), "a b  c d e");
  // In Unicode but not in the tables of the package, so it stays.
  EXPECT_EQ(normalised("\u08E2", clean), "\u08E2");
}

TEST(BertNormaliser, PutsSpacesAroundIdeographs) {
  const BertNormaliser chinese{false, true, false, false};
  EXPECT_EQ(normalised("a中文b", chinese), "a 中  文 b");
  EXPECT_EQ(normalised("かな한글", chinese), "かな한글");
}

TEST(BertNormaliser, StripsAccentsComposedOrNot) {
  const BertNormaliser strip{false, false, true, false};
  EXPECT_EQ(normalised("Éa\u0301\u0323 Việt", strip), "Ea Viet");
  EXPECT_EQ(normalised("각", strip), "\u1100\u1161\u11A8");
  // Marks that stay come out in canonical order (combining classes 9 and 216).
  EXPECT_EQ(normalised("a\U0001D165\u1734", strip), "a\U0001D165");
  EXPECT_EQ(normalised("a\U0001D165\u1BAA", strip), "a\u1BAA\U0001D165");
}

TEST(BertNormaliser, LowersEachCharacterByItself) {
  const BertNormaliser lower{false, false, false, true};
  EXPECT_EQ(normalised("ΣΊΣΥΦΟΣ", lower), "σίσυφοσ") << "no final sigma";
  EXPECT_EQ(normalised("İI", lower), "i\u0307i");
  EXPECT_EQ(normalised("ẞ Ǆ 𐐀", lower), "ß ǆ 𐐨");
}

TEST(BertNormaliser, LeavesTextAloneWithoutSettings) {
  EXPECT_EQ(normalised("É\t\u0001中", BertNormaliser::none()), "É\t\u0001中");
}

}  // namespace
}  // namespace alknet::compute
