#include "alknet/graph/dtype.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace alknet::graph {
namespace {

TEST(Dtype, NamesReadBack) {
  for (const Dtype dtype : kAllDtypes) EXPECT_EQ(parse_dtype(dtype_name(dtype)), dtype);
  EXPECT_EQ(parse_dtype("F32"), std::nullopt);
  EXPECT_EQ(parse_dtype(""), std::nullopt);
}

TEST(Dtype, HasTheSizeInItsName) {
  EXPECT_EQ(dtype_bytes(Dtype::kBool), 1u);
  EXPECT_EQ(dtype_bytes(Dtype::kU8), 1u);
  EXPECT_EQ(dtype_bytes(Dtype::kBF16), 2u);
  EXPECT_EQ(dtype_bytes(Dtype::kU32), 4u);
  EXPECT_EQ(dtype_bytes(Dtype::kI64), 8u);
  EXPECT_EQ(dtype_bytes(Dtype::kF64), 8u);
}

TEST(Dtype, NarrowFloatsComputeInF32) {
  EXPECT_EQ(compute_dtype(Dtype::kF16), Dtype::kF32);
  EXPECT_EQ(compute_dtype(Dtype::kBF16), Dtype::kF32);
  EXPECT_EQ(compute_dtype(Dtype::kF64), Dtype::kF64);
  EXPECT_EQ(compute_dtype(Dtype::kI8), Dtype::kI8);
}

// torch.promote_types over the dtypes both have, row by row; PyTorch's uint8 is u8 and int32 i32. int8 with uint8 is
// int16 there, which alknet lacks: i32.
TEST(Promotion, FollowsPyTorchsTable) {
  const std::vector<std::string> names = {"bool", "u8", "i8", "i32", "i64", "f16", "bf16", "f32", "f64"};
  const std::vector<std::vector<std::string>> table = {
      {"bool", "u8", "i8", "i32", "i64", "f16", "bf16", "f32", "f64"},
      {"u8", "u8", "i32", "i32", "i64", "f16", "bf16", "f32", "f64"},
      {"i8", "i32", "i8", "i32", "i64", "f16", "bf16", "f32", "f64"},
      {"i32", "i32", "i32", "i32", "i64", "f16", "bf16", "f32", "f64"},
      {"i64", "i64", "i64", "i64", "i64", "f16", "bf16", "f32", "f64"},
      {"f16", "f16", "f16", "f16", "f16", "f16", "f32", "f32", "f64"},
      {"bf16", "bf16", "bf16", "bf16", "bf16", "f32", "bf16", "f32", "f64"},
      {"f32", "f32", "f32", "f32", "f32", "f32", "f32", "f32", "f64"},
      {"f64", "f64", "f64", "f64", "f64", "f64", "f64", "f64", "f64"},
  };
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t j = 0; j < names.size(); ++j) {
      EXPECT_EQ(dtype_name(promote(*parse_dtype(names[i]), *parse_dtype(names[j]))), table[i][j])
          << names[i] << " with " << names[j];
    }
  }
}

TEST(Promotion, OfU32WidensToHoldBoth) {
  EXPECT_EQ(promote(Dtype::kU32, Dtype::kI8), Dtype::kI64);
  EXPECT_EQ(promote(Dtype::kU32, Dtype::kI32), Dtype::kI64);
  EXPECT_EQ(promote(Dtype::kU32, Dtype::kU8), Dtype::kU32);
  EXPECT_EQ(promote(Dtype::kU32, Dtype::kBool), Dtype::kU32);
  EXPECT_EQ(promote(Dtype::kU32, Dtype::kI64), Dtype::kI64);
  EXPECT_EQ(promote(Dtype::kU32, Dtype::kF16), Dtype::kF16);
}

TEST(Promotion, IsSymmetricAndIdempotent) {
  for (const Dtype a : kAllDtypes) {
    EXPECT_EQ(promote(a, a), a);
    for (const Dtype b : kAllDtypes) EXPECT_EQ(promote(a, b), promote(b, a));
  }
}

TEST(Promotion, ScalarsOnlyRaiseTheClass) {
  EXPECT_EQ(promote_scalar(Dtype::kF16, DtypeClass::kFloat), Dtype::kF16);
  EXPECT_EQ(promote_scalar(Dtype::kI8, DtypeClass::kInteger), Dtype::kI8);
  EXPECT_EQ(promote_scalar(Dtype::kI8, DtypeClass::kFloat), Dtype::kF32);
  EXPECT_EQ(promote_scalar(Dtype::kBool, DtypeClass::kInteger), Dtype::kI64);
  EXPECT_EQ(promote_scalar(Dtype::kBool, DtypeClass::kBool), Dtype::kBool);
}

TEST(Dtype, HoldsNumbersInItsRange) {
  EXPECT_TRUE(holds(Dtype::kI8, -128) && holds(Dtype::kI8, 127));
  EXPECT_FALSE(holds(Dtype::kI8, -129) || holds(Dtype::kI8, 128) || holds(Dtype::kI8, 0.5));
  EXPECT_TRUE(holds(Dtype::kU32, 4294967295.0) && holds(Dtype::kI64, -0x1p63) && holds(Dtype::kBool, 1));
  EXPECT_FALSE(holds(Dtype::kU32, -1) || holds(Dtype::kI64, 0x1p63) || holds(Dtype::kBool, 2));
  EXPECT_TRUE(holds(Dtype::kF16, 1e300) && holds(Dtype::kF32, 0.1));
  EXPECT_FALSE(holds(Dtype::kI32, std::numeric_limits<double>::quiet_NaN()));
}

}  // namespace
}  // namespace alknet::graph
