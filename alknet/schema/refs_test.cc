#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/schema/schema.h"

namespace alknet::schema {
namespace {

bool valid(std::string_view schema, std::string_view instance, const SchemaOptions& options = {}) {
  const auto parsed = Schema::parse(schema, options);
  const auto value = parse_json(instance);
  const bool verdict = parsed.is_valid(value);
  EXPECT_EQ(parsed.lower().is_valid(value), verdict) << json_text(parsed.lowered());
  return verdict;
}

TEST(References, FollowPointersWithEscapes) {
  const auto schema = R"({"$ref":"#/$defs/a~1b%25~0c","$defs":{"a/b%~c":{"type":"integer"}}})";
  EXPECT_TRUE(valid(schema, "1"));
  EXPECT_FALSE(valid(schema, "\"x\""));
}

TEST(References, FollowAnchors) {
  const auto schema = R"({"$ref":"#foo","$defs":{"x":{"$anchor":"foo","type":"integer"}}})";
  EXPECT_TRUE(valid(schema, "1"));
  EXPECT_FALSE(valid(schema, "null"));
}

TEST(References, KeepSiblings) {
  const auto schema = R"({"$ref":"#/$defs/n","maximum":5,"$defs":{"n":{"type":"integer"}}})";
  EXPECT_TRUE(valid(schema, "5"));
  EXPECT_FALSE(valid(schema, "6"));
}

TEST(References, ResolveAgainstTheNearestId) {
  const auto schema = R"({
    "$id": "http://example.com/root.json",
    "properties": {"a": {"$ref": "folder/item.json"}, "b": {"$ref": "folder/item.json#inner"}},
    "$defs": {
      "item": {"$id": "folder/item.json", "$ref": "#/$defs/t",
               "$defs": {"t": {"type": "integer"}, "u": {"$anchor": "inner", "$ref": "other.json"}}},
      "other": {"$id": "/folder/other.json", "type": "string"}}})";
  EXPECT_TRUE(valid(schema, R"({"a":1,"b":"x"})"));
  EXPECT_FALSE(valid(schema, R"({"a":"x"})"));
  EXPECT_FALSE(valid(schema, R"({"b":1})"));
}

TEST(References, ReachRegisteredDocuments) {
  SchemaOptions options;
  options.registered.push_back(
      {"http://example.com/int.json", parse_json(R"({"type":"integer","$defs":{"s":{"$ref":"str.json"}}})")});
  options.registered.push_back({"http://example.com/str.json", parse_json(R"({"$anchor":"top","type":"string"})")});
  EXPECT_TRUE(valid(R"({"$ref":"http://example.com/int.json"})", "1", options));
  EXPECT_FALSE(valid(R"({"$ref":"http://example.com/int.json"})", "\"x\"", options));
  EXPECT_TRUE(valid(R"({"$ref":"http://example.com/int.json#/$defs/s"})", "\"x\"", options));
  EXPECT_FALSE(valid(R"({"$ref":"http://example.com/str.json#top"})", "1", options));
  const auto errors = Schema::parse(R"({"$ref":"http://example.com/int.json"})", options).validate(Json("x"));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].schema_path, "http://example.com/int.json#/type");
}

TEST(References, TryNamesOfDefs) {
  const auto schema =
      R"({"$ref":"Point","$defs":{"Point":{"properties":{"x":{"$ref":"Number"}}},"Number":{"type":"number"}}})";
  EXPECT_TRUE(valid(schema, R"({"x":1})"));
  EXPECT_FALSE(valid(schema, R"({"x":"1"})"));
}

TEST(References, AcceptWhatTypeBoxModulesWrite) {
  const auto schema = R"({
    "$defs": {
      "A": {"type": "object", "properties": {"b": {"$ref": "B"}}, "required": ["b"], "$id": "A"},
      "B": {"type": "array", "items": {"$ref": "C"}, "$id": "B"},
      "C": {"type": "string", "$id": "C"}},
    "$ref": "A"})";
  EXPECT_TRUE(valid(schema, R"({"b":["x"]})"));
  EXPECT_FALSE(valid(schema, R"({"b":[1]})"));
}

TEST(References, IgnoreNamesInsideConstAndEnum) {
  const auto schema =
      R"({"const":{"$ref":"nowhere","$id":"x"},"$defs":{"a":{"enum":[{"$anchor":"a"}]},"b":{"$anchor":"a"}}})";
  EXPECT_TRUE(valid(schema, R"({"$ref":"nowhere","$id":"x"})"));
}

TEST(References, MayNameUnknownKeywords) {
  const auto schema = R"({"parts":{"n":{"type":"integer","items":{"$ref":"#/parts/m"}},"m":true},"$ref":"#/parts/n"})";
  EXPECT_TRUE(valid(schema, "1"));
  EXPECT_FALSE(valid(schema, "[]"));
}

TEST(References, AreRefusedWhenNothingHasTheName) {
  for (const std::string_view reference : {"#/$defs/x", "#x", "other.json", "http://example.com/x", "#/type", "Name"}) {
    const auto text = json_text(JsonObject{{"$ref", reference}, {"type", "object"}});
    const auto error = error_of([&] { Schema::parse(text); });
    EXPECT_EQ(error.code_name(), "schema_invalid") << reference;
    EXPECT_EQ(error.details().at("pointer").as_string(), "/$ref") << error.message();
  }
}

TEST(References, AreRefusedWhenTheyLoopForOneValue) {
  for (const std::string_view text :
       {R"({"$ref":"#"})", R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}})",
        R"({"anyOf":[{"type":"integer"},{"$ref":"#"}]})", R"({"if":true,"then":{"not":{"$ref":"#"}}})",
        R"({"dependentSchemas":{"a":{"$ref":"#"}}})"}) {
    EXPECT_EQ(code_of([&] { Schema::parse(text); }), "schema_invalid") << text;
  }
}

TEST(References, RefuseTwinIdsAndAnchors) {
  EXPECT_EQ(code_of([] { Schema::parse(R"({"$defs":{"a":{"$id":"x"},"b":{"$id":"x"}}})"); }), "schema_invalid");
  EXPECT_EQ(code_of([] { Schema::parse(R"({"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}})"); }), "schema_invalid");
  EXPECT_EQ(code_of([] { Schema::parse(R"({"$id":"x#y"})"); }), "schema_invalid");
}

}  // namespace
}  // namespace alknet::schema
