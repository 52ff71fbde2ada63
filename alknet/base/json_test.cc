#include "alknet/base/json.h"

#include <gtest/gtest.h>

#include "alknet/base/error.h"

namespace alknet {
namespace {

std::string refusal(std::string_view text, const JsonLimits& limits = {}) {
  try {
    parse_json(text, limits);
  } catch (const Error& error) {
    return error.code_name();
  }
  return "accepted";
}

TEST(Json, KeepsTheOrderOfMembers) {
  EXPECT_EQ(json_text(parse_json(R"({"b":1,"a":2,"10":3})")), R"({"b":1,"a":2,"10":3})");
}

TEST(Json, RefusesDuplicateKeysAtAnyDepth) {
  EXPECT_EQ(refusal(R"({"a":1,"a":2})"), "duplicate_key");
  EXPECT_EQ(refusal(R"([{"x":{"":1,"":2}}])"), "duplicate_key");
  EXPECT_EQ(refusal(R"({"a":1,"\u0061":2})"), "duplicate_key");
  EXPECT_EQ(refusal(R"({"a":{"a":1}})"), "accepted");
}

TEST(Json, KeepsTheLastOfDuplicateKeysWhenAllowed) {
  EXPECT_EQ(json_text(parse_json(R"({"a":1,"b":{"c":2,"c":[3]},"a":{"x":4},"d":5})", {.refuse_duplicate_keys = false})),
            R"({"a":{"x":4},"b":{"c":[3]},"d":5})");
}

TEST(Json, ReadsKeysAndTextsWithEscapes) {
  EXPECT_EQ(json_text(parse_json(R"({"a\nb\u00e9":"x\ty\ud83d\ude00","":"\""})")),
            "{\"a\\nbé\":\"x\\ty😀\",\"\":\"\\\"\"}");
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const auto* text : {"", "{", "[1,]", "{\"a\":}", "nul", "1 2", "\"\xff\"", "[1", "'a'"}) {
    EXPECT_EQ(refusal(text), "json_invalid") << text;
  }
}

TEST(Json, RefusesDeepNesting) {
  EXPECT_EQ(refusal(std::string(65, '[') + std::string(65, ']')), "json_too_deep");
  EXPECT_EQ(refusal(std::string(64, '[') + std::string(64, ']')), "accepted");
}

TEST(Json, PrintsNumbersSoThatTheyReadBackExactly) {
  EXPECT_EQ(json_text(parse_json("0.1")), "0.1");
  EXPECT_EQ(json_text(parse_json("18446744073709551615")), "18446744073709551615");
  EXPECT_EQ(json_text(parse_json("-9223372036854775808")), "-9223372036854775808");
  EXPECT_EQ(json_text(parse_json("1.0")), "1.0");
  EXPECT_EQ(parse_json(json_text(Json(5e-324))).as_double(), 5e-324);
  EXPECT_EQ(parse_json("2.2250738585072011e-308").as_double(), 2.2250738585072011e-308);
}

TEST(Json, EscapesControlCharacters) { EXPECT_EQ(json_text(Json("a\"\\\n\x01")), R"("a\"\\\n\u0001")"); }

}  // namespace
}  // namespace alknet
