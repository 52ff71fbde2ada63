#include "alknet/schema/compare.h"

#include <gtest/gtest.h>

namespace alknet::schema {
namespace {

TEST(CompareNumbers, IsExactAcrossForms) {
  EXPECT_TRUE(compare_numbers(Json(1), Json(1.0)) == 0);
  EXPECT_TRUE(compare_numbers(Json(9007199254740993), Json(9007199254740992.0)) > 0);
  EXPECT_TRUE(compare_numbers(Json(9007199254740992.0), Json(9007199254740993)) < 0);
  EXPECT_TRUE(compare_numbers(Json(UINT64_MAX), Json(18446744073709551616.0)) < 0);
  EXPECT_TRUE(compare_numbers(Json(INT64_MAX), Json(9223372036854775808.0)) < 0);
  EXPECT_TRUE(compare_numbers(Json(INT64_MIN), Json(-9223372036854775808.0)) == 0);
  EXPECT_TRUE(compare_numbers(Json(-1), Json(UINT64_MAX)) < 0);
  EXPECT_TRUE(compare_numbers(Json(3), Json(3.5)) < 0);
  EXPECT_TRUE(compare_numbers(Json(-3), Json(-3.5)) > 0);
  EXPECT_TRUE(compare_numbers(Json(0), Json(-0.0)) == 0);
  EXPECT_TRUE(compare_numbers(Json(-1), Json(1e300)) < 0);
}

TEST(IsInteger, TakesWholeDoubles) {
  EXPECT_TRUE(is_integer(Json(1.0)));
  EXPECT_TRUE(is_integer(Json(1e300)));
  EXPECT_TRUE(is_integer(Json(UINT64_MAX)));
  EXPECT_FALSE(is_integer(Json(1.5)));
}

TEST(IsMultipleOf, ReadsNumbersAsDecimals) {
  EXPECT_TRUE(is_multiple_of(Json(0.3), Json(0.1)));
  EXPECT_TRUE(is_multiple_of(Json(0.0075), Json(0.0001)));
  EXPECT_FALSE(is_multiple_of(Json(0.00751), Json(0.0001)));
  EXPECT_TRUE(is_multiple_of(Json(19.99), Json(0.01)));
  EXPECT_TRUE(is_multiple_of(Json(1e308), Json(0.5)));
  EXPECT_FALSE(is_multiple_of(Json(1e308), Json(0.123456789)));
  EXPECT_TRUE(is_multiple_of(Json(INT64_MIN), Json(2)));
  EXPECT_FALSE(is_multiple_of(Json(UINT64_MAX), Json(2)));
  EXPECT_TRUE(is_multiple_of(Json(UINT64_MAX), Json(5)));
  EXPECT_TRUE(is_multiple_of(Json(0), Json(1e300)));
  EXPECT_TRUE(is_multiple_of(Json(12391239123), Json(1e-8)));
  EXPECT_FALSE(is_multiple_of(Json(5e-324), Json(1e300)));
}

TEST(CompareJson, EqualityIgnoresTheOrderOfMembersAndFormsOfNumbers) {
  const auto equal = [](std::string_view a, std::string_view b) { return equal_json(parse_json(a), parse_json(b)); };
  EXPECT_TRUE(equal(R"({"a":1,"b":[1.0,{"c":null}]})", R"({"b":[1,{"c":null}],"a":1.0})"));
  EXPECT_FALSE(equal("[1,2]", "[2,1]"));
  EXPECT_FALSE(equal("true", "1"));
  EXPECT_FALSE(equal("0", "false"));
  EXPECT_FALSE(equal(R"("1")", "1"));
  EXPECT_FALSE(equal(R"({"a":null})", "{}"));
  EXPECT_FALSE(equal(R"({"a":1})", R"({"b":1})"));
}

TEST(AsCount, TakesIntegersOfAnyForm) {
  EXPECT_EQ(as_count(Json(2.0)), 2U);
  EXPECT_EQ(as_count(Json(1e30)), UINT64_MAX);
  EXPECT_EQ(as_count(Json(-1)), std::nullopt);
  EXPECT_EQ(as_count(Json(1.5)), std::nullopt);
  EXPECT_EQ(as_count(Json("1")), std::nullopt);
}

}  // namespace
}  // namespace alknet::schema
