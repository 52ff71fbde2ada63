#include "alknet/schema/path.h"

#include <gtest/gtest.h>

#include "alknet/base/error.h"
#include "alknet/base/json.h"

namespace alknet::schema {
namespace {

TEST(Path, ReadsNamesAndIndices) {
  EXPECT_EQ(parse_path("conv1.weight"), (Path{"conv1", "weight"}));
  EXPECT_EQ(parse_path("boxes[2].label"), (Path{"boxes", std::uint64_t{2}, "label"}));
  EXPECT_EQ(parse_path("[0][1]"), (Path{std::uint64_t{0}, std::uint64_t{1}}));
  EXPECT_EQ(parse_path(""), Path{});
}

TEST(Path, EscapesDotsBracketsAndBackslashes) {
  EXPECT_EQ(parse_path(R"(a\.b.c)"), (Path{"a.b", "c"}));
  EXPECT_EQ(parse_path(R"(a\[0\\)"), (Path{"a[0\\"}));
}

TEST(Path, TextReadsBack) {
  for (const Path& path : {Path{"a.b", std::uint64_t{7}, "c[1]"}, Path{"\\", "x"}, Path{std::uint64_t{1}, "y"}}) {
    EXPECT_EQ(parse_path(path_text(path)), path) << path_text(path);
  }
  EXPECT_EQ(path_text(Path{"a.b", std::uint64_t{7}, "c"}), R"(a\.b[7].c)");
}

TEST(Path, RefusesMalformedTextWithThePosition) {
  for (const auto& [text, position] : {std::pair{"a..b", 2},
                                       {".a", 0},
                                       {"a.", 2},
                                       {"a[x]", 1},
                                       {"a[1", 1},
                                       {"a[1]b", 4},
                                       {"a\\x", 1},
                                       {"a[99999999999999999999]", 1},
                                       {"a\\", 1}}) {
    try {
      parse_path(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code_name(), "invalid_argument");
      EXPECT_EQ(error.details().at("position").to_number<int>(), position) << text;
    }
  }
}

}  // namespace
}  // namespace alknet::schema
