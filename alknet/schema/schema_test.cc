#include "alknet/schema/schema.h"

#include <gtest/gtest.h>

#include "alknet/base/testing.h"

namespace alknet::schema {
namespace {

TEST(SchemaParse, KeepsTheDocumentAndItsOrder) {
  const std::string text = R"({"type":"object","properties":{"z":true,"a":{"type":"integer"}}})";
  EXPECT_EQ(json_text(Schema::parse(text).document()), text);
}

struct Refusal {
  std::string_view text, code, pointer;
};
class SchemaRefusing : public testing::TestWithParam<Refusal> {};

TEST_P(SchemaRefusing, NamesTheCodeAndThePlace) {
  const auto& [text, code, pointer] = GetParam();
  const auto error = error_of([&text = text] { Schema::parse(text); });
  EXPECT_EQ(error.code_name(), code) << error.message();
  if (!pointer.empty()) {
    EXPECT_EQ(error.details().at("pointer").as_string(), pointer) << error.message();
  }
}

const Refusal kRefusals[] = {
    {"", "schema_invalid", ""},
    {"{", "schema_invalid", ""},
    {R"({"type":"string","type":"string"})", "schema_invalid", ""},
    {R"({"properties":{"a":{"x":1,"x":2}}})", "schema_invalid", ""},
    {"[]", "schema_invalid", ""},
    {"3", "schema_invalid", ""},
    {R"({"type":"float"})", "schema_invalid", "/type"},
    {R"({"type":[]})", "schema_invalid", "/type"},
    {R"({"type":["null","null"]})", "schema_invalid", "/type"},
    {R"({"properties":{"a/b":{"minLength":-1}}})", "schema_invalid", "/properties/a~1b/minLength"},
    {R"({"minLength":1.5})", "schema_invalid", "/minLength"},
    {R"({"maximum":"3"})", "schema_invalid", "/maximum"},
    {R"({"multipleOf":0})", "schema_invalid", "/multipleOf"},
    {R"({"required":["a","a"]})", "schema_invalid", "/required"},
    {R"({"required":"a"})", "schema_invalid", "/required"},
    {R"({"uniqueItems":1})", "schema_invalid", "/uniqueItems"},
    {R"({"allOf":[]})", "schema_invalid", "/allOf"},
    {R"({"anyOf":[true,4]})", "schema_invalid", "/anyOf/1"},
    {R"({"items":[true]})", "schema_invalid", "/items"},
    {R"({"properties":[]})", "schema_invalid", "/properties"},
    {R"({"enum":3})", "schema_invalid", "/enum"},
    {R"({"dependentRequired":{"a":"b"}})", "schema_invalid", "/dependentRequired"},
    {R"({"$defs":{"unused":{"type":"bad"}}})", "schema_invalid", "/$defs/unused/type"},
    {R"({"pattern":"("})", "schema_invalid", "/pattern"},
    {R"~({"pattern":"a(?=b)"})~", "pattern_unsupported", "/pattern"},
    {R"({"patternProperties":{"(a)\\1":true}})", "pattern_unsupported", "/patternProperties"},
    {R"({"$schema":"http://json-schema.org/draft-04/schema#"})", "unsupported", "/$schema"},
    {R"({"$schema":7})", "schema_invalid", "/$schema"},
    {R"({"$defs":{"a":{"$id":"a","$schema":"http://json-schema.org/draft-07/schema#"}}})", "unsupported",
     "/$defs/a/$schema"},
    {R"({"unevaluatedProperties":1})", "schema_invalid", "/unevaluatedProperties"},
    {R"({"allOf":[{"unevaluatedItems":[]}]})", "schema_invalid", "/allOf/0/unevaluatedItems"},
    {R"({"$dynamicRef":"#x"})", "schema_invalid", "/$dynamicRef"},
    {R"({"$dynamicRef":1})", "schema_invalid", "/$dynamicRef"},
    {R"({"$dynamicAnchor":"1"})", "schema_invalid", "/$dynamicAnchor"},
    {R"({"$vocabulary":{"https://example.com/v":1}})", "schema_invalid", "/$vocabulary"},
    {R"({"format":1})", "schema_invalid", "/format"},
    {R"({"contentEncoding":1})", "schema_invalid", "/contentEncoding"},
    {R"({"TypeDef:Int31":true})", "schema_invalid", "/TypeDef:Int31"},
    {R"({"TypeDef:Int32":false})", "schema_invalid", "/TypeDef:Int32"},
    {R"({"TypeDef:Int32":true,"TypeDef:Int8":true})", "schema_invalid", ""},
    {R"({"TypeDef:Int32":{"size":4}})", "schema_invalid", "/TypeDef:Int32"},
    {R"({"TypeDef:Int32":{"align":3}})", "schema_invalid", "/TypeDef:Int32"},
    {R"({"TypeDef:Int32":{"align":8192}})", "schema_invalid", "/TypeDef:Int32"},
    {R"({"TypeDef:Int32":true,"align":8})", "schema_invalid", "/align"},
    {R"({"TypeDef:String":{"maxBytes":0}})", "schema_invalid", "/TypeDef:String"},
    {R"({"TypeDef:String":{"encoding":"inline"}})", "schema_invalid", "/TypeDef:String"},
    {R"({"TypeDef:Array":true,"items":{"TypeDef:Int8":{"endian":"big"}}})", "schema_invalid", "/items/TypeDef:Int8"},
    {R"({"TypeDef:Struct":true})", "schema_invalid", "/TypeDef:Struct"},
    {R"({"TypeDef:Struct":true,"properties":{}})", "schema_invalid", "/TypeDef:Struct"},
    {R"({"TypeDef:Struct":true,"properties":{"a":{"TypeDef:Int8":true}},"required":["b"]})", "schema_invalid",
     "/required"},
    {R"({"TypeDef:Struct":{"order":["a"]},"properties":{"a":{"TypeDef:Int8":true},"b":{"TypeDef:Int8":true}}})",
     "bad_order", "/TypeDef:Struct"},
    {R"({"TypeDef:Struct":{"order":["a","a"]},"properties":{"a":{"TypeDef:Int8":true},"b":{"TypeDef:Int8":true}}})",
     "bad_order", "/TypeDef:Struct"},
    {R"({"TypeDef:Struct":{"order":["a","c"]},"properties":{"a":{"TypeDef:Int8":true},"b":{"TypeDef:Int8":true}}})",
     "bad_order", "/TypeDef:Struct"},
    {R"({"TypeDef:Struct":true,"properties":{"a":{"TypeDef:Int8":true},"1":{"TypeDef:Int8":true}}})", "bad_order", ""},
    {R"({"TypeDef:Struct":true,"properties":{"a":{"TypeDef:Int8":true,"default":300}}})", "schema_invalid",
     "/properties"},
    {R"({"TypeDef:Enum":true})", "schema_invalid", "/TypeDef:Enum"},
    {R"({"TypeDef:Enum":true,"enum":[1]})", "schema_invalid", "/enum"},
    {R"({"TypeDef:Array":true})", "schema_invalid", "/TypeDef:Array"},
    {R"({"TypeDef:Record":true})", "schema_invalid", "/TypeDef:Record"},
    {R"({"TypeDef:Record":{"values":true},"properties":{"a":true}})", "schema_invalid", "/properties"},
    {R"({"TypeDef:Union":{"discriminator":"k"}})", "schema_invalid", "/TypeDef:Union"},
    {R"({"TypeDef:Union":{"discriminator":"k","mapping":{"a":{"TypeDef:Int8":true}}}})", "schema_invalid",
     "/TypeDef:Union/mapping/a"},
    {R"({"TypeDef:Union":{"discriminator":"k","mapping":{"a":{"TypeDef:Struct":true,"properties":{"k":{"TypeDef:Int8":true}}}}}})",
     "schema_invalid", "/TypeDef:Union/mapping/a/properties"},
    {R"({"TypeDef:Tensor":{"dtype":"float32","shape":[]}})", "schema_invalid", "/TypeDef:Tensor"},
    {R"({"TypeDef:Tensor":{"dtype":"F32","shape":[2,-1]}})", "schema_invalid", "/TypeDef:Tensor"},
    {R"({"TypeDef:Tensor":{"dtype":"F32"}})", "schema_invalid", "/TypeDef:Tensor"},
    {R"({"TypeDef:Tensor":{"dtype":"F32","shape":[1]},"default":0})", "schema_invalid", "/default"},
    {R"({"TypeDef:Tensor":{"dtype":"F32","shape":[4],"block":{"values":32}}})", "schema_invalid", "/TypeDef:Tensor"},
    {R"({"TypeDef:Tensor":{"dtype":{"TypeDef:Int8":true},"shape":[1]}})", "schema_invalid", "/TypeDef:Tensor"},
    {R"({"TypeDef:Tensor":{"shape":[1],"dtype":{"TypeDef:Struct":true,"properties":{"t":{"TypeDef:Tensor":{"dtype":"F32","shape":[1]}}}}}})",
     "schema_invalid", "/TypeDef:Tensor/dtype/properties/t"},
    {R"({"TypeDef:Blob":true})", "schema_invalid", "/TypeDef:Blob"},
    {R"({"TypeDef:Blob":{"item":"Timestamp"}})", "schema_invalid", "/TypeDef:Blob"},
    {R"({"TypeDef:Json":true})", "schema_invalid", "/TypeDef:Json"},
};
INSTANTIATE_TEST_SUITE_P(All, SchemaRefusing, testing::ValuesIn(kRefusals));

TEST(SchemaParse, RefusesLargeAndDeepText) {
  EXPECT_EQ(code_of([] { Schema::parse(std::string(kMaxSchemaText + 1, ' ')); }), "schema_too_large");
  std::string deep;
  for (int i = 0; i < 65; ++i) deep += R"({"not":)";
  deep += "true" + std::string(65, '}');
  EXPECT_EQ(code_of([&] { Schema::parse(deep); }), "schema_too_deep");
  Json value(true);
  for (int i = 0; i < 65; ++i) value = JsonObject{{"not", std::move(value)}};
  EXPECT_EQ(code_of([&] { Schema::from_json(value); }), "schema_too_deep");
}

TEST(SchemaParse, RefusesLongPatterns) {
  const auto text = R"({"pattern":")" + std::string(kMaxPatternText + 1, 'a') + R"("})";
  EXPECT_EQ(code_of([&] { Schema::parse(text); }), "pattern_too_large");
}

TEST(SchemaNodes, DescribeTheStructureInLayoutOrder) {
  const auto schema = Schema::parse(R"({
    "TypeDef:Struct": {"order": ["b", "a"], "endian": "big"},
    "properties": {"a": {"TypeDef:String": {"maxBytes": 5}}, "b": {"$ref": "#/$defs/e"}},
    "required": ["b"],
    "$defs": {"e": {"TypeDef:Enum": true, "enum": ["x", "y"]}}})");
  const auto& root = schema.root();
  ASSERT_EQ(root.kind, Kind::kStruct);
  EXPECT_EQ(schema.endian(), Endian::kBig);
  ASSERT_EQ(root.properties.size(), 2U);
  EXPECT_EQ(root.properties[0].name, "b");
  EXPECT_EQ(root.properties[0].node->kind, Kind::kEnum);
  EXPECT_EQ(root.properties[0].node->names, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(root.properties[0].node->pointer(), "/$defs/e");
  EXPECT_FALSE(root.properties[0].nullable());
  EXPECT_TRUE(root.property("a")->nullable());
  EXPECT_EQ(root.property("a")->node->max_bytes, 5U);
  EXPECT_EQ(root.property("c"), nullptr);
}

TEST(SchemaNodes, IntegerLikeNamesNeedNoOrderAboveTensors) {
  EXPECT_NO_THROW(Schema::parse(
      R"({"TypeDef:Struct":true,"properties":{"1":{"TypeDef:Tensor":{"dtype":"F32","shape":[]}},"0":{"TypeDef:Tensor":{"dtype":"F32","shape":[]}}}})"));
}

TEST(SchemaNodes, MayFormCycles) {
  const auto schema =
      Schema::parse(R"({"TypeDef:Struct":true,"properties":{"next":{"$ref":"#"},"v":{"TypeDef:Int8":true}}})");
  EXPECT_EQ(schema.root().property("next")->node, &schema.root());
}

}  // namespace
}  // namespace alknet::schema
