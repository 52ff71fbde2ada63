// The draft 7 cases of the official test suite (Debian's json-schema-test-suite), rewritten to 2020-12 where a keyword
// changed its name, as a check that none of us wrote.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "alknet/schema/keywords.h"
#include "alknet/schema/schema.h"

namespace alknet::schema {
namespace {

namespace fs = std::filesystem;
const fs::path kSuite = "/usr/share/json-schema-test-suite";

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Json rewrite(const Json& schema);

Json rewrite_map(const Json& map) {
  JsonObject out;
  for (const auto& entry : map.as_object()) out[entry.key()] = rewrite(entry.value());
  return out;
}

Json rewrite_list(const Json& list) {
  JsonArray out;
  for (const auto& item : list.as_array()) out.push_back(rewrite(item));
  return out;
}

/// A draft 7 schema as 2020-12 has it.
Json rewrite(const Json& schema) {
  const auto* object = schema.if_object();
  if (object == nullptr) return schema;
  JsonObject out;
  const auto* items = object->if_contains("items");
  for (const auto& [key, value] : *object) {
    if (key == "items" && value.is_array()) {
      if (!value.get_array().empty()) out["prefixItems"] = rewrite_list(value);
    } else if (key == "additionalItems") {
      if (items != nullptr && items->is_array()) out["items"] = rewrite(value);
    } else if (key == "dependencies") {
      for (const auto& entry : value.as_object()) {
        const bool names = entry.value().is_array();
        auto& target = out[names ? "dependentRequired" : "dependentSchemas"];
        if (!target.is_object()) target = JsonObject();
        target.as_object()[entry.key()] = names ? entry.value() : rewrite(entry.value());
      }
    } else if (key == "$id" && value.is_string() && value.get_string().starts_with('#')) {
      out["$anchor"] = value.get_string().subview(1);
    } else if (key == "$ref" && value.is_string()) {
      std::string target(value.get_string());
      if (target.starts_with("#/items/")) target.replace(0, 7, "#/prefixItems");
      out[key] = target;
    } else {
      switch (keyword_holds(key)) {
        case Holds::kSchema: out[key] = rewrite(value); break;
        case Holds::kList: out[key] = rewrite_list(value); break;
        case Holds::kMap: out[key] = rewrite_map(value); break;
        default: out[key] = value;
      }
    }
  }
  return out;
}

/// Draft 7 ignores what stands beside a $ref, and knows its meta-schema.
bool means_the_same(const Json& schema) {
  const auto text = json_text(schema);
  if (text.find("json-schema.org") != std::string::npos) return false;
  return true;
}

const std::set<std::string> kChangedMeaning = {
    "ref overrides any sibling keywords",                      // siblings count since 2019-09
    "$ref prevents a sibling $id from changing the base uri",  // and so does a sibling $id
};

class Conformance : public testing::TestWithParam<std::string> {};

TEST_P(Conformance, AgreesWithTheOfficialSuite) {
  const auto path = kSuite / "tests/draft7" / GetParam();
  if (!fs::exists(path)) GTEST_SKIP() << "the package json-schema-test-suite is not installed: " << path;
  SchemaOptions options;
  for (const auto& file : fs::recursive_directory_iterator(kSuite / "remotes")) {
    if (!file.is_regular_file()) continue;
    const auto name = fs::relative(file.path(), kSuite / "remotes").string();
    options.registered.push_back({"http://localhost:1234/" + name, rewrite(parse_json(read_text(file.path())))});
  }
  std::size_t run = 0;
  const Json groups = parse_json(read_text(path));
  for (const auto& group : groups.as_array()) {
    const std::string description(group.at("description").as_string());
    if (!means_the_same(group.at("schema")) || kChangedMeaning.count(description) != 0) continue;
    SCOPED_TRACE(description + ": " + json_text(group.at("schema")));
    try {
      const auto schema = Schema::from_json(rewrite(group.at("schema")), options);
      const auto lowered = schema.lower();
      for (const auto& test : group.at("tests").as_array()) {
        const auto& data = test.at("data");
        const bool expected = test.at("valid").as_bool();
        EXPECT_EQ(schema.validate(data).empty(), expected) << json_text(data);
        EXPECT_EQ(schema.is_valid(data), expected) << json_text(data);
        EXPECT_EQ(lowered.is_valid(data), expected) << "lowered " << json_text(data);
        ++run;
      }
    } catch (const Error& error) {
      ADD_FAILURE() << error.message();
    }
  }
  EXPECT_GT(run, 0U);
}

INSTANTIATE_TEST_SUITE_P(Draft7, Conformance,
                         testing::Values("additionalItems.json", "additionalProperties.json", "allOf.json",
                                         "anyOf.json", "boolean_schema.json", "const.json", "contains.json",
                                         "default.json", "dependencies.json", "enum.json", "exclusiveMaximum.json",
                                         "exclusiveMinimum.json", "if-then-else.json", "items.json", "maxItems.json",
                                         "maxLength.json", "maxProperties.json", "maximum.json", "minItems.json",
                                         "minLength.json", "minProperties.json", "minimum.json", "multipleOf.json",
                                         "not.json", "oneOf.json", "pattern.json", "patternProperties.json",
                                         "properties.json", "propertyNames.json", "ref.json", "refRemote.json",
                                         "required.json", "type.json", "uniqueItems.json", "optional/bignum.json",
                                         "optional/zeroTerminatedFloats.json"));

}  // namespace
}  // namespace alknet::schema
