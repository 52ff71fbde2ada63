#include "alknet/compute/tokenizer/tokenizer_json.h"

#include <gtest/gtest.h>

#include <functional>

#include "alknet/base/error.h"
#include "alknet/base/files.h"
#include "alknet/compute/tokenizer/tokenizer.h"

namespace alknet::compute {
namespace {

Json tiny() { return parse_json(read_file(ALKNET_SOURCE_DIR "/alknet/compute/tokenizer/testdata/tiny.json", 1 << 20)); }

/// Code and place of the refusal of tiny.json after `change`, "accepted" when there is none.
std::string refusal(const std::function<void(JsonObject&)>& change) {
  Json document = tiny();
  change(document.as_object());
  try {
    Tokenizer::parse(json_text(document));
  } catch (const Error& error) {
    const auto path = std::string(error.details().at("path").as_string());
    EXPECT_NE(error.message().find(path), std::string::npos) << error.message();
    return error.code_name() + " " + path;
  }
  return "accepted";
}

/// Replaces the value at a JSON pointer; a last part that does not exist is created.
std::string refusal_with(std::string_view pointer, const Json& value) {
  return refusal([&](JsonObject& root) {
    Json whole(root);
    whole.set_at_pointer(pointer, value);
    root = whole.as_object();
  });
}

TEST(TokenizerJson, ReadsEveryPart) {
  const auto parts = read_tokenizer(tiny());
  EXPECT_TRUE(parts.normaliser.clean_text && parts.normaliser.strip_accents && parts.normaliser.lowercase);
  EXPECT_EQ(parts.model.max_input_chars_per_word, 20U);
  EXPECT_EQ(parts.model.continuing_subword_prefix, "##");
  EXPECT_EQ(parts.model.unknown_id, 1);
  EXPECT_EQ(parts.before, std::vector<std::int32_t>{2});
  EXPECT_EQ(parts.behind, std::vector<std::int32_t>{3});
  EXPECT_EQ(parts.added_tokens.size(), 11U);
  EXPECT_EQ(parts.pad_id, 0);
}

TEST(TokenizerJson, NamesComponentsThatItLacks) {
  EXPECT_EQ(refusal_with("/model/type", "BPE"), "unsupported /model/type");
  EXPECT_EQ(refusal_with("/normalizer/type", "NFC"), "unsupported /normalizer/type");
  EXPECT_EQ(refusal_with("/pre_tokenizer/type", "ByteLevel"), "unsupported /pre_tokenizer/type");
  EXPECT_EQ(refusal_with("/pre_tokenizer", nullptr), "unsupported /pre_tokenizer");
  EXPECT_EQ(refusal_with("/post_processor/type", "RobertaProcessing"), "unsupported /post_processor/type");
  EXPECT_EQ(refusal_with("/version", "2.0"), "unsupported /version");
  EXPECT_EQ(refusal_with("/truncation", JsonObject{{"direction", "Left"}}), "unsupported /truncation/direction");
}

TEST(TokenizerJson, RefusesMembersThatItDoesNotKnow) {
  EXPECT_EQ(refusal_with("/more", 1), "unsupported /more");
  EXPECT_EQ(refusal_with("/normalizer/more", 1), "unsupported /normalizer/more");
  EXPECT_EQ(refusal_with("/model/dropout", 0.1), "unsupported /model/dropout");
  EXPECT_EQ(refusal_with("/added_tokens/0/more", 1), "unsupported /added_tokens/0/more");
}

TEST(TokenizerJson, RefusesWrongTypesAndMissingMembers) {
  EXPECT_EQ(refusal([](JsonObject& root) { root.erase("model"); }), "invalid_argument ");
  EXPECT_EQ(refusal_with("/model/vocab", JsonArray()), "invalid_argument /model/vocab");
  EXPECT_EQ(refusal_with("/model/vocab/a~1b", -1), "invalid_argument /model/vocab/a~1b");
  EXPECT_EQ(refusal_with("/model/vocab/x", 1.5), "invalid_argument /model/vocab/x");
  EXPECT_EQ(refusal_with("/model/vocab/x", 1LL << 40), "invalid_argument /model/vocab/x");
  EXPECT_EQ(refusal_with("/model/unk_token", "absent"), "invalid_argument /model/unk_token");
  EXPECT_EQ(refusal_with("/model/max_input_chars_per_word", -1), "invalid_argument /model/max_input_chars_per_word");
  EXPECT_EQ(refusal_with("/normalizer/lowercase", nullptr), "invalid_argument /normalizer/lowercase");
  EXPECT_EQ(refusal_with("/added_tokens", JsonObject()), "invalid_argument /added_tokens");
  EXPECT_EQ(refusal_with("/padding", JsonObject()), "invalid_argument /padding");
}

TEST(TokenizerJson, RefusesAddedTokensWithIdsThatThePackageWouldNotGive) {
  EXPECT_EQ(refusal_with("/added_tokens/0/id", 1), "invalid_argument /added_tokens/0/id");
  EXPECT_EQ(refusal_with("/added_tokens/5/id", 5000), "invalid_argument /added_tokens/5/id");
  EXPECT_EQ(refusal([](JsonObject& root) {
              auto& added = root["added_tokens"].as_array();
              added.push_back(Json(added[0]));
            }),
            "invalid_argument /added_tokens");
}

TEST(TokenizerJson, ChecksTheTemplate) {
  const auto text = Json(JsonObject{{"Sequence", JsonObject{{"id", "A"}, {"type_id", 0}}}});
  const auto special = [](std::string_view id) {
    return Json(JsonObject{{"SpecialToken", JsonObject{{"id", id}, {"type_id", 0}}}});
  };
  EXPECT_EQ(refusal_with("/post_processor/single", JsonArray{special("[CLS]")}), "unsupported /post_processor/single");
  EXPECT_EQ(refusal_with("/post_processor/single", JsonArray{text, text}), "unsupported /post_processor/single/1");
  EXPECT_EQ(refusal_with("/post_processor/single", JsonArray{text, special("[X]")}),
            "invalid_argument /post_processor/special_tokens");
  EXPECT_EQ(refusal_with("/post_processor/special_tokens/[CLS]/ids", JsonArray{9999}),
            "invalid_argument /post_processor");
}

TEST(TokenizerJson, ReadsBertProcessingAndNoPostProcessor) {
  Json document = tiny();
  document.as_object()["post_processor"] =
      parse_json(R"({"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]})");
  EXPECT_EQ(Tokenizer::parse(json_text(document)).encode("the", 10).ids.size(), 3U);
  document.as_object()["post_processor"] = nullptr;
  EXPECT_EQ(Tokenizer::parse(json_text(document)).encode("the", 10).ids.size(), 1U);
}

TEST(TokenizerJson, TakesThePadTokenOfTheFile) {
  Json document = tiny();
  document.as_object()["padding"] = parse_json(R"({"pad_id":7,"pad_token":"x"})");
  EXPECT_EQ(Tokenizer::parse(json_text(document)).pad_id(), 7);
}

TEST(TokenizerJson, NamesTheFile) {
  try {
    Tokenizer::load("/no/such/tokenizer.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("/no/such/tokenizer.json"), std::string::npos);
  }
}

}  // namespace
}  // namespace alknet::compute
