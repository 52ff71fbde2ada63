// Schemas and instances made to exhaust time, memory or stack. What is asserted is the verdict; a regression shows as a
// crash or a test that never ends.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "alknet/schema/file_schema.h"
#include "alknet/schema/test_support.h"

namespace alknet::schema {
namespace {

TEST(Hostile, PatternsOnAMegabyteOfText) {
  const std::string text(1 << 20, 'a');
  for (const std::string_view pattern : {"^(a+)+$", "(a|a)*b", "(.*)*x$", "^(a|aa)+$", "a{0,1000}b"}) {
    const auto schema = Schema::from_json(JsonObject{{"pattern", pattern}});
    const bool matches = pattern == "^(a+)+$" || pattern == "^(a|aa)+$";
    EXPECT_EQ(schema.is_valid(Json(text)), matches) << pattern;
  }
}

TEST(Hostile, ThousandsOfPatterns) {
  JsonArray all;
  for (int i = 0; i < 2'000; ++i) all.push_back(JsonObject{{"pattern", fmt::format("^[a-z]{{{}}}$", i % 1'000)}});
  EXPECT_NO_THROW(Schema::from_json(JsonObject{{"allOf", all}}));  // 1,000 different ones
  for (int i = 0; i < 100; ++i) all.push_back(JsonObject{{"pattern", fmt::format("x{}", i)}});
  EXPECT_EQ(code_of([&] { Schema::from_json(JsonObject{{"allOf", all}}); }), "schema_too_large");
}

TEST(Hostile, AReferenceChainThatFansOutTwiceAStep) {
  for (const std::string_view keyword : {"allOf", "anyOf", "oneOf"}) {
    JsonObject defs;
    for (int i = 0; i < 60; ++i) {
      const auto next = fmt::format("#/$defs/d{}", i + 1);
      defs[fmt::format("d{}", i)] =
          JsonObject{{keyword, JsonArray{JsonObject{{"$ref", next}}, JsonObject{{"$ref", next}}}}};
    }
    defs["d60"] = JsonObject{{"type", "string"}};
    const auto schema = Schema::from_json(JsonObject{{"$ref", "#/$defs/d0"}, {"$defs", std::move(defs)}});
    EXPECT_FALSE(schema.is_valid(Json(1)));
    EXPECT_FALSE(schema.validate(Json(1)).empty());
    EXPECT_EQ(schema.is_valid(Json("x")), keyword != "oneOf");
  }
}

TEST(Hostile, RecursionThatFansOutOverADeepInstance) {
  const auto schema = Schema::parse(R"({"anyOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}],"type":"array"})");
  Json deep = JsonArray{1};
  for (int i = 0; i < 50; ++i) deep = JsonArray{std::move(deep)};
  EXPECT_FALSE(schema.is_valid(deep));
  EXPECT_FALSE(schema.validate(deep).empty());
}

TEST(Hostile, NestedAlternativesAreNotMultiplied) {
  Json schema = JsonObject{{"type", "string"}};
  for (int i = 0; i < 20; ++i) schema = JsonObject{{"anyOf", JsonArray{std::move(schema)}}};
  EXPECT_EQ(Schema::from_json(schema).validate(Json(1)).size(), 21U);
}

