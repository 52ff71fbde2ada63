#include "alknet/compute/tokenizer/wordpiece.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "alknet/base/error.h"

namespace alknet::compute {
namespace {

using Ids = std::vector<std::int32_t>;

WordPiece model(std::initializer_list<std::string_view> tokens, std::string_view prefix = "##") {
  WordPiece model;
  model.continuing_subword_prefix = prefix;
  std::int32_t id = 0;
  for (const auto token : tokens) model.vocabulary.add(token, id++);
  return model;
}

Ids ids(const WordPiece& model, std::string_view word) {
  Ids ids{-1};
  WordPiece::Scratch scratch;
  model.append(ids, word, scratch);
  EXPECT_EQ(ids.front(), -1) << "what was there before must stay";
  ids.erase(ids.begin());
  return ids;
}

TEST(WordPiece, TakesTheLongestTokenAtEachPlace) {
  const auto m = model({"[UNK]", "a", "ab", "##a", "##b", "##bc", "abcd"});
  EXPECT_EQ(ids(m, "abcd"), Ids{6});
  EXPECT_EQ(ids(m, "abb"), (Ids{2, 4}));
  EXPECT_EQ(ids(m, "aabc"), (Ids{1, 3, 5}));
}

TEST(WordPiece, MakesAWordUnknownThatDoesNotComeOut) {
  const auto m = model({"[UNK]", "a", "##b", "ab##"});
  EXPECT_EQ(ids(m, "abq"), Ids{0});
  EXPECT_EQ(ids(m, "b"), Ids{0});
  EXPECT_EQ(ids(m, "aa"), Ids{0}) << "a word start is no continuation";
}

TEST(WordPiece, MatchesThePrefixItselfAtTheStartOfAWordOnly) {
  const auto m = model({"[UNK]", "##", "##b", "x"});
  EXPECT_EQ(ids(m, "##b"), Ids{2});
  EXPECT_EQ(ids(m, "xb"), (Ids{3, 2}));
  EXPECT_EQ(ids(m, "xq"), Ids{0}) << "the prefix alone matches no text and must not go on forever";
}

TEST(WordPiece, WorksWithoutAPrefixAndWithOneLongerThanTheWord) {
  EXPECT_EQ(ids(model({"[UNK]", "a", "b"}, ""), "abba"), (Ids{1, 2, 2, 1}));
  EXPECT_EQ(ids(model({"[UNK]", "a", "@@@@@@@@b"}, "@@@@@@@@"), "abb"), (Ids{1, 2, 2}));
}

TEST(Vocabulary, FindsEveryTokenOfAThousand) {
  Vocabulary vocabulary;
  for (std::int32_t i = 0; i < 1000; ++i) EXPECT_TRUE(vocabulary.add(fmt::format("token {}", i), 2 * i));
  EXPECT_FALSE(vocabulary.add("token 7", 1));
  for (std::int32_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(vocabulary.find(fmt::format("token {}", i)), 2 * i);
    EXPECT_EQ(vocabulary.token(2 * i), fmt::format("token {}", i));
    EXPECT_EQ(vocabulary.token(2 * i + 1), "");
  }
  EXPECT_EQ(vocabulary.find("token"), std::nullopt);
  EXPECT_EQ(vocabulary.size(), 1000U);
  EXPECT_EQ(vocabulary.id_limit(), 1999U);
}

TEST(Vocabulary, IsUsableWhenEmptyAndHoldsTheEmptyToken) {
  Vocabulary vocabulary;
  EXPECT_EQ(vocabulary.find("x"), std::nullopt);
  EXPECT_EQ(vocabulary.token(0), "");
  vocabulary.add("", 3);
  EXPECT_EQ(vocabulary.find(""), 3);
  std::vector<std::uint64_t> hashes;
  EXPECT_EQ(vocabulary.longest_match("x", 0, hashes).bytes, 0U);
}

TEST(Vocabulary, RefusesIdsOutsideItsTable) {
  Vocabulary vocabulary;
  EXPECT_THROW(vocabulary.add("x", -1), Error);
  EXPECT_THROW(vocabulary.add("x", Vocabulary::kMaxId + 1), Error);
}

}  // namespace
}  // namespace alknet::compute
