#include "alknet/net/import/parameter_text.h"

#include <gtest/gtest.h>

#include <array>

namespace alknet::net {
namespace {

constexpr std::string_view kEmpty = R"("")";
constexpr std::string_view kString = R"("blue")";
constexpr std::string_view kArray = R"(["blue","black","brown"])";
constexpr std::string_view kObject = R"({"R":100,"G":200,"B":150})";

struct Case {
  ParameterPlace place;
  ParameterStyle style;
  bool explode;
  std::string_view value;
  std::string_view text;
};

std::string written(const Case& c) {
  HttpParameter parameter;
  parameter.name = "color";
  parameter.place = c.place;
  parameter.style = c.style;
  parameter.explode = c.explode;
  const Json value = parse_json(c.value);
  if (c.place == ParameterPlace::kPath) return path_text(parameter, value);
  if (c.place == ParameterPlace::kHeader) return header_text(parameter, value);
  return join_pairs(query_pairs(parameter, value));
}

// The table "Style Examples" of OpenAPI 3.1.1 section 4.8.12.4, without its undefined cells.
TEST(ParameterText, IsWrittenAsTheTableOfTheStandardSays) {
  using enum ParameterPlace;
  using enum ParameterStyle;
  const std::array cases{
      Case{kPath, kMatrix, false, kEmpty, ";color"},
      Case{kPath, kMatrix, false, kString, ";color=blue"},
      Case{kPath, kMatrix, false, kArray, ";color=blue,black,brown"},
      Case{kPath, kMatrix, false, kObject, ";color=R,100,G,200,B,150"},
      Case{kPath, kMatrix, true, kArray, ";color=blue;color=black;color=brown"},
      Case{kPath, kMatrix, true, kObject, ";R=100;G=200;B=150"},
      Case{kPath, kLabel, false, kEmpty, "."},
      Case{kPath, kLabel, false, kString, ".blue"},
      Case{kPath, kLabel, false, kArray, ".blue,black,brown"},
      Case{kPath, kLabel, false, kObject, ".R,100,G,200,B,150"},
      Case{kPath, kLabel, true, kArray, ".blue.black.brown"},
      Case{kPath, kLabel, true, kObject, ".R=100.G=200.B=150"},
      Case{kPath, kSimple, false, kString, "blue"},
      Case{kPath, kSimple, false, kArray, "blue,black,brown"},
      Case{kPath, kSimple, false, kObject, "R,100,G,200,B,150"},
      Case{kPath, kSimple, true, kObject, "R=100,G=200,B=150"},
      Case{kHeader, kSimple, false, kArray, "blue,black,brown"},
      Case{kHeader, kSimple, true, kObject, "R=100,G=200,B=150"},
      Case{kQuery, kForm, false, kEmpty, "color="},
      Case{kQuery, kForm, false, kString, "color=blue"},
      Case{kQuery, kForm, false, kArray, "color=blue,black,brown"},
      Case{kQuery, kForm, false, kObject, "color=R,100,G,200,B,150"},
      Case{kQuery, kForm, true, kArray, "color=blue&color=black&color=brown"},
      Case{kQuery, kForm, true, kObject, "R=100&G=200&B=150"},
      Case{kQuery, kSpaceDelimited, false, kArray, "color=blue%20black%20brown"},
      Case{kQuery, kSpaceDelimited, false, kObject, "color=R%20100%20G%20200%20B%20150"},
      Case{kQuery, kPipeDelimited, false, kArray, "color=blue%7Cblack%7Cbrown"},
      Case{kQuery, kPipeDelimited, false, kObject, "color=R%7C100%7CG%7C200%7CB%7C150"},
      Case{kQuery, kDeepObject, true, kObject, "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"},
      Case{kQuery, kJson, false, kObject, "color=%7B%22R%22%3A100%2C%22G%22%3A200%2C%22B%22%3A150%7D"},
  };
  for (const Case& c : cases) EXPECT_EQ(written(c), c.text) << c.value;
}

TEST(ParameterText, EmptyArraysAreLeftOut) {
  EXPECT_EQ(written({ParameterPlace::kQuery, ParameterStyle::kForm, true, "[]", ""}), "");
  EXPECT_EQ(written({ParameterPlace::kQuery, ParameterStyle::kForm, false, "{}", ""}), "");
}

TEST(ParameterText, AValueNeverBecomesAnotherParameter) {
  HttpParameter parameter;
  parameter.name = "q&x";
  for (const bool reserved : {false, true}) {
    parameter.allow_reserved = reserved;
    const std::string text = join_pairs(query_pairs(parameter, Json("a&b=c#d+e[f] %zz")));
    EXPECT_EQ(text, "q%26x=a%26b%3Dc%23d%2Be%5Bf%5D%20%25zz") << reserved;
  }
  EXPECT_EQ(join_pairs(query_pairs(parameter, Json("http://h/p?x%2F"))), "q%26x=http://h/p?x%2F");
  EXPECT_EQ(path_text(parameter, Json("a/../b?c")), "a%2F..%2Fb%3Fc");
}

TEST(ParameterText, ScalarsAreWrittenPlainly) {
  EXPECT_EQ(plain_text(Json(true)), "true");
  EXPECT_EQ(plain_text(Json(0.1)), "0.1");
  EXPECT_EQ(plain_text(Json(nullptr)), "");
  EXPECT_EQ(plain_text(parse_json("[1,{\"a\":2}]")), R"([1,{"a":2}])");
}

}  // namespace
}  // namespace alknet::net
