#include "alknet/runtime/import_map.h"

#include <gtest/gtest.h>

#include "alknet/base/testing.h"
#include "alknet/runtime/error.h"

namespace alknet::runtime {
namespace {

ImportMap map_of(std::string_view json) { return {parse_json(json), "/app"}; }

// The cases of HTML's own tests of import maps (web-platform-tests, import-maps/data-driven), for files.
TEST(ImportMap, GivesAddressesOfBareNamesAndPaths) {
  const ImportMap map =
      map_of(R"({"imports": {"moment": "./deps/moment.js", "a/": "/lib/a/", "./near.js": "../far.js"}})");
  EXPECT_EQ(map.resolve("moment", "/app/main.js"), "/app/deps/moment.js");
  EXPECT_EQ(map.resolve("a/b/c.js", "/app/main.js"), "/lib/a/b/c.js");
  EXPECT_EQ(map.resolve("/app/near.js", "/app/main.js"), "/far.js");
  EXPECT_EQ(map.resolve("momentum", "/app/main.js"), std::nullopt);
  EXPECT_EQ(map.resolve("a", "/app/main.js"), std::nullopt);
}

TEST(ImportMap, TakesTheLongestPrefix) {
  const ImportMap map = map_of(R"({"imports": {"a/": "/1/", "a/b/": "/2/", "a/b/c": "/3.js"}})");
  EXPECT_EQ(map.resolve("a/x", ""), "/1/x");
  EXPECT_EQ(map.resolve("a/b/x", ""), "/2/x");
  EXPECT_EQ(map.resolve("a/b/c", ""), "/3.js");
}

TEST(ImportMap, AScopeComesBeforeItsOuterOneAndTheImports) {
  const ImportMap map = map_of(R"({
    "imports": {"a": "/a-1.js", "b": "/b-1.js", "c": "/c-1.js"},
    "scopes": {"/scope2/": {"a": "/a-2.js"}, "/scope2/scope3/": {"b": "/b-3.js", "a": "/a-3.js"}, "./one.js": {"c": "/one.js"}}})");
  EXPECT_EQ(map.resolve("a", "/scope1/foo.js"), "/a-1.js");
  EXPECT_EQ(map.resolve("a", "/scope2/foo.js"), "/a-2.js");
  EXPECT_EQ(map.resolve("b", "/scope2/foo.js"), "/b-1.js");
  EXPECT_EQ(map.resolve("a", "/scope2/scope3/foo.js"), "/a-3.js");
  EXPECT_EQ(map.resolve("b", "/scope2/scope3/foo.js"), "/b-3.js");
  EXPECT_EQ(map.resolve("c", "/app/one.js"), "/one.js");
  EXPECT_EQ(map.resolve("c", "/app/one.js.js"), "/c-1.js");
}

TEST(ImportMap, NullForbids) {
  const ImportMap map = map_of(R"({"imports": {"a": null, "b/": null}})");
  EXPECT_EQ(code_of([&] { map.resolve("a", ""); }), "module_not_found");
  EXPECT_EQ(code_of([&] { map.resolve("b/c", ""); }), "module_not_found");
}

TEST(ImportMap, APrefixDoesNotLeadOutOfItsFolder) {
  const ImportMap map = map_of(R"({"imports": {"a/": "/lib/a/"}})");
  EXPECT_EQ(map.resolve("a/x/../y.js", ""), "/lib/a/y.js");
  EXPECT_EQ(code_of([&] { map.resolve("a/../../etc/passwd", ""); }), "module_not_found");
}

TEST(ImportMap, RefusesOtherFormsAndNamesTheMember) {
  for (const auto& [json, member] : {std::pair{"[]", "the document"},
                                     {R"({"import": {}})", "import"},
                                     {R"({"imports": 1})", "imports"},
                                     {R"({"imports": {"": "/x"}})", R"(imports[""])"},
                                     {R"({"imports": {"a": 1}})", R"(imports["a"])"},
                                     {R"({"imports": {"a/": "/x"}})", R"(imports["a/"])"},
                                     {R"({"scopes": []})", "scopes"},
                                     {R"({"scopes": {"/a/": 1}})", R"(scopes["/a/"])"}}) {
    try {
      map_of(json);
      ADD_FAILURE() << json;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), make_error_code(RuntimeError::kModuleInvalid));
      EXPECT_EQ(error.details().at("member").as_string(), member);
    }
  }
}

TEST(SpecifierPath, KnowsPathsFromNames) {
  EXPECT_EQ(specifier_path("./a/../b.js", "/app"), "/app/b.js");
  EXPECT_EQ(specifier_path("../b.js", "/app"), "/b.js");
  EXPECT_EQ(specifier_path("../../../b.js", "/app"), "/b.js");
  EXPECT_EQ(specifier_path("/x.js", "/app"), "/x.js");
  EXPECT_EQ(specifier_path("file:///x%20y.js?v=1#f", "/app"), "/x y.js");
  EXPECT_EQ(specifier_path("x.js", "/app"), std::nullopt);
  EXPECT_EQ(specifier_path("", "/app"), std::nullopt);
  EXPECT_EQ(code_of([] { specifier_path("file://host/x.js", "/app"); }), "module_not_found");
}

TEST(FileUrl, EncodesWhatUrlsMayNotHold) {
  EXPECT_EQ(file_url("/a b/ü%.ts"), "file:///a%20b/%C3%BC%25.ts");
  EXPECT_EQ(specifier_path(file_url("/a b/ü%#?.ts"), ""), "/a b/ü%#?.ts");
}

}  // namespace
}  // namespace alknet::runtime
