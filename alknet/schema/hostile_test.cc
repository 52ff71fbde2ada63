// Schemas and instances made to exhaust time, memory or stack. What is asserted is the verdict; a regression shows as a
// crash or a test that never ends.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/schema/file_schema.h"

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

TEST(Hostile, ASchemaWithoutInstructions) { EXPECT_TRUE(Schema::parse(R"({"a":{"b":{"$c":1}}})").is_valid(Json(1))); }

TEST(Hostile, FormatsOnAMegabyteOfText) {
  SchemaOptions options;
  options.assert_formats = true;
  for (const std::string_view format : {"date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6",
                                        "uri", "uri-reference", "uuid", "json-pointer", "relative-json-pointer"}) {
    const auto schema = Schema::from_json(JsonObject{{"format", format}}, options);
    for (const std::string_view part : {"1", ":", "a@", "%41", "..", "[", "P1Y", "\"\\", "~0"}) {
      std::string text;
      while (text.size() < (1 << 20)) text += part;
      EXPECT_EQ(schema.is_valid(Json(text)), schema.validate(Json(text)).empty()) << format << " " << part;
    }
  }
}

TEST(Hostile, ADynamicReferenceThatNeverEnds) {
  const auto schema = Schema::parse(R"({"$dynamicAnchor":"x","allOf":[{"$dynamicRef":"#x"},{"$dynamicRef":"#x"}]})");
  const auto errors = schema.validate(Json(1));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_NE(errors[0].message.find("more than 64 references"), std::string::npos);
  EXPECT_FALSE(Schema::parse(R"({"$dynamicAnchor":"x","not":{"$dynamicRef":"#x"}})").is_valid(Json(1)));
}

TEST(Hostile, DynamicReferencesThatFanOut) {
  JsonObject defs;
  for (int i = 0; i < 60; ++i) {
    const Json next = JsonObject{{"$dynamicRef", fmt::format("#d{}", i + 1)}};
    defs[fmt::format("d{}", i)] =
        JsonObject{{"$dynamicAnchor", fmt::format("d{}", i)}, {"anyOf", JsonArray{next, next}}};
  }
  defs["d60"] = JsonObject{{"$dynamicAnchor", "d60"}, {"type", "string"}};
  const auto schema = Schema::from_json(JsonObject{{"$ref", "#/$defs/d0"}, {"$defs", std::move(defs)}});
  EXPECT_FALSE(schema.is_valid(Json(1)));
  EXPECT_FALSE(schema.validate(Json(1)).empty());
  EXPECT_TRUE(schema.is_valid(Json("x")));
}

TEST(Hostile, DynamicScopesThatDoubleAStep) {
  // Each step may go through a resource with an anchor of its own or around it: 2^20 different scopes.
  constexpr int kSteps = 20;
  JsonObject defs;
  for (int i = 0; i < kSteps; ++i) {
    const auto next = fmt::format("step{}", i + 1), name = fmt::format("step{}", i), with = fmt::format("with{}", i);
    const Json anchor = JsonObject{{"$dynamicAnchor", fmt::format("x{}", i)}};
    defs[with] = JsonObject{{"$id", with}, {"$defs", JsonObject{{"x", anchor}}}, {"$ref", next}};
    defs[name] =
        JsonObject{{"$id", name}, {"anyOf", JsonArray{JsonObject{{"$ref", with}}, JsonObject{{"$ref", next}}}}};
  }
  JsonArray all;
  JsonObject anchors;
  for (int i = 0; i < kSteps; ++i) {
    all.push_back(JsonObject{{"$dynamicRef", fmt::format("#x{}", i)}});
    anchors[fmt::format("x{}", i)] = JsonObject{{"$dynamicAnchor", fmt::format("x{}", i)}};
  }
  all.push_back(false);
  defs["last"] = JsonObject{{"$id", fmt::format("step{}", kSteps)}, {"allOf", all}, {"$defs", anchors}};
  const auto schema =
      Schema::from_json(JsonObject{{"$id", "http://example.com/"}, {"$ref", "step0"}, {"$defs", std::move(defs)}});
  EXPECT_FALSE(schema.is_valid(Json(1)));
  const auto errors = schema.validate(Json(1));
  ASSERT_FALSE(errors.empty());
  EXPECT_NE(errors.back().message.find("different scopes"), std::string::npos);
}

TEST(Hostile, UnevaluatedPropertiesOverManyMembersAndBranches) {
  JsonObject instance;
  for (int i = 0; i < 100'000; ++i) instance[fmt::format("p{}", i)] = i;
  JsonArray branches;
  for (int b = 0; b < 100; ++b) {
    JsonObject properties;
    for (int i = b * 1'000; i < (b + 1) * 1'000; ++i)
      properties[fmt::format("p{}", i)] = JsonObject{{"type", "integer"}};
    branches.push_back(JsonObject{{"properties", std::move(properties)}});
  }
  const auto schema = Schema::from_json(JsonObject{{"anyOf", std::move(branches)}, {"unevaluatedProperties", false}});
  EXPECT_TRUE(schema.is_valid(instance));
  EXPECT_TRUE(schema.validate(instance).empty());
  instance["q"] = 1;
  EXPECT_FALSE(schema.is_valid(instance));
  EXPECT_EQ(schema.validate(instance).size(), 1U);
}

TEST(Hostile, UnevaluatedKeywordsAtEveryLevel) {
  Json anywhere = true;
  Json inside = true;
  for (int i = 0; i < 18; ++i) {
    anywhere =
        JsonObject{{"anyOf", JsonArray{anywhere, JsonObject{{"type", "null"}}}}, {"unevaluatedProperties", true}};
  }
  for (int i = 0; i < 30; ++i) inside = JsonObject{{"contains", std::move(inside)}, {"unevaluatedItems", false}};
  EXPECT_TRUE(Schema::from_json(anywhere).is_valid(JsonObject{{"a", 1}}));
  Json nested = 1;
  for (int i = 0; i < 30; ++i) nested = JsonArray{std::move(nested)};
  EXPECT_TRUE(Schema::from_json(inside).is_valid(nested));

  JsonObject defs;
  for (int i = 0; i < 60; ++i) {
    const Json next = JsonObject{{"$ref", fmt::format("#/$defs/d{}", i + 1)}};
    defs[fmt::format("d{}", i)] = JsonObject{{"anyOf", JsonArray{next, next}}, {"unevaluatedProperties", i > 0}};
  }
  defs["d60"] = JsonObject{{"properties", JsonObject{{"a", true}}}};
  const auto schema = Schema::from_json(JsonObject{{"$ref", "#/$defs/d0"}, {"$defs", std::move(defs)}});
  EXPECT_TRUE(schema.is_valid(JsonObject{{"a", 1}}));
}

TEST(Hostile, UniqueItemsOverAMillionItems) {
  JsonArray items;
  for (int i = 0; i < 1'000'000; ++i) items.push_back(i);
  const auto schema = Schema::parse(R"({"uniqueItems":true})");
  EXPECT_TRUE(schema.is_valid(items));
  items.push_back(999'999.0);
  EXPECT_FALSE(schema.is_valid(items));
  JsonArray objects;
  for (int i = 0; i < 100'000; ++i) objects.push_back(JsonObject{{"b", 1}, {"a", i}});
  EXPECT_TRUE(schema.is_valid(objects));
  objects.push_back(JsonObject{{"a", 3}, {"b", 1.0}});
  EXPECT_FALSE(schema.is_valid(objects));
}

TEST(Hostile, AnEnumOfManyValues) {
  JsonArray values;
  for (int i = 0; i < 200'000; ++i) values.push_back(Json(fmt::format("value {}", i)));
  const auto schema = Schema::from_json(JsonObject{{"items", JsonObject{{"enum", values}}}});
  EXPECT_TRUE(schema.is_valid(values));
  values.push_back("other");
  EXPECT_FALSE(schema.is_valid(values));
}

TEST(Hostile, AUnionOfTenThousandTags) {
  JsonArray alternatives;
  for (int i = 0; i < 10'000; ++i) {
    const Json tag = JsonObject{{"const", fmt::format("tag{}", i)}};
    alternatives.push_back(
        JsonObject{{"type", "object"}, {"properties", JsonObject{{"t", tag}}}, {"required", JsonArray{"t"}}});
  }
  const auto schema = Schema::from_json(JsonObject{{"items", JsonObject{{"oneOf", std::move(alternatives)}}}});
  JsonArray instance;
  for (int i = 0; i < 200; ++i) instance.push_back(JsonObject{{"t", fmt::format("tag{}", 50 * i)}});
  EXPECT_TRUE(schema.is_valid(instance));
  instance.push_back(JsonObject{{"t", "tag"}});
  EXPECT_FALSE(schema.is_valid(instance));
}

TEST(Hostile, SchemasAndInstancesAsDeepAsTextMayBe) {
  std::string schema = "true", instance = "1";
  for (int i = 0; i < 62; ++i) {
    schema = R"({"items":)" + schema + "}";
    instance = "[" + instance + "]";
  }
  EXPECT_TRUE(Schema::parse(schema).is_valid(parse_json(instance)));
  SchemaOptions draft7;
  draft7.draft = Draft::k7;
  std::string tuple = "false";
  for (int i = 0; i < 30; ++i) tuple = R"({"items":[)" + tuple + "]}";
  EXPECT_FALSE(Schema::parse(tuple, draft7).is_valid(parse_json(instance)));
}

}  // namespace
}  // namespace alknet::schema