TEST(Hostile, AnInstanceDeeperThanTheEvaluationDepth) {
  const auto schema = Schema::parse(R"({"items":{"$ref":"#"}})");
  Json deep = JsonArray();
  for (int i = 0; i < 200; ++i) deep = JsonArray{std::move(deep)};
  const auto errors = schema.validate(deep);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_NE(errors[0].message.find("more than 64 references"), std::string::npos);
  // `not` must not turn that into a verdict.
  EXPECT_FALSE(
      Schema::parse(R"({"not":{"$ref":"#/$defs/a"},"$defs":{"a":{"items":{"$ref":"#/$defs/a"}}}})").is_valid(deep));
}

TEST(Hostile, TenThousandAlternatives) {
  JsonArray alternatives;
  for (int i = 0; i < 10'000; ++i) alternatives.push_back(JsonObject{{"const", i}, {"type", "integer"}});
  const auto schema = Schema::from_json(JsonObject{{"items", JsonObject{{"anyOf", std::move(alternatives)}}}});
  JsonArray instance;
  for (int i = 0; i < 200; ++i) instance.push_back(9'999 - i);
  EXPECT_TRUE(schema.is_valid(instance));
  EXPECT_TRUE(schema.validate(instance).empty());
  instance.push_back(-1);
  EXPECT_EQ(schema.validate(instance, {.max_errors = 100}).size(), 101U);
}

TEST(Hostile, UniqueItemsOverManyItems) {
  JsonArray items;
  for (int i = 0; i < 100'000; ++i) items.push_back(JsonArray{i, "x"});
  const auto schema = Schema::parse(R"({"uniqueItems":true})");
  EXPECT_TRUE(schema.is_valid(items));
  items.push_back(JsonArray{5.0, "x"});
  EXPECT_FALSE(schema.is_valid(items));
}

TEST(Hostile, ALongChainOfReferences) {
  JsonObject defs;
  for (int i = 0; i < 20'000; ++i)
    defs[fmt::format("d{}", i)] = JsonObject{{"$ref", fmt::format("#/$defs/d{}", i + 1)}};
  defs["d20000"] = JsonObject{{"TypeDef:Int8", true}};
  EXPECT_EQ(code_of([&] {
              Schema::from_json(JsonObject{{"$ref", "#/$defs/d0"}, {"$defs", defs}});
            }),
            "schema_too_deep");
  // Through properties nothing is in a row, but the layout would be too deep.
  JsonObject structs;
  for (int i = 0; i < 5'000; ++i) {
    structs[fmt::format("d{}", i)] =
        JsonObject{{"TypeDef:Struct", true},
                   {"required", JsonArray{"x"}},
                   {"properties", JsonObject{{"x", JsonObject{{"$ref", fmt::format("#/$defs/d{}", i + 1)}}}}}};
  }
  structs["d5000"] = JsonObject{{"TypeDef:Int8", true}};
  const auto schema = Schema::from_json(JsonObject{{"$ref", "#/$defs/d0"}, {"$defs", structs}});
  EXPECT_EQ(code_of([&] { layout(schema, LayoutMode::kAligned); }), "schema_too_deep");
  EXPECT_NO_THROW(schema.lowered());
}

TEST(Hostile, AStructThatDoublesAStep) {
  JsonObject structs;
  for (int i = 0; i < 55; ++i) {
    const Json next = JsonObject{{"$ref", fmt::format("#/$defs/d{}", i + 1)}};
    structs[fmt::format("d{}", i)] = JsonObject{{"TypeDef:Struct", true},
                                                {"required", JsonArray{"x", "y"}},
                                                {"properties", JsonObject{{"x", next}, {"y", next}}}};
  }
  structs["d55"] = JsonObject{{"TypeDef:Int8", true}};
  const JsonObject root{{"$ref", "#/$defs/d0"}, {"$defs", structs}};
  EXPECT_EQ(code_of([&] { layout(Schema::from_json(root), LayoutMode::kAligned); }), "schema_too_large");
  JsonObject tensors = structs;
  tensors["d55"] = JsonObject{{"TypeDef:Tensor", JsonObject{{"dtype", "F32"}, {"shape", JsonArray{1}}}}};
  const auto file = Schema::from_json(JsonObject{{"$ref", "#/$defs/d0"}, {"$defs", tensors}});
  EXPECT_EQ(code_of([&] { file_entries(file); }), "schema_too_large");
  EXPECT_EQ(code_of([&] { layout(file, LayoutMode::kAligned); }), "schema_too_large");
}

TEST(Hostile, ManyReferencesToOneLongName) {
  const std::string name(1 << 20, 'n');
  JsonArray all;
  for (int i = 0; i < 5'000; ++i) all.push_back(JsonObject{{"type", "string"}});
  const auto schema =
      Schema::from_json(JsonObject{{"properties", JsonObject{{name, JsonObject{{"allOf", std::move(all)}}}}}});
  const auto errors = schema.validate(JsonObject{{name, 1}});
  EXPECT_LT(errors.size(), 100U);
  EXPECT_NE(errors.back().message.find("left out"), std::string::npos);
}

}  // namespace
}  // namespace alknet::schema
