#include "alknet/compute/device_cpu/gemm.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "alknet/compute/device_cpu/convert_value.h"

namespace alknet::compute {
namespace {

/// A matrix of random elements behind a view of any strides, with its values in double.
template <typename T>
struct Sample {
  std::vector<T> storage;
  std::vector<double> values;  // row-major
  MatrixView view;

  Sample(std::int64_t rows, std::int64_t columns, std::int64_t row_stride, std::int64_t column_stride, Dtype dtype,
         std::mt19937& random)
      : storage(static_cast<std::size_t>(rows * row_stride + columns * column_stride + 1)) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        T& element = storage[static_cast<std::size_t>(r * row_stride + c * column_stride)];
        element = convert_value<T>(uniform(random));
        values.push_back(convert_value<double>(element));
      }
    }
    view = {reinterpret_cast<const std::byte*>(storage.data()), dtype, row_stride, column_stride};
  }
};

struct Strides {
  std::int64_t row, column;
};

/// Row-major, column-major, and neither.
std::vector<Strides> strides_of(std::int64_t rows, std::int64_t columns) {
  return {{columns + 3, 1}, {1, rows + 5}, {2 * columns + 1, 2}};
}

/// Packed beforehand, all of b and what lies behind its first panel give the very bits of the product `expected`.
template <typename C>
void expect_same_when_packed(Dtype compute, const GemmShape& shape, const MatrixView& a, const MatrixView& b,
                             const std::vector<C>& expected, std::int64_t c_stride, std::byte* scratch,
                             double alpha = 0.5) {
  if (!gemm_packs(compute, shape, a, b)) return;
  const std::int64_t width = packed_panel_columns(compute);
  const std::int64_t panels = (shape.columns + width - 1) / width;
  std::vector<C> packed(packed_matrix_bytes(compute, shape.depth, shape.columns) / sizeof(C));
  auto* const data = reinterpret_cast<std::byte*>(packed.data());
  pack_matrix(compute, shape.depth, shape.columns, b, 0, panels / 2, data);
  pack_matrix(compute, shape.depth, shape.columns, b, panels / 2, panels, data);
  for (const std::int64_t first : {std::int64_t{0}, width}) {
    if (first >= shape.columns) continue;
    std::vector<C> c = expected;
    for (std::int64_t r = 0; r < shape.rows; ++r)
      std::fill_n(c.begin() + r * c_stride + first, shape.columns - first, 7);
    const PackedColumns columns{data, first, shape.columns};
    gemm(compute, {shape.rows, shape.columns - first, shape.depth}, a, b, alpha, c.data() + first, c_stride, scratch,
         &columns);
    ASSERT_EQ(std::memcmp(c.data(), expected.data(), c.size() * sizeof(C)), 0) << "from column " << first;
  }
}

template <typename T>
void expect_product(const GemmShape& shape, const Sample<T>& a, const Sample<T>& b, Dtype compute) {
  using C = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const GemmShape larger{shape.rows + 20, shape.columns + 40, shape.depth};
  const std::size_t bytes = gemm_scratch_bytes(compute, larger, a.view, b.view);
  ASSERT_LE(gemm_scratch_bytes(compute, shape, a.view, b.view), bytes);
  const std::int64_t c_stride = shape.columns + 2;
  const C untouched = -12345;
  std::vector<C> c(static_cast<std::size_t>(shape.rows * c_stride), untouched);
  std::vector<std::byte> memory(bytes + 128, std::byte{0x5A});
  auto* scratch = reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(memory.data()) + 63) / 64 * 64);
  gemm(compute, shape, a.view, b.view, 0.5, c.data(), c_stride, scratch);
  for (const std::byte* at = scratch + bytes; at < memory.data() + memory.size(); ++at) ASSERT_EQ(*at, std::byte{0x5A});
  expect_same_when_packed<C>(compute, shape, a.view, b.view, c, c_stride, scratch);
  const double epsilon = std::is_same_v<C, double> ? 0x1p-52 : 0x1p-23;
  for (std::int64_t r = 0; r < shape.rows; ++r) {
    for (std::int64_t j = 0; j < c_stride; ++j) {
      const double got = c[static_cast<std::size_t>(r * c_stride + j)];
      if (j >= shape.columns) {
        ASSERT_EQ(got, untouched) << "behind row " << r;
        continue;
      }
      double sum = 0, magnitude = 0;
      for (std::int64_t k = 0; k < shape.depth; ++k) {
        const double term = a.values[static_cast<std::size_t>(r * shape.depth + k)] *
                            b.values[static_cast<std::size_t>(k * shape.columns + j)];
        sum += term;
        magnitude += std::fabs(term);
      }
      ASSERT_NEAR(got, 0.5 * sum, 0.5 * epsilon * (8 + std::sqrt(static_cast<double>(shape.depth))) * magnitude)
          << shape.rows << " x " << shape.columns << " x " << shape.depth << " at " << r << ", " << j;
    }
  }
}

