// Layouts worked out by hand from the rules of section 1.
#include "alknet/schema/layout.h"

#include <gtest/gtest.h>

#include <map>

#include "alknet/base/testing.h"

namespace alknet::schema {
namespace {

/// {"name": schema, ...} as the properties of a Struct; all required unless their name ends in '?'.
Schema record(std::initializer_list<std::pair<std::string, std::string>> fields) {
  JsonObject properties;
  JsonArray required;
  for (auto [name, text] : fields) {
    const bool nullable = name.ends_with('?');
    if (nullable) name.pop_back();
    properties[name] = text.starts_with('{') ? parse_json(text) : Json(JsonObject{{"TypeDef:" + text, true}});
    if (!nullable) required.emplace_back(name);
  }
  return Schema::from_json(
      JsonObject{{"TypeDef:Struct", true}, {"properties", std::move(properties)}, {"required", std::move(required)}});
}

using Offsets = std::map<std::string, std::optional<std::uint64_t>>;
Offsets offsets(const Layout& layout) {
  Offsets out;
  for (const auto& field : layout.fields()) out[field.path] = field.offset;
  return out;
}

struct Measure {
  std::string_view kind;
  std::uint64_t size, align;
};

TEST(Layout, GivesScalarsTheSizeOfTheTable) {
  for (const auto& [kind, size, align] : std::initializer_list<Measure>{{"Int8", 1, 1},
                                                                        {"Uint8", 1, 1},
                                                                        {"Int16", 2, 2},
                                                                        {"Uint16", 2, 2},
                                                                        {"Int32", 4, 4},
                                                                        {"Uint32", 4, 4},
                                                                        {"Int64", 8, 8},
                                                                        {"Uint64", 8, 8},
                                                                        {"Float16", 2, 2},
                                                                        {"BFloat16", 2, 2},
                                                                        {"Float32", 4, 4},
                                                                        {"Float64", 8, 8},
                                                                        {"Boolean", 1, 1}}) {
    const auto schema = Schema::from_json(JsonObject{{"TypeDef:" + std::string(kind), true}});
    const auto aligned = layout(schema, LayoutMode::kAligned), packed = layout(schema, LayoutMode::kPacked);
    EXPECT_EQ(aligned.size(), size) << kind;
    EXPECT_EQ(aligned.align(), align) << kind;
    EXPECT_EQ(packed.size(), size) << kind;
    EXPECT_EQ(packed.align(), 1U) << kind;
  }
  const auto schema = Schema::parse(R"({"TypeDef:Enum":true,"enum":["a"]})");
  EXPECT_EQ(layout(schema, LayoutMode::kAligned).size(), 4U);
}

TEST(LayoutAligned, PadsAsInC) {
  const auto schema = record({{"a", "Uint8"}, {"b", "Float32"}});
  const auto measured = layout(schema, LayoutMode::kAligned);
  EXPECT_EQ(measured.size(), 8U);
  EXPECT_EQ(offsets(measured), (Offsets{{"a", 0}, {"b", 4}}));
  const auto wide = record({{"a", "Int64"}, {"b", "Uint8"}});
  EXPECT_EQ(layout(wide, LayoutMode::kAligned).size(), 16U);
}

TEST(LayoutAligned, StartsWithABitmapForNullableFields) {
  const auto schema = record({{"id", "Int32"}, {"score?", "Float32"}});
  const auto measured = layout(schema, LayoutMode::kAligned);
  EXPECT_EQ(measured.of(schema.root()).bitmap_bytes, 1U);
  EXPECT_EQ(offsets(measured), (Offsets{{"id", 4}, {"score", 8}}));
  EXPECT_EQ(measured.size(), 12U);
  EXPECT_TRUE(measured.field("score")->nullable);
  EXPECT_FALSE(measured.field("id")->nullable);
}

TEST(LayoutAligned, TheBitmapGrowsByTheByte) {
  const auto nine = record({{"a?", "Uint8"},
                            {"b?", "Uint8"},
                            {"c?", "Uint8"},
                            {"d?", "Uint8"},
                            {"e?", "Uint8"},
                            {"f?", "Uint8"},
                            {"g?", "Uint8"},
                            {"h?", "Uint8"},
                            {"i?", "Uint8"}});
  const auto measured = layout(nine, LayoutMode::kAligned);
  EXPECT_EQ(measured.of(nine.root()).bitmap_bytes, 2U);
  EXPECT_EQ(measured.of(nine.root()).presence_bits.back(), 8);
  EXPECT_EQ(measured.field("a")->offset, 2U);
  EXPECT_EQ(measured.size(), 11U);
}

TEST(LayoutAligned, ADefaultNeedsNoBit) {
  const auto schema = record({{"a?", R"({"TypeDef:Int8":true,"default":3})"}});
  EXPECT_EQ(layout(schema, LayoutMode::kAligned).size(), 1U);
}

TEST(LayoutAligned, ReservesMaxBytes) {
  const auto schema =
      record({{"s", R"({"TypeDef:String":{"maxBytes":5}})"}, {"b", R"({"TypeDef:Bytes":{"maxBytes":4}})"}});
  const auto measured = layout(schema, LayoutMode::kAligned);
  EXPECT_EQ(measured.field("s")->bytes, 12U);
  EXPECT_EQ(measured.field("b")->offset, 12U);
  EXPECT_EQ(measured.field("b")->bytes, 8U);
  EXPECT_EQ(measured.size(), 20U);
}

TEST(LayoutAligned, PlacesIndirectFieldsAndBlobs) {
  const auto schema =
      record({{"a", "Uint8"},
              {"s", R"({"TypeDef:String":{"encoding":"offset-indirect"}})"},
              {"v", R"({"TypeDef:Array":{"encoding":"offset-indirect"},"items":{"TypeDef:Int64":true}})"},
              {"blob", R"({"TypeDef:Blob":{"item":"String"}})"}});
  const auto measured = layout(schema, LayoutMode::kAligned);
  EXPECT_EQ(offsets(measured), (Offsets{{"a", 0}, {"s", 4}, {"v", 12}, {"blob", 24}}));
  EXPECT_EQ(measured.size(), 40U);
  EXPECT_EQ(measured.align(), 8U);
  EXPECT_TRUE(measured.of(schema.root()).indirect);
  EXPECT_TRUE(measured.of(schema.root()).blobs);
}

TEST(LayoutAligned, AlignOnlyRaisesAndRoundsSizesUp) {
  const auto schema = record({{"a", R"({"TypeDef:Uint8":{"align":16}})"}, {"b", R"({"TypeDef:Int64":{"align":2}})"}});
  const auto measured = layout(schema, LayoutMode::kAligned);
  EXPECT_EQ(measured.field("a")->bytes, 16U);
  EXPECT_EQ(measured.field("b")->offset, 16U);
  EXPECT_EQ(measured.field("b")->align, 8U);
  EXPECT_EQ(measured.size(), 32U);
  const auto whole =
      Schema::parse(R"({"TypeDef:Struct":{"align":64},"properties":{"a":{"TypeDef:Uint8":true}},"required":["a"]})");
  EXPECT_EQ(layout(whole, LayoutMode::kAligned).size(), 64U);
}

TEST(LayoutAligned, NestsStructsAndCountedArrays) {
  const auto schema = Schema::parse(R"({
    "TypeDef:Struct": true, "required": ["n", "points", "m"],
    "properties": {
      "n": {"TypeDef:Uint8": true},
      "points": {"TypeDef:Array": true, "minItems": 3, "maxItems": 3, "items": {"$ref": "#/$defs/p"}},
      "m": {"TypeDef:Array": true, "minItems": 2, "maxItems": 2,
            "items": {"TypeDef:Array": true, "minItems": 2, "maxItems": 2, "items": {"TypeDef:Uint16": true}}}},
    "$defs": {"p": {"TypeDef:Struct": true, "required": ["x", "y"],
                    "properties": {"x": {"TypeDef:Float32": true}, "y": {"TypeDef:Uint8": true}}}}})");
  const auto measured = layout(schema, LayoutMode::kAligned);
  EXPECT_EQ(offsets(measured),
            (Offsets{{"n", 0}, {"points", 4}, {"points[0].x", 4}, {"points[0].y", 8}, {"m", 28}, {"m[0]", 28}}));
  EXPECT_EQ(measured.field("points")->bytes, 24U);
  EXPECT_EQ(measured.field("m")->bytes, 8U);
  EXPECT_EQ(measured.size(), 36U);
}

TEST(LayoutAligned, FollowsOrder) {
  const auto schema = Schema::parse(R"({"TypeDef:Struct":{"order":["b","a"]},"required":["a","b"],
    "properties":{"a":{"TypeDef:Uint8":true},"b":{"TypeDef:Int32":true}}})");
  EXPECT_EQ(offsets(layout(schema, LayoutMode::kAligned)), (Offsets{{"a", 4}, {"b", 0}}));
}

