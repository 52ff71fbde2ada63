#include "alknet/schema/number_conversion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "alknet/base/bytes.h"
#include "alknet/base/testing.h"
#include "alknet/schema/conversion.h"
#include "alknet/schema/scalar.h"

namespace alknet::schema {
namespace {

constexpr Kind kNumberKinds[] = {Kind::kInt8,    Kind::kUint8,    Kind::kInt16,   Kind::kUint16,
                                 Kind::kInt32,   Kind::kUint32,   Kind::kInt64,   Kind::kUint64,
                                 Kind::kFloat16, Kind::kBFloat16, Kind::kFloat32, Kind::kFloat64};

/// Bit patterns of a kind: all of short ones; of others the ends, powers of two and their neighbours, and random ones.
std::vector<std::uint64_t> patterns(Kind kind) {
  const int bits = 8 * info(kind).size;
  std::vector<std::uint64_t> out;
  if (bits <= 16) {
    for (std::uint64_t i = 0; i < std::uint64_t{1} << bits; ++i) out.push_back(i);
    return out;
  }
  const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  for (int i = 0; i < bits; ++i) {
    const std::uint64_t power = std::uint64_t{1} << i;
    for (const std::uint64_t near : {power - 1, power, power + 1}) {
      out.push_back(near & mask);
      out.push_back((0 - near) & mask);
    }
  }
  if (kind == Kind::kFloat32) {
    for (const float value : {65504.0F, 65536.0F, 0.1F, 16777217.0F, -0.0F, 3e38F})
      out.push_back(std::bit_cast<std::uint32_t>(value));
  }
  if (kind == Kind::kFloat64) {
    for (const double value : {65504.0, 1e300, 0.1, 9007199254740993.0, -0.0, 5e-324, 2147483648.0, 255.0}) {
      out.push_back(std::bit_cast<std::uint64_t>(value));
    }
  }
  std::mt19937_64 random(7);
  for (int i = 0; i < 1000; ++i) out.push_back(random() & mask);
  return out;
}

bool is_nan(Kind kind, const std::byte* bytes) {
  return info(kind).form == KindForm::kFloat && std::isnan(load_float(kind, bytes));
}

/// Whether every value becomes one of `to` that becomes the same value again. A NaN may be another NaN, and -0 is 0.
bool is_exact(Kind from, Kind to) {
  for (const std::uint64_t pattern : patterns(from)) {
    std::byte before[8] = {}, there[8] = {}, back[8] = {};
    store_le(before, pattern);
    if (NumberConversion(from, to, false).run(before, 0, there, 0, 1)) return false;
    if (is_nan(from, before)) {
      if (!is_nan(to, there)) return false;
      continue;
    }
    if (NumberConversion(to, from, false).run(there, 0, back, 0, 1)) return false;
    const bool is_zero = info(from).form == KindForm::kFloat && load_float(from, before) == 0;
    if (!is_zero && load_le<std::uint64_t>(before) != load_le<std::uint64_t>(back)) return false;
  }
  return true;
}

// What diff calls compatible is what converts without loss, for every pair of kinds.
TEST(SchemaNumberConversion, IsExactJustWhereDiffSaysCompatible) {
  for (const Kind from : kNumberKinds) {
    for (const Kind to : kNumberKinds) {
      Node old_node, new_node;
      old_node.kind = from;
      new_node.kind = to;
      const Conversion rule = conversion(old_node, new_node);
      EXPECT_EQ(rule.change_class == ChangeClass::kCompatible, is_exact(from, to)) << name(from) << " to " << name(to);
      EXPECT_EQ(rule.checked, rule.change_class != ChangeClass::kCompatible);
    }
  }
}

// Saturated, only NaN, fractions and rounded integers are left to refuse; and the result is the nearest end.
TEST(SchemaNumberConversion, SaturatesToTheNearestEnd) {
  for (const Kind from : kNumberKinds) {
    for (const Kind to : kNumberKinds) {
      if (info(to).form != KindForm::kInteger || info(from).form != KindForm::kInteger) continue;
      const NumberConversion saturating(from, to, true);
      for (const std::uint64_t pattern : patterns(from)) {
        std::byte before[8] = {}, after[8] = {};
        store_le(before, pattern);
        ASSERT_FALSE(saturating.run(before, 0, after, 0, 1).has_value());
        const auto wide = [](Kind kind, const std::byte* bytes) {
          const auto value = load_integer(kind, bytes);
          return kind == Kind::kUint64 ? static_cast<__int128>(static_cast<std::uint64_t>(value))
                                       : static_cast<__int128>(value);
        };
        const int bits = 8 * info(to).size;
        const bool has_sign = info(to).min < 0;
        const __int128 most = (static_cast<__int128>(1) << (has_sign ? bits - 1 : bits)) - 1;
        const __int128 least = has_sign ? -most - 1 : 0;
        ASSERT_TRUE(wide(to, after) == std::clamp(wide(from, before), least, most));
      }
    }
  }
}

TEST(SchemaNumberConversion, StopsAtTheFirstThatDoesNotFit) {
  const std::int32_t from[] = {1, -2, 300, 4};
  std::int8_t to[] = {0, 0, 9, 9};
  const NumberConversion conversion(Kind::kInt32, Kind::kInt8, false);
  const auto bad = conversion.run(reinterpret_cast<const std::byte*>(from), 4, reinterpret_cast<std::byte*>(to), 1, 4);
  EXPECT_EQ(bad, 2u);
  EXPECT_EQ(to[1], -2);
  EXPECT_EQ(to[3], 9);
}

TEST(SchemaNumberConversion, SaysWhyANumberDoesNotFit) {
  const auto reason = [](Kind from, Kind to, double value) {
    std::byte stored[8] = {};
    store_number(from, Json(value), false, stored);
    return NumberConversion(from, to, false).reason(stored);
  };
  EXPECT_EQ(reason(Kind::kInt32, Kind::kInt8, 300), "300 is beyond Int8: saturate it");
  EXPECT_EQ(reason(Kind::kFloat64, Kind::kInt8, 1.5), "1.5 has a fraction: convert it by `round`");
  EXPECT_EQ(reason(Kind::kInt32, Kind::kFloat32, 16777217), "16777217 is not exactly a Float32: convert it by `round`");
  std::byte nan[8];
  store_le(nan, std::nan(""));
  EXPECT_EQ(NumberConversion(Kind::kFloat64, Kind::kInt8, true).reason(nan), "NaN is no Int8");
}

TEST(SchemaNumberConversion, StoresJsonNumbers) {
  std::byte stored[8] = {};
  store_number(Kind::kFloat32, Json(16777217), false, stored);  // rounded: a caller's converter made it
  EXPECT_EQ(load_le<float>(stored), 16777216.0F);
  store_number(Kind::kUint64, Json(std::numeric_limits<std::uint64_t>::max()), false, stored);
  EXPECT_EQ(load_le<std::uint64_t>(stored), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(code_of([&] { store_number(Kind::kUint64, Json(-1), false, stored); }), "instance_invalid");
  EXPECT_EQ(code_of([&] { store_number(Kind::kInt8, Json(0.5), true, stored); }), "instance_invalid");
}

}  // namespace
}  // namespace alknet::schema
