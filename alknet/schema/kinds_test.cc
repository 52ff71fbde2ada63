// The kinds as validation sees them: the table of section 1, checked against instances written by hand.
#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/schema/keywords.h"
#include "alknet/schema/kind.h"
#include "alknet/schema/schema.h"

namespace alknet::schema {
namespace {

struct Case {
  std::string_view schema, valid, invalid;
};
class Kinds : public testing::TestWithParam<Case> {};

TEST_P(Kinds, AcceptWhatTheTableSaysAndSoDoesTheLoweredSchema) {
  const auto schema = Schema::parse(GetParam().schema);
  const auto lowered = schema.lower();
  EXPECT_EQ(json_text(lowered.document()).find(kTypeDefPrefix), std::string::npos);
  for (const bool expected : {true, false}) {
    const auto instances = parse_json(expected ? GetParam().valid : GetParam().invalid);
    for (const auto& instance : instances.as_array()) {
      EXPECT_EQ(schema.validate(instance).empty(), expected) << GetParam().schema << " " << json_text(instance);
      EXPECT_EQ(lowered.is_valid(instance), expected) << json_text(lowered.document()) << " " << json_text(instance);
    }
  }
}

const Case kCases[] = {
    {R"({"TypeDef:Int8":true})", "[-128,127,0,1.0]", R"([-129,128,1.5,"1",null,true])"},
    {R"({"TypeDef:Uint8":true})", "[0,255]", "[-1,256]"},
    {R"({"TypeDef:Int16":true})", "[-32768,32767]", "[-32769,32768]"},
    {R"({"TypeDef:Uint16":true})", "[65535]", "[65536,-1]"},
    {R"({"TypeDef:Int32":true})", "[-2147483648,2147483647]", "[2147483648,-2147483649]"},
    {R"({"TypeDef:Uint32":true})", "[4294967295]", "[4294967296]"},
    {R"({"TypeDef:Int64":true})",
     R"([9007199254740991,-9007199254740991,"9223372036854775807","-9223372036854775808","0"])",
     R"([9007199254740992,-9007199254740992,"1.0","-0","01","","x",1.5,"12345678901234567890"])"},
    {R"({"TypeDef:Uint64":true})", R"([0,9007199254740991,"18446744073709551615"])", R"([-1,9007199254740992,"-1"])"},
    {R"({"TypeDef:Float16":true})", R"([65504,-65504,0.1,"NaN","Infinity","-Infinity"])", R"([65505,"inf",null])"},
    {R"({"TypeDef:BFloat16":true})", "[3.3895313892515355e38]", "[3.4e38]"},
    {R"({"TypeDef:Float32":true})", "[3.4028234663852886e38]", "[3.402823466385289e38,1e39]"},
    {R"({"TypeDef:Float64":true})", R"([1e308,18446744073709551615,"NaN"])", R"(["1"])"},
    {R"({"TypeDef:Float32":true,"minimum":0})", R"([1,"NaN"])", "[-1,1e39]"},
    {R"({"TypeDef:Boolean":true})", "[true,false]", R"([0,1,"true",null])"},
    {R"({"TypeDef:Enum":true,"enum":["a","b"]})", R"(["a","b"])", R"(["c",0,null])"},
    {R"({"TypeDef:String":true})", R"(["","x"])", "[1]"},
    {R"({"TypeDef:String":{"maxBytes":3}})", R"(["abc","\u00e9\u00e9\u00e9"])", R"(["abcd"])"},
    {R"({"TypeDef:Bytes":true})", R"(["","QQ==","QUI=","QUJD"])", R"(["QQ","QQ=","QR==","Q!==","QUJ=","QQ==\n",1])"},
    {R"({"TypeDef:Bytes":{"maxBytes":4}})", R"(["QUJDRA=="])", R"(["QUJDREVGQUJD"])"},
    {R"({"TypeDef:Timestamp":true})",
     R"(["2024-02-29T23:59:60Z","1985-04-12t23:20:50.52z","1996-12-19T16:39:57-08:00"])",
     R"(["2024-13-01T00:00:00Z","2024-04-31T00:00:00Z","2024-01-01 00:00:00Z","2024-01-01T24:00:00Z","2024-01-01T00:00:00",5])"},
    {R"({"TypeDef:Record":{"values":{"TypeDef:Uint8":true}}})", R"([{},{"a":1,"b":255}])", R"([{"a":256},[],null])"},
    {R"({"TypeDef:Record":{"values":"String"},"additionalProperties":{"maxLength":2}})", R"([{"a":"x"}])",
     R"([{"a":"xyz"},{"a":1}])"},
    {R"({"TypeDef:Record":{"values":{"TypeDef:Uint8":true}},"type":"object","properties":{}})", R"([{},{"a":1}])",
     R"([{"a":256}])"},
    {R"({"TypeDef:Array":true,"items":{"TypeDef:Int8":true}})", "[[],[1,2]]", "[[128],{},1]"},
    {R"({"TypeDef:Array":true,"items":{"TypeDef:Int8":true},"minItems":2,"maxItems":2})", "[[1,2]]", "[[1],[1,2,3]]"},
    {R"({"TypeDef:Struct":true,"properties":{"a":{"TypeDef:Int8":true},"b":{"TypeDef:Int8":true}},"required":["a"]})",
     R"([{"a":1},{"a":1,"b":2}])", R"([{},{"a":1,"b":null},{"a":1,"c":2},[],null])"},
    {R"({"TypeDef:Struct":true,"type":"object","properties":{"a":{"TypeDef:Int8":true,"type":"integer"}},"additionalProperties":false})",
     R"([{},{"a":1}])", R"([{"c":2},{"a":500}])"},
    {R"({"TypeDef:Union":{"discriminator":"kind","mapping":{
          "circle":{"TypeDef:Struct":true,"properties":{"r":{"TypeDef:Float32":true}},"required":["r"]},
          "square":{"$ref":"#/$defs/sq"}}},
        "$defs":{"sq":{"TypeDef:Struct":true,"properties":{"a":{"TypeDef:Float32":true}},"required":["a"],"additionalProperties":false}}})",
     R"([{"kind":"circle","r":1},{"kind":"square","a":2}])",
     R"([{"kind":"circle","a":1},{"kind":"oval","r":1},{"r":1},{"kind":"square","a":2,"b":1},{"kind":"square"},{"kind":1},[]])"},
    {R"({"TypeDef:Tensor":{"dtype":"F32","shape":[2]}})", R"([{"$tensor":"t1","dtype":"f32","shape":[2]}])",
     R"([{"dtype":"f32","shape":[2]},{"$tensor":1,"dtype":"f32","shape":[2]},{"$tensor":"t","dtype":"f32","shape":[-1]},[1,2]])"},
    {R"({"TypeDef:Tensor":true})", R"([{"$tensor":"h1","dtype":"f32","shape":[]}])",
     R"([{"dtype":"f32","shape":[]},1])"},
    {R"({"TypeDef:Blob":{"item":{"TypeDef:String":true}}})", R"(["x"])", "[1]"},
    {R"({"TypeDef:Blob":{"item":"Bytes"}})", R"(["QQ=="])", R"(["QQ"])"},
    {R"({"TypeDef:Blob":{"item":true}})", R"([1,null,{"a":[]}])", "[]"},
    {R"({"TypeDef:Blob":{"item":"Json"}})", R"([1,null,{"a":[]}])", "[]"},
    {R"({"TypeDef:Blob":{"item":"Float32"}})", "[[],[1,2]]", R"([1,["x"],null])"},
    {R"({"TypeDef:Struct":true,"required":["op"],"properties":{"op":{"TypeDef:Union":{"discriminator":"t","mapping":{
          "neg":{"$ref":"#"},"num":{"TypeDef:Struct":true,"properties":{"v":{"TypeDef:Int8":true}},"required":["v"]}}}}}})",
     R"([{"op":{"t":"num","v":1}},{"op":{"t":"neg","op":{"t":"num","v":1}}}])",
     R"([{"op":{"t":"neg"}},{"op":{"t":"neg","op":{"t":"num","v":300}}}])"},
};
INSTANTIATE_TEST_SUITE_P(Validate, Kinds, testing::ValuesIn(kCases));