template <typename T>
void expect_products(Dtype dtype, Dtype compute, const std::vector<GemmShape>& shapes) {
  std::mt19937 random(1);
  for (const GemmShape& shape : shapes) {
    for (const Strides& left : strides_of(shape.rows, shape.depth)) {
      const Sample<T> a(shape.rows, shape.depth, left.row, left.column, dtype, random);
      for (const Strides& right : strides_of(shape.depth, shape.columns)) {
        const Sample<T> b(shape.depth, shape.columns, right.row, right.column, dtype, random);
        expect_product<T>(shape, a, b, compute);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

/// Around the sizes of tiles (1 to 14 rows, 4 to 32 columns) and of blocks (140 rows, 512 columns, a depth of 384).
const std::vector<GemmShape> kShapes = {{1, 1, 1},    {1, 100, 70},  {2, 31, 385}, {3, 200, 64},  {4, 97, 129},
                                        {5, 33, 400}, {6, 4, 63},    {7, 65, 64},  {13, 32, 100}, {14, 64, 383},
                                        {15, 31, 65}, {24, 17, 769}, {25, 16, 66}, {141, 513, 7}, {29, 33, 768}};

TEST(Gemm, MatchesDoublePrecisionForEveryFormOfOperandAndInstructionSet) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::GetChosenTarget().Update(target);
    expect_products<float>(Dtype::kF32, Dtype::kF32, kShapes);
    expect_products<double>(Dtype::kF64, Dtype::kF64, kShapes);
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

TEST(Gemm, ConvertsNarrowOperands) {
  const std::vector<GemmShape> shapes = {{1, 20, 70}, {3, 200, 64}, {15, 31, 400}, {30, 33, 65}};
  expect_products<Half>(Dtype::kF16, Dtype::kF32, shapes);
  expect_products<BFloat16>(Dtype::kBF16, Dtype::kF32, shapes);
}

/// A matrix of integers over their whole range, behind a view of any strides.
template <typename T>
struct Integers {
  std::vector<T> storage;
  std::vector<std::int64_t> values;  // row-major
  MatrixView view;

  Integers(std::int64_t rows, std::int64_t columns, Strides strides, Dtype dtype, std::mt19937_64& random)
      : storage(static_cast<std::size_t>(rows * strides.row + columns * strides.column + 1)) {
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c) {
        T& element = storage[static_cast<std::size_t>(r * strides.row + c * strides.column)];
        element = static_cast<T>(random() % 8 == 0 ? std::numeric_limits<T>::min() : random());
        values.push_back(static_cast<std::int64_t>(element));
      }
    }
    view = {reinterpret_cast<const std::byte*>(storage.data()), dtype, strides.row, strides.column};
  }
};

/// Sums of products, which wrap, in 64 bits.
template <typename T, typename C>
void expect_integer_product(const GemmShape& shape, Strides left, Strides right, Dtype dtype, Dtype compute,
                            std::mt19937_64& random) {
  const Integers<T> a(shape.rows, shape.depth, left, dtype, random),
      b(shape.depth, shape.columns, right, dtype, random);
  const GemmShape larger{shape.rows + 20, shape.columns + 40, shape.depth};
  const std::size_t bytes = gemm_scratch_bytes(compute, larger, a.view, b.view);
  ASSERT_LE(gemm_scratch_bytes(compute, shape, a.view, b.view), bytes);
  const std::int64_t c_stride = shape.columns + 2;
  std::vector<C> expected(static_cast<std::size_t>(shape.rows * c_stride), C{77}), c = expected;
  for (std::int64_t r = 0; r < shape.rows; ++r) {
    for (std::int64_t j = 0; j < shape.columns; ++j) {
      std::uint64_t sum = 0;
      for (std::int64_t k = 0; k < shape.depth; ++k) {
        sum += static_cast<std::uint64_t>(a.values[static_cast<std::size_t>(r * shape.depth + k)]) *
               static_cast<std::uint64_t>(b.values[static_cast<std::size_t>(k * shape.columns + j)]);
      }
      expected[static_cast<std::size_t>(r * c_stride + j)] = static_cast<C>(sum);
    }
  }
  std::vector<std::byte> memory(bytes + 128, std::byte{0x5A});
  auto* scratch = reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(memory.data()) + 63) / 64 * 64);
  gemm(compute, shape, a.view, b.view, 1.0, c.data(), c_stride, scratch);
  for (const std::byte* at = scratch + bytes; at < memory.data() + memory.size(); ++at) ASSERT_EQ(*at, std::byte{0x5A});
  ASSERT_EQ(c, expected) << shape.rows << " x " << shape.columns << " x " << shape.depth;
  if (gemm_packs(compute, shape, a.view, b.view)) {
    expect_same_when_packed<C>(compute, shape, a.view, b.view, expected, c_stride, scratch, 1.0);
  }
}

