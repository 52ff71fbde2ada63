// docs/web-platform.md says what an isolate has.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

#include "alknet/base/files.h"
#include "alknet/runtime/web/testing.h"

namespace alknet::runtime::web {
namespace {

std::string document() { return read_file(std::filesystem::path(ALKNET_SOURCE_DIR) / "docs/web-platform.md", 1 << 20); }

/// What stands between the mark and the next end.
std::string part(std::string_view mark) {
  const std::string text = document();
  const std::size_t begin = text.find(mark);
  const std::size_t end = text.find("<!-- end -->", begin);
  if (begin == std::string::npos || end == std::string::npos) return "";
  return text.substr(begin + mark.size(), end - begin - mark.size());
}

WebOptions everything() {
  WebOptions options;
  options.fetch = [](Realm realm, const Value&) { return realm.null(); };
  options.connect = [](Realm realm, const Value&, const Value&, const Value&) { return realm.null(); };
  return options;
}

/// The table of all interfaces, made by asking an isolate.
std::string table() {
  WebIsolate web({}, everything());
  const Value names = web.isolate().realm().array();
  for (const std::string_view name : web_globals()) {
    names.set(static_cast<std::uint32_t>(names.length()), web.isolate().realm().string(name));
  }
  for (const std::string_view name : {"DOMException", "atob", "btoa"}) {
    names.set(static_cast<std::uint32_t>(names.length()), web.isolate().realm().string(name));
  }
  web.isolate().realm().global().set("names", names);
  const std::string describe =
      read_file(std::filesystem::path(ALKNET_SOURCE_DIR) / "tests/describe_globals.js", 1 << 16);
  return "\n\n| global | what |\n| --- | --- |\n" + web.text_of("(" + describe + ")(names)") + "\n\n";
}

/// The names in the first column of a table.
std::vector<std::string> names_of(const std::string& text) {
  std::vector<std::string> names;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    const std::string first = line.substr(0, line.find(" | "));
    const std::regex quoted("`([^`]+)`");
    for (std::sregex_iterator found(first.begin(), first.end(), quoted), end; found != end; ++found) {
      names.push_back((*found)[1]);
    }
  }
  return names;
}

TEST(WebDocument, ListsWhatAnIsolateHas) {
  EXPECT_EQ(part("<!-- generated: web interfaces -->"), table()) << "put the new table into docs/web-platform.md";
}

TEST(WebDocument, NamesDifferencesOfWhatExists) {
  WebIsolate web({}, everything());
  const std::vector<std::string> names = names_of(part("<!-- checked: interfaces in the first column exist -->"));
  EXPECT_GT(names.size(), 10U);
  for (const std::string& name : names) EXPECT_NE(web.text_of("typeof " + name), "undefined") << name;
}

TEST(WebDocument, SaysWhatIsNotThere) {
  WebIsolate web({}, everything());
  const std::vector<std::string> names = names_of(part("<!-- checked: none of these exists -->"));
  EXPECT_GT(names.size(), 10U);
  for (const std::string& name : names) EXPECT_EQ(web.text_of("typeof " + name), "undefined") << name;
}

}  // namespace
}  // namespace alknet::runtime::web