TEST(LayoutPacked, IsBackToBack) {
  const auto schema = record({{"a", "Uint8"}, {"b", "Float32"}, {"s", "String"}, {"c", "Int16"}});
  const auto measured = layout(schema, LayoutMode::kPacked);
  EXPECT_EQ(offsets(measured), (Offsets{{"a", 0}, {"b", 1}, {"s", 5}, {"c", std::nullopt}}));
  EXPECT_EQ(measured.size(), std::nullopt);
  EXPECT_EQ(measured.field("s")->bytes, std::nullopt);
  EXPECT_EQ(layout(record({{"a", "Uint8"}, {"b", "Float32"}}), LayoutMode::kPacked).size(), 5U);
}

TEST(LayoutPacked, PutsAPresenceByteBeforeNullableFields) {
  const auto schema = record({{"id", "Int32"}, {"score?", "Float32"}, {"z", "Uint8"}});
  const auto measured = layout(schema, LayoutMode::kPacked);
  EXPECT_EQ(offsets(measured), (Offsets{{"id", 0}, {"score", 5}, {"z", std::nullopt}}));
  EXPECT_EQ(measured.size(), std::nullopt);
}

TEST(LayoutPacked, AUnionOfEqualVariantsIsOfFixedSize) {
  const auto unite = [](std::string_view second) {
    return Schema::parse(R"({"TypeDef:Union":{"discriminator":"k","mapping":{
      "circle":{"TypeDef:Struct":true,"properties":{"r":{"TypeDef:Float32":true}},"required":["r"]},
      "square":{"TypeDef:Struct":true,"properties":{"a":{"TypeDef:)" +
                         std::string(second) + R"(":true}},"required":["a"]}}}})");
  };
  EXPECT_EQ(layout(unite("Float32"), LayoutMode::kPacked).size(), 5U);
  EXPECT_EQ(layout(unite("Float64"), LayoutMode::kPacked).size(), std::nullopt);
}

