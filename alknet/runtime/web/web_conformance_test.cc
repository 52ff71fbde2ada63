// The files of web/tests run here and in Node, the independent reference: every test passes in both and gives the same.
#include <gtest/gtest.h>
#include <stdio.h>

#include <filesystem>
#include <map>

#include "alknet/base/files.h"
#include "alknet/base/json.h"
#include "alknet/base/testing.h"
#include "alknet/runtime/web/testing.h"

namespace alknet::runtime::web {
namespace {

namespace fs = std::filesystem;

const fs::path& folder() {
  static const fs::path path = fs::path(ALKNET_SOURCE_DIR) / "alknet/runtime/web/tests";
  return path;
}

std::vector<std::string> suites() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder())) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() == ".js" && name != "harness.js") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string source(const std::string& name) { return read_file(folder() / name, 1 << 20); }

Json run_here(const std::string& suite) {
  WebIsolate web;
  const Realm realm = web.isolate().realm();
  realm.global().set("engine", realm.string("alknet"));
  realm.global().set("takeLines", realm.closure("takeLines", 0, [&web](Realm in, const Value&, Arguments) {
    Value lines = in.array();
    for (const auto& [level, text] : web.printed())
      lines.set(static_cast<std::uint32_t>(lines.length()), in.string(text));
    web.printed().clear();
    return lines;
  }));
  web.isolate().eval("globalThis.capture = (body) => { takeLines(); body(console); return takeLines(); }");
  web.isolate().eval(source("harness.js"), "harness.js");
  web.isolate().eval(source(suite + ".js"), suite + ".js");
  const std::string results = web.settle("harness.run()");
  EXPECT_TRUE(web.uncaught().empty()) << web.uncaught().front();
  return parse_json(results);
}

/// Nothing where there is no Node.
std::optional<Json> run_in_node(const std::string& suite) {
  if (std::system("node --version >/dev/null 2>&1") != 0) return std::nullopt;  // NOLINT(concurrency-mt-unsafe)
  const std::string command =
      "timeout 120 node --no-warnings '" + (folder() / "run_node.mjs").string() + "' " + suite + ".js";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string out;
  std::array<char, 65536> part;
  while (const std::size_t size = fread(part.data(), 1, part.size(), pipe.get())) out.append(part.data(), size);
  return parse_json(out);
}

std::string text_of(const boost::json::object& result, std::string_view key) {
  const Json* const found = result.if_contains(key);
  return found == nullptr ? "" : found->is_string() ? std::string(found->as_string()) : json_text(*found);
}

class WebConformance : public testing::TestWithParam<std::string> {};

TEST_P(WebConformance, PassesHereAndAgreesWithNode) {
  const Json here = run_here(GetParam());
  ASSERT_GT(here.as_array().size(), 0U);
  for (const Json& result : here.as_array()) {
    EXPECT_TRUE(result.at("ok").as_bool())
        << text_of(result.as_object(), "name") << ": " << text_of(result.as_object(), "message");
  }
  const std::optional<Json> there = run_in_node(GetParam());
  if (!there) GTEST_SKIP() << "node is not installed: what the tests give here has nothing to be compared with";
  std::map<std::string, boost::json::object> reference;
  for (const Json& result : there->as_array()) reference[text_of(result.as_object(), "name")] = result.as_object();
  for (const Json& one : here.as_array()) {
    const boost::json::object& result = one.as_object();
    const std::string name = text_of(result, "name");
    if (result.contains("here")) continue;
    ASSERT_TRUE(reference.contains(name)) << name;
    EXPECT_TRUE(reference[name].at("ok").as_bool())
        << "in Node: " << name << ": " << text_of(reference[name], "message");
    EXPECT_EQ(text_of(result, "value"), text_of(reference[name], "value")) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Suites, WebConformance, testing::ValuesIn(suites()),
                         [](const auto& suite) { return suite.param; });

}  // namespace
}  // namespace alknet::runtime::web
