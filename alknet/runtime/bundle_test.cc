#include "alknet/runtime/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alknet/base/error.h"
#include "alknet/base/testing.h"

namespace alknet::runtime {
namespace {

TEST(Bundles, AreFoundByTheNameOfTheirPath) {
  const auto archive = make_archive({{"b/index.js", SharedBytes::copy(std::string_view("B")), ""},
                                     {"@a/x/sub.js", SharedBytes::copy(std::string_view("sub")), "{}"},
                                     {"@a/x/index.js", SharedBytes::copy(std::string_view("")), ""},
                                     {"@a/x/chunk-1.js", SharedBytes::copy(std::string_view("c")), ""}});
  const Bundles bundles(archive);
  ASSERT_EQ(bundles.size(), 4U);
  const Bundle sub = bundles[bundles.find("@a/x/sub")];
  EXPECT_EQ(sub.name, "@a/x/sub");
  EXPECT_EQ(sub.path, "@a/x/sub.js");
  EXPECT_EQ(Bundles::content(sub).text(), "sub");
  EXPECT_EQ(sub.source_map, "{}");
  EXPECT_EQ(Bundles::content(bundles[bundles.find("b")]).text(), "B");
  EXPECT_EQ(bundles.find("@a/x/index"), bundles.size());
  EXPECT_EQ(bundles.find("c"), bundles.size());
  EXPECT_EQ(bundles.find(""), bundles.size());
  EXPECT_THAT(bundles.names(), ::testing::ElementsAre("@a/x", "@a/x/sub", "b"));
}

TEST(Bundles, MayBeNone) {
  EXPECT_EQ(Bundles().find("a"), 0U);
  EXPECT_EQ(Bundles().size(), 0U);
  const auto archive = make_archive({});
  EXPECT_EQ(Bundles(archive).size(), 0U);
}

TEST(Bundles, RefuseOtherBytesAndTwoModulesOfOneName) {
  const std::string_view other = "not an archive of anything";
  EXPECT_EQ(code_of([&] { Bundles bundles(std::as_bytes(std::span(other))); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { Bundles bundles(std::span<const std::byte>{}); }), "invalid_argument");
  EXPECT_EQ(code_of([&] { make_archive({{"a.js", {}, ""}, {"a/index.js", {}, ""}}); }), "invalid_argument");
}

}  // namespace
}  // namespace alknet::runtime
