#include "alknet/net/page/page_files.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

namespace alknet::net {
namespace {

std::string source_of(std::string_view path) {
  const std::string name = path == "/" ? "index.html" : std::string(path.substr(std::string_view("/page/").size()));
  std::ifstream stream(ALKNET_SOURCE_DIR "/alknet/net/page/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(PageFiles, AreTheSourcesByteForByte) {
  ASSERT_FALSE(page_files().empty());
  for (const PageFile& file : page_files()) EXPECT_EQ(file.bytes, source_of(file.path)) << file.path;
}

TEST(PageFiles, AreFoundByTheirPath) {
  ASSERT_NE(find_page_file("/"), nullptr);
  EXPECT_EQ(find_page_file("/")->content_type, "text/html; charset=utf-8");
  ASSERT_NE(find_page_file("/page/app.js"), nullptr);
  EXPECT_EQ(find_page_file("/page/app.js")->content_type, "text/javascript; charset=utf-8");
  for (const std::string_view path :
       {"", "/page/", "/page/../index.html", "/page/parts.test.js", "page/app.js", "/app.js"}) {
    EXPECT_EQ(find_page_file(path), nullptr) << path;
  }
}

TEST(PageFiles, HaveTagsThatDifferWhereBytesDo) {
  std::set<std::string_view> tags;
  for (const PageFile& file : page_files()) {
    EXPECT_TRUE(std::regex_match(std::string(file.etag), std::regex("\"[0-9a-f]{16}\""))) << file.etag;
    EXPECT_TRUE(tags.insert(file.etag).second) << file.path;
  }
}

TEST(PageFiles, ReferOnlyToEachOther) {
  const std::regex references(R"re((?:from|href=|src=) ?"(\.?/?(?:page/)?[^"#]+)")re");
  for (const PageFile& file : page_files()) {
    const std::string text(file.bytes);
    for (std::sregex_iterator found(text.begin(), text.end(), references), end; found != end; ++found) {
      std::string name = (*found)[1];
      if (name.starts_with("./")) name = "page/" + name.substr(2);
      EXPECT_NE(find_page_file("/" + name), nullptr) << file.path << " refers to " << name;
    }
  }
}

TEST(PageFiles, SendAPolicyThatAllowsTheGatewayAlone) {
  const std::string_view policy = page_content_security_policy();
  EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'self';")) << policy;
  EXPECT_TRUE(policy.ends_with("trusted-types 'none'")) << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string_view::npos);
  EXPECT_EQ(policy.find_first_of("\r\n*\\"), std::string_view::npos);
}

}  // namespace
}  // namespace alknet::net
