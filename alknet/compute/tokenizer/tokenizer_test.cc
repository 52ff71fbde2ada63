#include "alknet/compute/tokenizer/tokenizer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <cstdlib>
#include <string>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/base/files.h"
#include "alknet/base/json.h"
#include "alknet/compute/tokenizer/hostile_lines.h"

namespace alknet::compute {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

constexpr std::size_t kNoLimit = 1 << 30;

fs::path testdata(std::string_view name) {
  return fs::path(ALKNET_SOURCE_DIR) / "alknet/compute/tokenizer/testdata" / name;
}

Tokenizer tiny() { return Tokenizer::load(testdata("tiny.json")); }

/// The tokens of a text, as text.
std::vector<std::string> tokens(const Tokenizer& tokenizer, std::string_view text, std::size_t max_length = kNoLimit) {
  std::vector<std::string> tokens;
  for (const auto id : tokenizer.encode(text, max_length).ids) tokens.emplace_back(tokenizer.id_to_token(id));
  return tokens;
}

TEST(Tokenizer, SplitsWordsIntoTheLongestPieces) {
  EXPECT_THAT(tokens(tiny(), "The dogs RUNNING, unable."),
              ElementsAre("[CLS]", "the", "dog", "##s", "run", "##ning", ",", "un", "##able", ".", "[SEP]"));
}

TEST(Tokenizer, GivesTheSpecialTokensAloneForAnEmptyText) {
  for (const auto* text : {"", " \t\n", "\x01"})
    EXPECT_THAT(tokens(tiny(), text), ElementsAre("[CLS]", "[SEP]")) << text;
}

TEST(Tokenizer, DropsTheEndOfALongTextAndCountsIt) {
  const auto tokenizer = tiny();
  const auto encoding = tokenizer.encode("the dog the cat the", 5);
  EXPECT_EQ(encoding.truncated, 2U);
  EXPECT_THAT(tokens(tokenizer, "the dog the cat the", 5), ElementsAre("[CLS]", "the", "dog", "the", "[SEP]"));
  EXPECT_EQ(tokenizer.encode("the dog", 4).truncated, 0U);
  EXPECT_THAT(tokens(tokenizer, "the dog", 2), ElementsAre("[CLS]", "[SEP]"));
  EXPECT_THROW(tokenizer.encode("the dog", 1), Error);
}

TEST(Tokenizer, CountsCodePointsForTheLongestWord) {
  const auto tokenizer = tiny();  // 20 at most
  std::string word;
  for (int i = 0; i < 20; ++i) word += "σ";
  EXPECT_EQ(tokenizer.encode(word, kNoLimit).ids.size(), 22U);
  EXPECT_THAT(tokens(tokenizer, word + "σ"), ElementsAre("[CLS]", "[UNK]", "[SEP]"));
}

TEST(Tokenizer, FindsAddedTokensInTheText) {
  const auto tokenizer = tiny();
  EXPECT_THAT(tokens(tokenizer, "a[SEP]dog [CLS]"), ElementsAre("[CLS]", "a", "[SEP]", "dog", "[CLS]", "[SEP]"));
  // Not normalised: only as written.
  EXPECT_THAT(tokens(tokenizer, "[sep]"), ElementsAre("[CLS]", "[", "[UNK]", "]", "[SEP]"));
  // Normalised: however it is written, and as its own normal form.
  EXPECT_THAT(tokens(tokenizer, "x<NAME>y"), ElementsAre("[CLS]", "x", "<Name>", "y", "[SEP]"));
  EXPECT_THAT(tokens(tokenizer, "e!"), ElementsAre("[CLS]", "É!", "[SEP]"));
}

TEST(Tokenizer, MatchesSingleWordTokensOnlyAsWords) {
  const auto tokenizer = tiny();
  EXPECT_THAT(tokens(tokenizer, "a wholeword."), ElementsAre("[CLS]", "a", "wholeword", ".", "[SEP]"));
  EXPECT_THAT(tokens(tokenizer, "wholewords"), ElementsAre("[CLS]", "[UNK]", "[SEP]"));
  EXPECT_THAT(tokens(tokenizer, "\u0301wholeword"), ElementsAre("[CLS]", "[UNK]", "[SEP]"));
}

TEST(Tokenizer, LetsTokensTakeTheSpaceBesideThem) {
  // "  " is a token of its own, where no other token took it.
  EXPECT_THAT(tokens(tiny(), "a  dog"), ElementsAre("[CLS]", "a", "  ", "dog", "[SEP]"));
  EXPECT_THAT(tokens(tiny(), "a [MASK] dog"), ElementsAre("[CLS]", "a", "[MASK]", "dog", "[SEP]"));
  EXPECT_THAT(tokens(tiny(), "a \t<strip>\u3000dog"), ElementsAre("[CLS]", "a", "<strip>", "dog", "[SEP]"));
}

TEST(Tokenizer, NamesTheByteThatIsNotUtf8) {
  try {
    tiny().encode("dog \xC3", kNoLimit);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code_name(), "invalid_argument");
    EXPECT_EQ(error.details().at("byte").to_number<int>(), 4);
  }
}

