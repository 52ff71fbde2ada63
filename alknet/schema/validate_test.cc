#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/schema/schema.h"

namespace alknet::schema {
namespace {

struct Case {
  std::string_view schema, valid, invalid;  // arrays of instances
};
class Keywords : public testing::TestWithParam<Case> {};

TEST_P(Keywords, DecideAsTheStandardSays) {
  const auto schema = Schema::parse(GetParam().schema);
  for (const bool expected : {true, false}) {
    const auto instances = parse_json(expected ? GetParam().valid : GetParam().invalid);
    for (const auto& instance : instances.as_array()) {
      EXPECT_EQ(schema.is_valid(instance), expected) << GetParam().schema << " " << json_text(instance);
      EXPECT_EQ(schema.validate(instance).empty(), expected) << GetParam().schema << " " << json_text(instance);
    }
  }
}

const Case kCases[] = {
    {"true", "[1,null]", "[]"},
    {"false", "[]", "[1,null]"},
    {R"({"type":"integer"})", "[1,1.0,1e300,-3,18446744073709551615]", R"([1.5,"1",null,[],true])"},
    {R"({"type":["null","array"]})", "[null,[]]", "[{},0]"},
    {R"({"enum":[1,"a",{"b":[1,2]},null]})", R"([1.0,"a",{"b":[1,2.0]},null])", R"([2,"b",{"b":[2,1]},false])"},
    {R"({"const":false})", "[false]", "[0,null]"},
    {R"({"const":9007199254740993})", "[9007199254740993]", "[9007199254740992,9007199254740992.0]"},
    {R"({"multipleOf":0.1})", R"([0.3,1,-0.7,"x"])", "[0.35]"},
    {R"({"maximum":9007199254740992})", "[9007199254740992]", "[9007199254740993]"},
    {R"({"exclusiveMinimum":18446744073709551614})", "[18446744073709551615]", "[18446744073709551614]"},
    {R"({"minimum":1.5})", "[2,1.5]", "[1]"},
    {R"({"exclusiveMaximum":3})", "[2.9999]", "[3,3.0]"},
    {R"({"maxLength":2})", R"(["ab","\ud83d\ude00\ud83d\ude00",123])", R"(["abc"])"},
    {R"({"minLength":2.0})", R"(["ab"])", R"(["\ud83d\ude00"])"},
    {R"({"pattern":"^a"})", R"(["ab",1])", R"(["ba"])"},
    {R"({"minItems":1,"maxItems":2})", "[[1],[1,2],{}]", "[[],[1,2,3]]"},
    {R"({"uniqueItems":true})", R"([[1,2],[1,true],[{"a":1},{"a":2}],[[1],[2]]])",
     R"([[1,1.0],[{"a":1,"b":2},{"b":2,"a":1}],["x","x"],[[1],[1]]])"},
    {R"({"prefixItems":[{"type":"integer"},{"type":"string"}]})", R"([[],[1],[1,"a"],[1,"a",null],{"0":"x"}])",
     R"([["a"],[1,2]])"},
    {R"({"prefixItems":[{"type":"integer"}],"items":false})", "[[],[1]]", "[[1,2]]"},
    {R"({"items":{"type":"integer"}})", "[[],[1,2],{}]", R"([["a"]])"},
    {R"({"contains":{"minimum":5}})", "[[1,5],{}]", "[[],[1]]"},
    {R"({"contains":{"const":1},"minContains":2})", "[[1,1],[1,2,1]]", "[[1],[]]"},
    {R"({"contains":{"const":1},"maxContains":1})", "[[1]]", "[[],[1,1]]"},
    {R"({"contains":{"const":1},"minContains":0})", "[[],[2]]", "[]"},
    {R"({"minContains":2,"maxContains":1})", "[[],[1,1]]", "[]"},
    {R"({"minProperties":1,"maxProperties":1})", R"([{"a":1},[]])", R"([{},{"a":1,"b":2}])"},
    {R"({"required":["a"]})", R"([{"a":null},"x"])", "[{}]"},
    {R"({"dependentRequired":{"a":["b","c"]}})", R"([{},{"b":1},{"a":1,"b":1,"c":1}])", R"([{"a":1},{"a":1,"b":1}])"},
    {R"({"dependentSchemas":{"a":{"required":["b"]}}})", R"([{},{"a":1,"b":1},1])", R"([{"a":1}])"},
    {R"({"properties":{"a":{"type":"integer"},"b":false}})", R"([{},{"a":1},{"c":1}])", R"([{"a":""},{"b":1}])"},
    {R"({"patternProperties":{"^a":{"type":"integer"},"z$":{"minimum":5}}})", R"([{"az":5},{"b":""}])",
     R"([{"az":4},{"ab":""}])"},
    {R"({"properties":{"a":true},"patternProperties":{"^x":true},"additionalProperties":{"type":"integer"}})",
     R"([{"a":"","x1":"","z":1}])", R"([{"z":""}])"},
    {R"({"propertyNames":{"maxLength":2}})", R"([{"ab":1},{}])", R"([{"abc":1}])"},
    {R"({"allOf":[{"minimum":2},{"maximum":4}]})", "[3]", "[1,5]"},
    {R"({"anyOf":[{"minimum":5},{"type":"string"}]})", R"([6,"x"])", "[1]"},
    {R"({"oneOf":[{"minimum":2},{"maximum":4}]})", "[1,5]", "[3]"},
    {R"({"not":{"type":"integer"}})", "[1.5,null]", "[1]"},
    {R"({"if":{"minimum":0},"then":{"multipleOf":2},"else":{"multipleOf":3}})", "[4,-3]", "[3,-4]"},
    {R"({"then":false})", "[1]", "[]"},
    {R"({"if":false,"then":false})", "[1]", "[]"},
    {R"({"format":"ipv4","contentEncoding":"base64","title":"t","unknown":{"type":"integer"}})", R"(["nonsense"])",
     "[]"},
    {R"({"type":"object","properties":{"kids":{"type":"array","items":{"$ref":"#"}}},"required":["kids"]})",
     R"([{"kids":[{"kids":[]}]}])", R"([{"kids":[{}]}])"},
};
INSTANTIATE_TEST_SUITE_P(Validate, Keywords, testing::ValuesIn(kCases));

TEST(Validate, ListsAllErrorsWithBothPointers) {
  const auto schema = Schema::parse(R"({
    "type": "object", "required": ["id", "x/y"],
    "properties": {"id": {"type": "integer", "minimum": 5}, "tags": {"items": {"$ref": "#/$defs/tag"}}},
    "additionalProperties": false,
    "$defs": {"tag": {"type": "string", "maxLength": 1}}})");
  const auto errors = schema.validate(parse_json(R"({"id":2.5,"tags":["a","bc",3],"m~n":0})"));
  std::vector<std::pair<std::string, std::string>> pointers;
  for (const auto& error : errors) {
    pointers.emplace_back(error.instance_path, error.schema_path);
    EXPECT_FALSE(error.message.empty());
  }
  EXPECT_EQ(pointers, (std::vector<std::pair<std::string, std::string>>{{"", "/required"},
                                                                        {"/id", "/properties/id/type"},
                                                                        {"/id", "/properties/id/minimum"},
                                                                        {"/tags/1", "/$defs/tag/maxLength"},
                                                                        {"/tags/2", "/$defs/tag/type"},
                                                                        {"/m~0n", "/additionalProperties"}}));
}

TEST(Validate, SaysWhatEveryAlternativeLacks) {
  const auto errors = Schema::parse(R"({"anyOf":[{"type":"string"},{"minimum":5}]})").validate(Json(1));
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_EQ(errors[0].schema_path, "/anyOf");
  EXPECT_EQ(errors[1].schema_path, "/anyOf/0/type");
  EXPECT_EQ(errors[2].schema_path, "/anyOf/1/minimum");
}

TEST(Validate, NamesTheItemsThatAreEqual) {
  const auto errors = Schema::parse(R"({"uniqueItems":true})").validate(parse_json("[3,1,2,1.0]"));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].message, "the items 1 and 3 are equal");
}

TEST(Validate, StopsTheListAtItsLimit) {
  const auto schema = Schema::parse(R"({"items":{"type":"string"}})");
  Json instance = JsonArray(1'000, Json(1));
  const auto errors = schema.validate(instance, {.max_errors = 10});
  ASSERT_EQ(errors.size(), 11U);
  EXPECT_NE(errors.back().message.find("left out"), std::string::npos);
  EXPECT_EQ(schema.validate(instance).size(), 1'000U);
}

TEST(Validate, AReferenceThatWasTriedInAnAlternativeStillReportsItsErrors) {
  const auto schema = Schema::parse(R"({"allOf":[{"anyOf":[{"$ref":"#/$defs/a"},true]},{"$ref":"#/$defs/a"}],
    "$defs":{"a":{"$ref":"#/$defs/b"},"b":{"type":"string"}}})");
  const auto errors = schema.validate(Json(1));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].schema_path, "/$defs/b/type");
}

}  // namespace
}  // namespace alknet::schema