TEST(LayoutPacked, AllowsRecursionThroughWhatShifts) {
  for (
      const std::string_view text :
      {R"({"TypeDef:Struct":true,"properties":{"v":{"TypeDef:Int8":true},"next":{"$ref":"#"}},"required":["v"]})",
       R"({"TypeDef:Struct":true,"properties":{"kids":{"TypeDef:Array":true,"items":{"$ref":"#"}}},"required":["kids"]})",
       R"({"TypeDef:Struct":true,"properties":{"kids":{"TypeDef:Record":{"values":{"$ref":"#"}}}},"required":["kids"]})",
       R"({"TypeDef:Struct":true,"required":["u"],"properties":{"u":{"TypeDef:Union":{"discriminator":"k","mapping":{"self":{"$ref":"#"},"end":{"TypeDef:Struct":true,"properties":{"x":{"TypeDef:Int8":true}}}}}}}})"}) {
    const auto schema = Schema::parse(text);
    EXPECT_EQ(layout(schema, LayoutMode::kPacked).size(), std::nullopt);
    EXPECT_EQ(code_of([&] { layout(schema, LayoutMode::kAligned); }), "schema_invalid") << text;
  }
}

TEST(Layout, RefusesRecursionThatNeverEnds) {
  const auto direct =
      Schema::parse(R"({"TypeDef:Struct":true,"properties":{"next":{"$ref":"#"}},"required":["next"]})");
  EXPECT_EQ(code_of([&] { layout(direct, LayoutMode::kPacked); }), "schema_invalid");
  // B is first seen through an Array; the cycle A-B itself has none.
  const auto hidden = Schema::parse(R"({"TypeDef:Struct":true,"required":["list","b"],
    "properties":{"list":{"TypeDef:Array":true,"items":{"$ref":"#/$defs/b"}},"b":{"$ref":"#/$defs/b"}},
    "$defs":{"b":{"TypeDef:Struct":true,"required":["a"],"properties":{"a":{"$ref":"#"}}}}})");
  EXPECT_EQ(code_of([&] { layout(hidden, LayoutMode::kPacked); }), "schema_invalid");
}

struct Refusal {
  std::string_view field;
  bool packed_too;
};
class LayoutRefusing : public testing::TestWithParam<Refusal> {};

TEST_P(LayoutRefusing, NamesTheNode) {
  const auto schema = record({{"a", "Int8"}, {"x", std::string(GetParam().field)}});
  const auto error = error_of([&] { layout(schema, LayoutMode::kAligned); });
  EXPECT_EQ(error.code_name(), "schema_invalid") << error.message();
  EXPECT_TRUE(error.details().at("pointer").as_string().starts_with("/properties/x")) << error.message();
  if (GetParam().packed_too) {
    EXPECT_EQ(code_of([&] { layout(schema, LayoutMode::kPacked); }), "schema_invalid");
  } else {
    EXPECT_NO_THROW(layout(schema, LayoutMode::kPacked));
  }
}

const Refusal kRefusals[] = {
    {"String", false},
    {"Bytes", false},
    {"Timestamp", false},
    {R"({"type":"string"})", true},
    {R"({"TypeDef:Record":{"values":{"TypeDef:Int8":true}}})", false},
    {R"({"TypeDef:Array":true,"items":{"TypeDef:Int8":true}})", false},
    {R"({"TypeDef:Array":true,"items":{"TypeDef:Int8":true},"minItems":0,"maxItems":0})", true},
    {R"({"TypeDef:Array":true,"items":{"type":"integer"},"minItems":1,"maxItems":1})", true},
    {R"({"TypeDef:Array":{"encoding":"offset-indirect"},"items":{"TypeDef:String":{"encoding":"offset-indirect"}}})",
     false},
    {R"({"TypeDef:Blob":{"item":{"TypeDef:Array":true,"items":{"TypeDef:Int8":true}}}})", true},
    {R"({"TypeDef:Array":true,"items":{"TypeDef:Int64":true},"minItems":1e18,"maxItems":1e18})", true},
    {R"({"TypeDef:Union":{"discriminator":"k","mapping":{"a":{"TypeDef:Struct":true,"properties":{"v":{"TypeDef:Int8":true}}}}}})",
     false},
};
INSTANTIATE_TEST_SUITE_P(All, LayoutRefusing, testing::ValuesIn(kRefusals));

TEST(Layout, BigEndianIsForPackedOnly) {
  const auto schema = Schema::parse(R"({"TypeDef:Int32":{"endian":"big"}})");
  EXPECT_EQ(layout(schema, LayoutMode::kPacked).size(), 4U);
  EXPECT_EQ(code_of([&] { layout(schema, LayoutMode::kAligned); }), "schema_invalid");
}

TEST(Layout, OfAFileListsTensorsWithoutOffsets) {
  const auto schema = Schema::parse(R"({"TypeDef:Struct":true,"properties":{
    "w":{"TypeDef:Tensor":{"dtype":"F32","shape":[2,3]}},
    "v":{"TypeDef:Tensor":{"dtype":"I64","shape":[-1]}},
    "r":{"TypeDef:Tensor":{"shape":[4],"dtype":{"TypeDef:Struct":true,"required":["a","b"],"properties":{"a":{"TypeDef:Uint8":true},"b":{"TypeDef:Float32":true}}}}}}})");
  for (const auto mode : {LayoutMode::kAligned, LayoutMode::kPacked}) {
    const auto measured = layout(schema, mode);
    EXPECT_EQ(measured.size(), std::nullopt);
    EXPECT_EQ(measured.field("w")->bytes, 24U);
    EXPECT_EQ(measured.field("w")->offset, std::nullopt);
    EXPECT_EQ(measured.field("w")->align, 4U);
    EXPECT_EQ(measured.field("v")->bytes, std::nullopt);
    EXPECT_EQ(measured.field("r")->bytes, 32U);
  }
}

}  // namespace
}  // namespace alknet::schema
