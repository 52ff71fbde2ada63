// What the generated text says; tests/end_to_end/schema_command_test.py compiles it.
#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/schema/codegen/cpp.h"
#include "alknet/schema/codegen/names.h"
#include "alknet/schema/codegen/typescript.h"

namespace alknet::schema {
namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(CppIdentifier, IsOneAndNotReserved) {
  for (const auto& [text, identifier] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{{"x", "x"},
                                                                            {"has space", "has_space"},
                                                                            {"a--b", "a_b"},
                                                                            {"1st", "field_1st"},
                                                                            {"_Upper", "field_Upper"},
                                                                            {"__x", "field_x"},
                                                                            {"", "field"},
                                                                            {"\xE4\xBD\xA0", "field"},
                                                                            {"class", "class_"},
                                                                            {"co_await", "co_await_"},
                                                                            {"NULL", "NULL_"},
                                                                            {"UINT64_C", "UINT64_C_"},
                                                                            {"a\n#include <x>", "a_include_x_"}}) {
    EXPECT_EQ(cpp_identifier(text), identifier) << text;
    EXPECT_TRUE(is_identifier(cpp_identifier(text)));
  }
}

TEST(CamelCase, JoinsWords) {
  EXPECT_EQ(camel_case("shipping address"), "ShippingAddress");
  EXPECT_EQ(camel_case("layers[0].weight"), "Layers0Weight");
  EXPECT_EQ(camel_case("\xC3\xA9"), "");
}

TEST(AsciiJson, KeepsToOneLine) {
  EXPECT_EQ(ascii_json(Json("\xE2\x80\xA8*/\n\xF0\x9F\x98\x80")), R"("\u2028*/\n\ud83d\ude00")");
}

TEST(GenerateCpp, SaysSizesAndOffsets) {
  const auto schema = Schema::parse(R"({"TypeDef:Struct":true,"required":["id"],"properties":{
      "id":{"TypeDef:Int32":true},"score":{"TypeDef:Float32":true}}})");
  const auto text = generate_cpp(schema, "Result");
  EXPECT_TRUE(has(text, "static_assert(sizeof(Result) == 12 && alignof(Result) == 4);")) << text;
  EXPECT_TRUE(has(text, "static_assert(offsetof(Result, id) == 4);"));
  EXPECT_TRUE(has(text, "static_assert(offsetof(Result, score) == 8);"));
  EXPECT_TRUE(has(text, "std::uint8_t presence[1];"));
  EXPECT_TRUE(has(text, "bool has_score() const { return (presence[0] & 1) != 0; }"));
}

TEST(GenerateCpp, DefinesSharedTypesOnce) {
  const auto schema = Schema::parse(R"({"TypeDef:Struct":true,"required":["a","b"],"properties":{
      "a":{"$ref":"#/$defs/spot"},"b":{"$ref":"#/$defs/spot"}},
      "$defs":{"spot":{"TypeDef:Struct":true,"required":["x"],"properties":{"x":{"TypeDef:Int8":true}}}}})");
  const auto text = generate_cpp(schema, "Pair");
  EXPECT_EQ(text.find("struct PairSpot {"), text.rfind("struct PairSpot {")) << text;
  EXPECT_TRUE(has(text, "PairSpot b;"));
}

TEST(GenerateCpp, RefusesWhatIsNoRecord) {
  const auto refused = [](std::string_view text) {
    return code_of([&] { generate_cpp(Schema::parse(text), "Thing"); });
  };
  EXPECT_EQ(refused(R"({"TypeDef:String":true})"), "schema_invalid");
  EXPECT_EQ(
      refused(
          R"({"TypeDef:Union":{"discriminator":"k","mapping":{"a":{"TypeDef:Struct":true,"properties":{"x":{"TypeDef:Int8":true}}}}}})"),
      "schema_invalid");
  EXPECT_EQ(refused(R"({"TypeDef:Tensor":{"dtype":"F32","shape":[2]}})"), "invalid_argument");
  EXPECT_EQ(refused(R"({"TypeDef:Struct":true,"properties":{"w":{"TypeDef:Tensor":{"dtype":"F32","shape":[2]}}}})"),
            "invalid_argument");
  EXPECT_EQ(code_of([] { generate_cpp(Schema::parse(R"({"TypeDef:Int8":true})"), "x; int y"); }), "invalid_argument");
}

TEST(GenerateTypeScript, SaysWhatAnInstanceMayLeaveOut) {
  const auto schema = Schema::parse(R"({"TypeDef:Struct":true,"required":["id"],"properties":{
      "id":{"TypeDef:Int64":true},"a-b":{"TypeDef:String":true},"n":{"TypeDef:Int8":true,"default":3}}})");
  const auto text = generate_typescript(schema, "Row");
  EXPECT_TRUE(has(text, "export interface Row {")) << text;
  EXPECT_TRUE(has(text, "  id: number | string;"));
  EXPECT_TRUE(has(text, "  \"a-b\"?: string;"));
  EXPECT_TRUE(has(text, "  // 3 when it is absent\n  n?: number;"));
}

TEST(GenerateTypeScript, EndsForSchemasThatContainThemselves) {
  for (const std::string_view text : {R"({"TypeDef:Array":true,"items":{"$ref":"#"}})",
                                      R"({"TypeDef:Array":true,"minItems":2,"maxItems":2,"items":{"$ref":"#"}})",
                                      R"({"TypeDef:Record":{"values":{"$ref":"#"}}})",
                                      R"({"TypeDef:Struct":true,"properties":{"x":{"$ref":"#"}}})"}) {
    EXPECT_TRUE(has(generate_typescript(Schema::parse(text), "Loop"), "Loop"));
  }
}

}  // namespace
}  // namespace alknet::schema
