#include "alknet/base/random_hex.h"

#include <gtest/gtest.h>

#include <set>

namespace alknet {
namespace {

TEST(RandomHex, HasTwoDigitsAByte) {
  for (const std::size_t bytes : {0U, 1U, 3U, 8U, 33U}) {
    const std::string text = random_hex(bytes);
    EXPECT_EQ(text.size(), 2 * bytes);
    EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos) << text;
  }
}

TEST(RandomHex, DoesNotRepeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(random_hex(8));
  EXPECT_EQ(seen.size(), 1'000U);
}

}  // namespace
}  // namespace alknet
