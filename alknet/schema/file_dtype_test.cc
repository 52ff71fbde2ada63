#include "alknet/schema/file_dtype.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace alknet::schema {
namespace {

TEST(FileDtype, HasThe22NamesOfSafetensors) {
  std::set<std::string_view> names;
  for (const auto& row : file_dtypes()) names.insert(row.name);
  EXPECT_EQ(names, (std::set<std::string_view>{"BOOL",    "F4",      "F6_E2M3", "F6_E3M2",     "U8",          "I8",
                                               "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I16",
                                               "U16",     "F16",     "BF16",    "I32",         "U32",         "F32",
                                               "C64",     "F64",     "I64",     "U64"}));
}

TEST(FileDtype, NamesReadBack) {
  for (const auto& row : file_dtypes()) {
    EXPECT_EQ(parse_file_dtype(row.name), row.dtype);
    EXPECT_EQ(name(row.dtype), row.name);
  }
  EXPECT_FALSE(parse_file_dtype("f32"));
  EXPECT_FALSE(parse_file_dtype(""));
}

TEST(FileDtype, SizesAreThoseOfTheNames) {
  EXPECT_EQ(info(FileDtype::kF4).bits, 4);
  EXPECT_EQ(info(FileDtype::kF6E3M2).bits, 6);
  EXPECT_EQ(info(FileDtype::kBF16).bytes(), 2U);
  EXPECT_EQ(info(FileDtype::kC64).bytes(), 8U);
  EXPECT_EQ(info(FileDtype::kF4).align(), 1U);
  EXPECT_EQ(info(FileDtype::kF64).align(), 8U);
}

TEST(FileDtype, ByteSizeRefusesPartialBytesAndOverflow) {
  EXPECT_EQ(byte_size(FileDtype::kF4, 6), 3U);
  EXPECT_EQ(byte_size(FileDtype::kF4, 5), std::nullopt);
  EXPECT_EQ(byte_size(FileDtype::kF6E2M3, 4), 3U);
  EXPECT_EQ(byte_size(FileDtype::kF6E2M3, 2), std::nullopt);
  EXPECT_EQ(byte_size(FileDtype::kF32, 0), 0U);
  EXPECT_EQ(byte_size(FileDtype::kU64, UINT64_MAX / 8), std::nullopt);
}

}  // namespace
}  // namespace alknet::schema
