#include "alknet/net/import/yaml.h"

#include <gtest/gtest.h>

#include <string>

#include "alknet/base/testing.h"
#include "alknet/call/error.h"

namespace alknet::net {
namespace {

std::string as_json(std::string_view yaml) { return json_text(parse_yaml(yaml)); }
std::string code_for(std::string_view yaml, const YamlLimits& limits = {}) {
  return code_of([&] { (void)parse_yaml(yaml, limits); });
}

TEST(Yaml, ReadsScalarsByTheCoreSchemaOfYaml12) {
  // YAML 1.2.2 section 10.3.2 has these as its examples.
  EXPECT_EQ(as_json("[null, Null, ~, true, False, TRUE]"), "[null,null,null,true,false,true]");
  EXPECT_EQ(as_json("[0, 0o7, 0x3A, -19, +12]"), "[0,7,58,-19,12]");
  EXPECT_EQ(as_json("[0., -0.0, .5, +12e03, -2E+05]"), "[0.0,-0.0,0.5,12000.0,-2e+05]");
  EXPECT_EQ(as_json("[yes, no, on, 2020-01-01, 1_000, 0b1, 1:30, 012]"),
            R"(["yes","no","on","2020-01-01","1_000","0b1","1:30",12])");
  EXPECT_EQ(as_json("[18446744073709551615, -9223372036854775808]"), "[18446744073709551615,-9223372036854775808]");
  EXPECT_EQ(as_json("1e-999"), "0.0");
  EXPECT_EQ(parse_yaml("36893488147419103232").as_double(), 36893488147419103232.0);
}

TEST(Yaml, QuotesAndTagsMakeStrings) {
  EXPECT_EQ(as_json("['1', \"true\", !!str 3, !!int '4', !!float 5.5, ! 6]"), R"(["1","true","3",4,5.5,"6"])");
  EXPECT_EQ(as_json("a: |\n  x\n  y\nb: >\n  x\n  y\n"), R"({"a":"x\ny\n","b":"x y\n"})");
}

TEST(Yaml, KeysAreStringsInOrder) {
  EXPECT_EQ(as_json("200: a\ntrue: b\n'x': c\n~: d\n"), R"({"200":"a","true":"b","x":"c","null":"d"})");
}

TEST(Yaml, AliasesBecomeCopies) {
  EXPECT_EQ(as_json("a: &x {b: [1, &y 2]}\nc: *x\nd: *y\n"), R"({"a":{"b":[1,2]},"c":{"b":[1,2]},"d":2})");
}

TEST(Yaml, AnEmptyDocumentIsNull) {
  EXPECT_EQ(as_json(""), "null");
  EXPECT_EQ(as_json("# nothing\n---\n"), "null");
}

TEST(Yaml, RefusesWhatJsonCannotOrShouldNotSay) {
  for (const std::string_view yaml :
       {"a: 1\na: 2", "? [a]\n: 1",    "{a: 1}: 2", "<<: {a: 1}", "a: .inf",        "a: -.INF",         "a: .nan",
        "a: 1e999",   "!!binary aGk=", "!custom x", "!!set {a}",  "--- 1\n--- 2\n", "a: *unknown",      "a: &x [*x]",
        "a: [1",      "\"open",        "a: b: c",   "\t- x",      "%YAML 9\nx",     "{a: &x 1, *x : 2}"}) {
    EXPECT_EQ(code_for(yaml), "schema_parse") << yaml;
  }
  EXPECT_EQ(code_for("a: \xff"), "schema_parse");
  EXPECT_EQ(code_for(std::string_view("a\0b", 3)).empty(), false);
  const Error error = error_of([] { (void)parse_yaml("a: 1\nb: 2\na: 3\n"); });
  EXPECT_EQ(error.details().at("line").as_int64(), 3);
}

TEST(Yaml, AliasBombsAndDepthMeetTheirLimits) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 9; ++j) bomb += (j > 0 ? ", " : "") + before;
    bomb += "]\n";
  }
  EXPECT_EQ(code_for(bomb), "schema_parse");
  EXPECT_EQ(code_for(std::string(100'000, '[')), "schema_parse");
  EXPECT_EQ(code_for(std::string(65, '[') + std::string(65, ']')), "schema_parse");
  EXPECT_EQ(code_for(std::string(64, '[') + std::string(64, ']')), "no error");
  EXPECT_EQ(code_for("a: &a " + std::string(40, '[') + std::string(40, ']') + "\nb: " + std::string(40, '[') + "*a" +
                     std::string(40, ']')),
            "schema_parse");
  std::string dashes;
  for (int i = 0; i < 20'000; ++i) dashes += "- ";
  EXPECT_EQ(code_for(dashes), "schema_parse");
  EXPECT_EQ(code_for("[1, 2]", {.max_bytes = 3}), "schema_parse");
}

TEST(Yaml, JsonIsReadAsJsonAndFlowMappingsAsYaml) {
  EXPECT_EQ(json_text(parse_json_or_yaml(R"(  {"a": 1e2})")), R"({"a":100.0})");
  EXPECT_EQ(json_text(parse_json_or_yaml("{a: 1}")), R"({"a":1})");
  EXPECT_EQ(code_of([] { (void)parse_json_or_yaml(R"({"a":1,"a":2})"); }), "schema_parse");
  EXPECT_EQ(code_of([] { (void)parse_json_or_yaml("{"); }), "schema_parse");
}

}  // namespace
}  // namespace alknet::net
