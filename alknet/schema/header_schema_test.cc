#include "alknet/schema/header_schema.h"

#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/schema/compare.h"

namespace alknet::schema {
namespace {

Schema header_schema(std::string_view text) { return Schema::from_json(to_header_schema(Schema::parse(text))); }

constexpr std::string_view kModel = R"({"TypeDef:Struct":true,"required":["w","rows","layers"],"properties":{
    "w":{"TypeDef:Tensor":{"dtype":"BF16","shape":[2,3]}},
    "bias":{"TypeDef:Tensor":{"dtype":"F32","shape":[]}},
    "rows":{"TypeDef:Tensor":{"shape":[-1],"dtype":{"TypeDef:Struct":true,"required":["a"],"properties":{"a":{"TypeDef:Int32":true}}}}},
    "words":{"TypeDef:Tensor":{"shape":[4],"dtype":{"TypeDef:Blob":{"item":"String"}}}},
    "layers":{"TypeDef:Array":true,"minItems":2,"maxItems":2,"items":{"TypeDef:Struct":true,"required":["k"],"properties":{
      "k":{"TypeDef:Tensor":{"dtype":"U8","shape":[1]}},"optional":{"TypeDef:Tensor":{"dtype":"U8","shape":[1]}}}}}}})";

/// A header that conforms, with one change.
Json header(std::string_view member, Json value) {
  Json good = parse_json(R"({"__metadata__":{"format":"pt","metatensor":"1"},
      "w":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},
      "rows":{"dtype":"U8","shape":[7,4],"data_offsets":[12,40]},
      "layers.0.k":{"dtype":"U8","shape":[1],"data_offsets":[40,41]},
      "layers.1.k":{"dtype":"U8","shape":[1],"data_offsets":[41,42]}})");
  if (value.is_null()) {
    good.as_object().erase(member);
  } else {
    good.as_object()[member] = std::move(value);
  }
  return good;
}

TEST(HeaderSchema, DescribesEveryEntry) {
  const auto schema = header_schema(kModel);
  const auto accepts = [&](std::string_view member, std::string_view value) {
    return schema.is_valid(header(member, parse_json(value)));
  };
  EXPECT_TRUE(accepts("__metadata__", R"({})"));
  EXPECT_TRUE(accepts("__metadata__", "null"));  // removes it
  EXPECT_TRUE(accepts("rows", R"({"dtype":"U8","shape":[0,4],"data_offsets":[0,0]})"));
  EXPECT_TRUE(accepts("bias", R"({"dtype":"F32","shape":[],"data_offsets":[0,4]})"));
  EXPECT_TRUE(accepts("words", R"({"dtype":"U8","shape":[4,16],"data_offsets":[0,64]})"));
  EXPECT_TRUE(accepts("layers.0.optional", R"({"dtype":"U8","shape":[1],"data_offsets":[0,1]})"));
  EXPECT_TRUE(accepts("__blob__.words", R"({"dtype":"U8","shape":[9],"data_offsets":[0,9]})"));
  EXPECT_TRUE(accepts("__pad__.0", R"({"dtype":"U8","shape":[4],"data_offsets":[0,4]})"));
}

TEST(HeaderSchema, RefusesOtherEntriesDtypesShapesAndMembers) {
  const auto schema = header_schema(kModel);
  const auto accepts = [&](std::string_view member, std::string_view value) {
    return schema.is_valid(header(member, parse_json(value)));
  };
  EXPECT_FALSE(accepts("__metadata__", R"({"format":1})"));
  EXPECT_FALSE(accepts("w", "null"));  // removes what is required
  EXPECT_FALSE(accepts("layers.1.k", "null"));
  EXPECT_FALSE(accepts("w", R"({"dtype":"F16","shape":[2,3],"data_offsets":[0,12]})"));
  EXPECT_FALSE(accepts("w", R"({"dtype":"BF16","shape":[3,2],"data_offsets":[0,12]})"));
  EXPECT_FALSE(accepts("w", R"({"dtype":"BF16","shape":[2],"data_offsets":[0,12]})"));
  EXPECT_FALSE(accepts("w", R"({"dtype":"BF16","shape":[2,3,1],"data_offsets":[0,12]})"));
  EXPECT_FALSE(accepts("w", R"({"dtype":"BF16","shape":[2,3]})"));
  EXPECT_FALSE(accepts("w", R"({"dtype":"BF16","shape":[2,3],"data_offsets":[0]})"));
  EXPECT_FALSE(accepts("w", R"({"dtype":"BF16","shape":[2,3],"data_offsets":[0,-12]})"));
  EXPECT_FALSE(accepts("w", R"({"dtype":"BF16","shape":[2,3],"data_offsets":[0,12],"more":1})"));
  EXPECT_FALSE(accepts("rows", R"({"dtype":"U8","shape":[-1,4],"data_offsets":[0,12]})"));
  EXPECT_FALSE(accepts("rows", R"({"dtype":"U8","shape":[3,8],"data_offsets":[0,24]})"));
  EXPECT_FALSE(accepts("bias", R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})"));
  EXPECT_FALSE(accepts("extra", R"({"dtype":"U8","shape":[1],"data_offsets":[0,1]})"));
  EXPECT_FALSE(accepts("__pad__", R"({"dtype":"U8","shape":[4],"data_offsets":[0,4]})"));
  EXPECT_FALSE(accepts("__pad__.0", R"({"dtype":"U8"})"));
}

TEST(HeaderSchema, IsInStandardKeywordsOnly) {
  const auto document = to_header_schema(Schema::parse(kModel));
  EXPECT_TRUE(equal_json(Schema::from_json(document).lowered(), document));
  EXPECT_EQ(json_text(document).find("TypeDef"), std::string::npos);
}

TEST(HeaderSchema, OfNoEntriesTakesNoEntries) {
  const auto schema = header_schema("{}");
  EXPECT_TRUE(schema.is_valid(parse_json(R"({"__metadata__":{}})")));
  EXPECT_FALSE(schema.is_valid(parse_json(R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})")));
}

TEST(HeaderSchema, RefusesWhatIsNoFile) {
  EXPECT_EQ(code_of([] { header_schema(R"({"TypeDef:Int8":true})"); }), "not_a_file_schema");
  EXPECT_EQ(
      code_of([] {
        header_schema(
            R"({"TypeDef:Struct":true,"properties":{"__metadata__":{"TypeDef:Tensor":{"dtype":"U8","shape":[]}}}})");
      }),
      "not_a_file_schema");
}

}  // namespace
}  // namespace alknet::schema