template <typename T, typename C>
void expect_integer_products(Dtype dtype, Dtype compute, const std::vector<GemmShape>& shapes) {
  std::mt19937_64 random(1);
  for (const GemmShape& shape : shapes) {
    for (const Strides& left : strides_of(shape.rows, shape.depth)) {
      for (const Strides& right : strides_of(shape.depth, shape.columns)) {
        expect_integer_product<T, C>(shape, left, right, dtype, compute, random);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

TEST(Gemm, BytesMakeExactWordsForEveryFormOfOperandAndInstructionSet) {
  std::vector<GemmShape> shapes = kShapes;  // around blocks of a depth of 1024, too
  for (const std::int64_t depth : {1023, 1024, 1026, 2049}) shapes.push_back({5, 35, depth});
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::GetChosenTarget().Update(target);
    expect_integer_products<std::int8_t, std::int32_t>(Dtype::kI8, Dtype::kI32, shapes);
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

TEST(Gemm, IntegersWrapInWhatTheyAreComputedIn) {
  const std::vector<GemmShape> shapes = {{1, 1, 1}, {1, 20, 70}, {15, 31, 65}, {4, 33, 300}};
  expect_integer_products<std::uint8_t, std::int32_t>(Dtype::kU8, Dtype::kI32, shapes);
  expect_integer_products<std::int32_t, std::int32_t>(Dtype::kI32, Dtype::kI32, shapes);
  expect_integer_products<std::uint32_t, std::uint32_t>(Dtype::kU32, Dtype::kU32, shapes);
  expect_integer_products<std::int64_t, std::int64_t>(Dtype::kI64, Dtype::kI64, shapes);
}

TEST(Gemm, ProductsOfDepthZeroAreZero) {
  float c[6] = {1, 2, 3, 4, 5, 6};
  const MatrixView nothing{nullptr, Dtype::kF32, 0, 1};
  gemm(Dtype::kF32, {2, 2, 0}, nothing, nothing, 1.0, c, 3, nullptr);
  EXPECT_EQ(std::vector<float>(c, c + 6), (std::vector<float>{0, 0, 3, 0, 0, 6}));
  std::int32_t words[2] = {1, 2};
  const MatrixView no_bytes{nullptr, Dtype::kI8, 0, 1};
  gemm(Dtype::kI32, {1, 1, 0}, no_bytes, no_bytes, 1.0, words, 1, nullptr);
  EXPECT_EQ(words[0], 0);
  EXPECT_EQ(words[1], 2);
}

TEST(Gemm, InfinitiesAndNansStayInTheirRowsAndColumns) {
  std::vector<float> a(20 * 70, 1.0F), b(70 * 40, 1.0F), c(20 * 40);
  a[3 * 70 + 69] = std::nanf("");
  b[5 * 40 + 39] = INFINITY;
  const MatrixView left{reinterpret_cast<const std::byte*>(a.data()), Dtype::kF32, 70, 1};
  const MatrixView right{reinterpret_cast<const std::byte*>(b.data()), Dtype::kF32, 40, 1};
  std::vector<std::byte> memory(gemm_scratch_bytes(Dtype::kF32, {20, 40, 70}, left, right) + 64);
  auto* scratch = reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(memory.data()) + 63) / 64 * 64);
  gemm(Dtype::kF32, {20, 40, 70}, left, right, 1.0, c.data(), 40, scratch);
  for (std::size_t r = 0; r < 20; ++r) {
    for (std::size_t j = 0; j < 40; ++j) {
      const float got = c[r * 40 + j];
      if (r == 3) {
        EXPECT_TRUE(std::isnan(got));
      } else if (j == 39) {
        EXPECT_EQ(got, INFINITY);
      } else {
        EXPECT_EQ(got, 70.0F);
      }
    }
  }
}

}  // namespace
}  // namespace alknet::compute
