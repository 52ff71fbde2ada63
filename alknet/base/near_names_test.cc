#include "alknet/base/near_names.h"

#include <gtest/gtest.h>

namespace alknet {
namespace {

constexpr std::string_view kNames[] = {"weight", "bias", "layer.0.weight", "matmul"};

TEST(NearNames, FindsTypingErrorsAndParts) {
  EXPECT_EQ(near_names("wieght", kNames).at(0), "weight");
  EXPECT_EQ(near_names("weight", kNames), (std::vector<std::string_view>{"weight", "layer.0.weight"}));
  EXPECT_TRUE(near_names("embedding", kNames).empty());
}

TEST(NearNames, AsksWhatWasMeant) {
  EXPECT_EQ(did_you_mean("matmal", kNames), "; did you mean matmul?");
  EXPECT_EQ(did_you_mean("zzzzzzzz", kNames), "");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

TEST(NearNames, StaysCheapForHostileNames) {
  const std::string long_name(1 << 20, 'a');
  const std::vector<std::string_view> names(1000, long_name);
  EXPECT_LE(near_names(long_name, names).size(), 3u);
}

}  // namespace
}  // namespace alknet
