#include "alknet/runtime/source_map.h"

#include <gtest/gtest.h>

#include "alknet/base/error.h"
#include "alknet/base/testing.h"

namespace alknet::runtime {
namespace {

// What TypeScript 5.9.3 writes (--sourceMap) for
//   interface A { x: number }
//   export function f(a: A, b: number): number {
//     return a.x + b;
//   }
// as
//   export function f(a, b) {
//       return a.x + b;
//   }
constexpr std::string_view kMap =
    R"({"version":3,"file":"t.js","sourceRoot":"","sources":["t.ts"],"names":[],)"
    R"("mappings":"AACA,MAAM,UAAU,CAAC,CAAC,CAAI,EAAE,CAAS;IAC/B,OAAO,CAAC,CAAC,CAAC,GAAG,CAAC,CAAC;AACjB,CAAC"})";

TEST(SourceMap, GivesThePlaceInTheSource) {
  const SourceMap map(kMap);
  const auto at = [&](std::uint32_t line, std::uint32_t column) {
    const auto found = map.original({line, column});
    return found ? std::pair(found->position.line, found->position.column) : std::pair(0U, 0U);
  };
  EXPECT_EQ(at(1, 1), std::pair(2U, 1U));
  EXPECT_EQ(at(1, 17), std::pair(2U, 17U));  // f
  EXPECT_EQ(at(1, 19), std::pair(2U, 19U));  // a
  EXPECT_EQ(at(1, 22), std::pair(2U, 25U));  // b, behind a type
  EXPECT_EQ(at(2, 12), std::pair(3U, 10U));  // a.x
  EXPECT_EQ(at(2, 18), std::pair(3U, 16U));  // b
  EXPECT_EQ(at(3, 1), std::pair(4U, 1U));
  EXPECT_EQ(map.original({1, 1})->source, "t.ts");
}

TEST(SourceMap, SaysNothingOfWhatItLacks) {
  const SourceMap map(kMap);
  EXPECT_FALSE(map.original({0, 1}));
  EXPECT_FALSE(map.original({1, 0}));
  EXPECT_FALSE(map.original({2, 2}));  // before the first mapping of its line
  EXPECT_FALSE(map.original({9, 1}));
  EXPECT_FALSE(SourceMap(R"({"sources":[],"mappings":""})").original({1, 1}));
  EXPECT_FALSE(SourceMap(R"({"sources":[],"mappings":"AACA"})").original({1, 1}));
}

TEST(SourceMap, RefusesWhatIsNone) {
  for (const std::string_view json :
       {"[]", "{}", R"({"sources":["a"]})", R"({"sources":["a"],"mappings":1})", R"({"sources":["a"],"mappings":"A!"})",
        R"({"sources":["a"],"mappings":"g"})", R"({"sources":["a"],"mappings":"AAAAAA"})",
        R"({"sources":["a"],"mappings":"D"})", R"({"sources":["a"],"mappings":"gggggggggB"})"}) {
    EXPECT_EQ(code_of([&] { SourceMap map(json); }), "invalid_argument") << json;
  }
}

}  // namespace
}  // namespace alknet::runtime