TEST(Tokenizer, TranslatesBetweenIdsAndTokens) {
  const auto tokenizer = tiny();
  EXPECT_EQ(tokenizer.pad_id(), 0);
  EXPECT_EQ(tokenizer.token_to_id("[MASK]"), 4);
  EXPECT_EQ(tokenizer.token_to_id("no such token"), std::nullopt);
  for (std::size_t id = 0; id < tokenizer.size(); ++id) {
    const auto token = tokenizer.id_to_token(static_cast<std::int32_t>(id));
    EXPECT_EQ(tokenizer.token_to_id(token), id) << token;
  }
  EXPECT_EQ(tokenizer.id_to_token(-1), "");
  EXPECT_EQ(tokenizer.id_to_token(static_cast<std::int32_t>(tokenizer.size())), "");
}

/// Compares with the `tokenizers` package, where the checkout has a Python that has it.
class TokenizersPackage : public testing::Test {
 protected:
  void SetUp() override {
    const char* deps = std::getenv("ALKNET_DEPS");
    python_ = (deps ? fs::path(deps) : fs::path(ALKNET_SOURCE_DIR) / ".deps") / "python/bin/python3";
    if (!fs::exists(python_) ||
        std::system(fmt::format("'{}' -c 'import tokenizers' 2>/dev/null", python_.native()).c_str()) != 0) {
      GTEST_SKIP() << python_ << " with the package `tokenizers` is missing: bin/setup installs it";
    }
    std::string name = (fs::temp_directory_path() / "alknet_tokenizer_XXXXXX").native();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }

  void run(std::string_view arguments) {
    const auto command = fmt::format("'{}' '{}' {}", python_.native(), testdata("reference.py").native(), arguments);
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }

  /// Expects the ids of the package for each line, whole and cut at 256.
  void expect_equal(const fs::path& tokenizer_file, const std::vector<std::string>& lines) {
    write_file(folder_ / "lines.json", json_text(JsonArray(lines.begin(), lines.end())));
    run(fmt::format("encode '{}' '{}' '{}'", tokenizer_file.native(), (folder_ / "lines.json").native(),
                    (folder_ / "ids.json").native()));
    const Json reference = parse_json(read_file(folder_ / "ids.json", 1 << 30));
    ASSERT_EQ(reference.as_array().size(), lines.size());
    const auto tokenizer = Tokenizer::load(tokenizer_file);
    std::size_t different = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      std::vector<std::int32_t> expected;
      for (const auto& id : reference.as_array()[i].as_array()) expected.push_back(id.to_number<std::int32_t>());
      const auto actual = tokenizer.encode(lines[i], kNoLimit);
      if (actual.ids != expected && ++different <= 5) {
        ADD_FAILURE() << "line " << i << ": " << json_text(Json(lines[i])).substr(0, 400) << "\n  package "
                      << testing::PrintToString(expected) << "\n  ours    " << testing::PrintToString(actual.ids);
      }
      expect_cut(tokenizer, lines[i], expected);
    }
    EXPECT_EQ(different, 0U) << "of " << lines.size() << " lines";
  }

  /// Truncation at the length that MiniLM uses keeps the special tokens and drops the end.
  static void expect_cut(const Tokenizer& tokenizer, std::string_view line, std::vector<std::int32_t> expected) {
    constexpr std::size_t kMost = 256;
    const auto cut = tokenizer.encode(line, kMost);
    const std::size_t dropped = expected.size() > kMost ? expected.size() - kMost : 0;
    expected.erase(expected.end() - 1 - static_cast<std::ptrdiff_t>(dropped), expected.end() - 1);
    EXPECT_EQ(cut.truncated, dropped);
    EXPECT_EQ(cut.ids, expected);
  }

  fs::path python_;
  fs::path folder_;
};

TEST_F(TokenizersPackage, AgreesOnHostileLinesWithMiniLm) {
  const char* variable = std::getenv("ALKNET_MODEL");
  const fs::path model = variable ? fs::path(variable) : cache_folder() / "models/all-MiniLM-L6-v2";
  if (!fs::exists(model / "tokenizer.json")) {
    GTEST_SKIP() << "no tokenizer.json in " << model
                 << ": `alknet model pull` installs it, ALKNET_MODEL names another folder";
  }
  expect_equal(model / "tokenizer.json", hostile_lines(2000));
}

TEST_F(TokenizersPackage, AgreesOnHostileLinesAndAddedTokensWithATinyVocabulary) {
  expect_equal(testdata("tiny.json"), hostile_lines(2000));
}

TEST_F(TokenizersPackage, AgreesOnEveryCodePointWithEachSettingOfTheNormaliser) {
  const auto file = folder_ / "wide.json";
  run(fmt::format("wide '{}' '{}'", testdata("tiny.json").native(), file.native()));
  Json document = parse_json(read_file(file, 1 << 30));
  auto& normalizer = document.at("normalizer").as_object();
  const Json original = normalizer;
  for (const auto* settings :
       {R"({})", R"({"strip_accents":false})", R"({"lowercase":false})", R"({"strip_accents":true,"lowercase":false})",
        R"({"clean_text":false,"handle_chinese_chars":false})"}) {
    SCOPED_TRACE(settings);
    normalizer = original.as_object();
    const Json changes = parse_json(settings);
    for (const auto& change : changes.as_object()) normalizer[change.key()] = change.value();
    write_file(file, json_text(document));
    expect_equal(file, every_code_point());
  }
}

}  // namespace
}  // namespace alknet::compute