TEST(KindTable, NamesReadBack) {
  for (const auto& row : kinds()) {
    EXPECT_EQ(parse_kind(row.name), row.kind == Kind::kNone ? std::nullopt : std::optional(row.kind));
    EXPECT_EQ(&info(row.kind), &row);
  }
  EXPECT_FALSE(parse_kind("None"));
  EXPECT_FALSE(parse_kind("int32"));
}

TEST(KindTable, LowersToSchemas) {
  for (const auto& row : kinds()) EXPECT_NO_THROW(Schema::parse(row.lowered)) << row.name;
}

TEST(KindErrors, AreReportedOnceAndNameTheKind) {
  const auto schema = Schema::parse(R"({"TypeDef:Int8":true,"type":"integer","minimum":-128,"maximum":127})");
  const auto errors = schema.validate(Json("x"));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].schema_path, "/TypeDef:Int8");
  EXPECT_NE(errors[0].message.find("-128 to 127"), std::string::npos);
}

TEST(KindErrors, PointIntoVariants) {
  const auto schema = Schema::parse(R"({"TypeDef:Union":{"discriminator":"k","mapping":{
    "a":{"TypeDef:Struct":true,"properties":{"v":{"TypeDef:Uint8":true}}}}}})");
  const auto errors = schema.validate(parse_json(R"({"k":"a","v":-1,"w":2})"));
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0].instance_path, "/w");
  EXPECT_EQ(errors[0].schema_path, "/TypeDef:Union/mapping/a/TypeDef:Struct");
  EXPECT_EQ(errors[1].instance_path, "/v");
  EXPECT_EQ(errors[1].schema_path, "/TypeDef:Union/mapping/a/properties/v/TypeDef:Uint8");
}

}  // namespace
}  // namespace alknet::schema
