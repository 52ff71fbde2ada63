#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "alknet/compute/device_cpu/gemm_kernels.cc"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <utility>

#include "alknet/compute/device_cpu/gemm_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace alknet::compute {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Accumulators, two vectors of b and a broadcast element of a share the registers: 32 with AVX-512, else 16.
constexpr std::size_t kTileRows = HWY_TARGET <= HWY_AVX3 ? 14 : 6;
constexpr std::size_t kTileVectors = 2;
constexpr std::size_t kFewRowsVectors = HWY_TARGET <= HWY_AVX3 ? 6 : 3;
constexpr std::size_t kDotRows = HWY_TARGET <= HWY_AVX3 ? 6 : 3;
constexpr std::size_t kDotColumns = HWY_TARGET <= HWY_AVX3 ? 4 : 3;

template <typename T>
using Tag = hn::ScalableTag<T>;
template <typename T>
using Vector = hn::Vec<Tag<T>>;
template <typename T>
constexpr std::size_t kLanes = hn::MaxLanes(Tag<T>());

/// Whether masked loads and stores leave the memory of other lanes alone; the emulated ones touch it.
constexpr bool kMasksProtect = HWY_TARGET <= HWY_AVX2;

template <typename T>
using Buffer = std::array<T, kLanes<T>>;

/// The vector of `count` elements from `from`, zeros behind them.
template <typename T>
HWY_INLINE Vector<T> load(const T* from, std::size_t count) {
  const Tag<T> d;
  if (count >= kLanes<T>) return hn::LoadU(d, from);
  if constexpr (kMasksProtect) {
    return hn::MaskedLoad(hn::FirstN(d, count), d, from);
  } else {
    Buffer<T> buffer{};
    std::copy_n(from, count, buffer.begin());
    return hn::LoadU(d, buffer.data());
  }
}

/// Sets, or adds to, the first `count` elements of `to`.
template <typename T>
HWY_INLINE void store(Vector<T> value, T* to, std::size_t count, bool accumulate) {
  const Tag<T> d;
  if (accumulate) value = hn::Add(load(to, count), value);
  if (count >= kLanes<T>) {
    hn::StoreU(value, d, to);
  } else if constexpr (kMasksProtect) {
    hn::BlendedStore(value, hn::FirstN(d, count), d, to);
  } else {
    Buffer<T> buffer;
    hn::StoreU(value, d, buffer.data());
    std::copy_n(buffer.begin(), count, to);
  }
}

/// kRows rows of a panel of a times kVectors vectors of each row of b; `kWhole`: every lane is wanted.
template <typename T, std::size_t kRows, std::size_t kVectors, bool kWhole>
HWY_INLINE void block(std::size_t columns, std::size_t depth, T alpha, const T* HWY_RESTRICT a, const T* HWY_RESTRICT b,
                      std::ptrdiff_t b_stride, T* HWY_RESTRICT c, std::ptrdiff_t c_stride, bool accumulate) {
  const Tag<T> d;
  Vector<T> sums[kRows][kVectors];
  for (std::size_t r = 0; r < kRows; ++r)
    for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = hn::Zero(d);
  const auto lanes_of = [&](std::size_t v) HWY_ATTR {
    return kWhole || columns >= (v + 1) * kLanes<T> ? kLanes<T> : std::max(columns, v * kLanes<T>) - v * kLanes<T>;
  };
  for (std::size_t k = 0; k < depth; ++k, a += kRows, b += b_stride) {
    Vector<T> right[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) {
      right[v] = kWhole ? hn::LoadU(d, b + v * kLanes<T>) : load(b + v * kLanes<T>, lanes_of(v));
    }
    for (std::size_t r = 0; r < kRows; ++r) {
      const Vector<T> left = hn::Set(d, a[r]);
      for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = hn::MulAdd(left, right[v], sums[r][v]);
    }
  }
  const Vector<T> scale = hn::Set(d, alpha);
  for (std::size_t r = 0; r < kRows; ++r, c += c_stride) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      store(hn::Mul(sums[r][v], scale), c + v * kLanes<T>, lanes_of(v), accumulate);
    }
  }
}

template <typename T, std::size_t kRows>
void tile_of(std::size_t columns, std::size_t depth, T alpha, const T* a, const T* b, T* c, std::ptrdiff_t c_stride,
             bool accumulate) {
  constexpr auto kWidth = static_cast<std::ptrdiff_t>(kTileVectors * kLanes<T>);
  if (columns == kTileVectors * kLanes<T>) {
    block<T, kRows, kTileVectors, true>(columns, depth, alpha, a, b, kWidth, c, c_stride, accumulate);
  } else {
    block<T, kRows, kTileVectors, false>(columns, depth, alpha, a, b, kWidth, c, c_stride, accumulate);
  }
}

template <typename T, std::size_t... kIndex>
constexpr std::array<decltype(&tile_of<T, 1>), kTileRows> tile_table(std::index_sequence<kIndex...>) {
  return {tile_of<T, kIndex + 1>...};
}

template <typename T>
void tile(std::size_t rows, std::size_t columns, std::size_t depth, T alpha, const T* a, const T* b, T* c,
          std::ptrdiff_t c_stride, bool accumulate) {
  static constexpr auto kOfRows = tile_table<T>(std::make_index_sequence<kTileRows>());
  kOfRows[rows - 1](columns, depth, alpha, a, b, c, c_stride, accumulate);
}

template <typename T, std::size_t kRows>
void few_rows_of(std::size_t columns, std::size_t depth, T alpha, const T* a, const T* b, std::ptrdiff_t b_stride, T* c,
                 std::ptrdiff_t c_stride, bool accumulate) {
  constexpr std::size_t kWidth = kFewRowsVectors * kLanes<T>;
  std::size_t j = 0;
  for (; j + kWidth <= columns; j += kWidth) {
    block<T, kRows, kFewRowsVectors, true>(kWidth, depth, alpha, a, b + j, b_stride, c + j, c_stride, accumulate);
  }
  for (; j < columns; j += kLanes<T>) {
    block<T, kRows, 1, false>(columns - j, depth, alpha, a, b + j, b_stride, c + j, c_stride, accumulate);
  }
}

template <typename T>
void few_rows(std::size_t rows, std::size_t columns, std::size_t depth, T alpha, const T* a, const T* b,
              std::ptrdiff_t b_stride, T* c, std::ptrdiff_t c_stride, bool accumulate) {
  static_assert(kFewRows == 4);
  static constexpr std::array kOfRows = {few_rows_of<T, 1>, few_rows_of<T, 2>, few_rows_of<T, 3>, few_rows_of<T, 4>};
  kOfRows[rows - 1](columns, depth, alpha, a, b, b_stride, c, c_stride, accumulate);
}

#if HWY_TARGET <= HWY_AVX3
/// The sums of the 128-bit blocks of a vector, lane by lane.
template <class D>
HWY_INLINE auto sum_of_blocks(D d, hn::Vec<D> value) {
  static_cast<void>(d);
  if constexpr (hn::MaxLanes(D()) <= 4) {
    return value;
  } else {
    const hn::Half<D> half;
    return sum_of_blocks(half, hn::Add(hn::LowerHalf(half, value), hn::UpperHalf(half, value)));
  }
}
#endif

/// to[j] = alpha * the sum of sums[j]'s lanes, or added to it.
template <typename T, std::size_t kColumns>
HWY_INLINE void store_sums(const Vector<T> (&sums)[kColumns], T alpha, T* to, bool accumulate) {
  const Tag<T> d;
#if HWY_TARGET <= HWY_AVX3
  if constexpr (sizeof(T) == 4 && kColumns == 4) {  // four sums together
    const hn::Repartition<double, Tag<T>> pairs;
    const hn::FixedTag<T, 4> four;
    const auto sums01 = hn::Add(hn::InterleaveLower(d, sums[0], sums[1]), hn::InterleaveUpper(d, sums[0], sums[1]));
    const auto sums23 = hn::Add(hn::InterleaveLower(d, sums[2], sums[3]), hn::InterleaveUpper(d, sums[2], sums[3]));
    const auto low = hn::InterleaveLower(pairs, hn::BitCast(pairs, sums01), hn::BitCast(pairs, sums23));
    const auto high = hn::InterleaveUpper(pairs, hn::BitCast(pairs, sums01), hn::BitCast(pairs, sums23));
    const auto blocks = hn::Add(hn::BitCast(d, low), hn::BitCast(d, high));
    auto product = hn::Mul(sum_of_blocks(d, blocks), hn::Set(four, alpha));
    if (accumulate) product = hn::Add(product, hn::LoadU(four, to));
    hn::StoreU(product, four, to);
    return;
  }
#endif
  for (std::size_t j = 0; j < kColumns; ++j) {
    const T product = alpha * hn::GetLane(hn::SumOfLanes(d, sums[j]));
    to[j] = accumulate ? to[j] + product : product;
  }
}

/// kRows x kColumns elements of c, each the product of two contiguous rows. `ahead`: also asks for the rows of b that
/// come next.
template <typename T, std::size_t kRows, std::size_t kColumns>
HWY_INLINE void dot_block(std::size_t depth, T alpha, const T* a, std::ptrdiff_t a_stride, const T* b,
                          std::ptrdiff_t b_stride, T* c, std::ptrdiff_t c_stride, bool accumulate, bool ahead) {
  const Tag<T> d;
  Vector<T> sums[kRows][kColumns];
  for (std::size_t r = 0; r < kRows; ++r)
    for (std::size_t j = 0; j < kColumns; ++j) sums[r][j] = hn::Zero(d);
  const auto add = [&](std::size_t k, const auto& load_at) HWY_ATTR {
    Vector<T> right[kColumns];
    for (std::size_t j = 0; j < kColumns; ++j) right[j] = load_at(b + static_cast<std::ptrdiff_t>(j) * b_stride + k);
    for (std::size_t r = 0; r < kRows; ++r) {
      const Vector<T> left = load_at(a + static_cast<std::ptrdiff_t>(r) * a_stride + k);
      for (std::size_t j = 0; j < kColumns; ++j) sums[r][j] = hn::MulAdd(left, right[j], sums[r][j]);
    }
  };
  const T* next = b + static_cast<std::ptrdiff_t>(kColumns) * b_stride;
  std::size_t k = 0;
  for (; k + kLanes<T> <= depth; k += kLanes<T>) {
    for (std::size_t j = 0; ahead && j < kColumns; ++j) {
      hwy::Prefetch(next + static_cast<std::ptrdiff_t>(j) * b_stride + k);
    }
    add(k, [&](const T* from) HWY_ATTR { return hn::LoadU(d, from); });
  }
  if (k < depth) add(k, [&](const T* from) HWY_ATTR { return load(from, depth - k); });
  for (std::size_t r = 0; r < kRows; ++r, c += c_stride) store_sums<T, kColumns>(sums[r], alpha, c, accumulate);
}

template <typename T, std::size_t kRows>
void dot_rows(std::size_t columns, std::size_t depth, T alpha, const T* a, std::ptrdiff_t a_stride, const T* b,
              std::ptrdiff_t b_stride, T* c, std::ptrdiff_t c_stride, bool accumulate, bool ahead) {
  if (columns == kDotColumns) {
    dot_block<T, kRows, kDotColumns>(depth, alpha, a, a_stride, b, b_stride, c, c_stride, accumulate, ahead);
    return;
  }
  for (std::size_t j = 0; j < columns; ++j, b += b_stride) {
    dot_block<T, kRows, 1>(depth, alpha, a, a_stride, b, b_stride, c + j, c_stride, accumulate, ahead);
  }
}

template <typename T, std::size_t... kIndex>
constexpr std::array<decltype(&dot_rows<T, 1>), kDotRows> dot_rows_table(std::index_sequence<kIndex...>) {
  return {dot_rows<T, kIndex + 1>...};
}

/// A few rows of b, which are read once, stay in the cache for all rows of a.
template <typename T>
void dots(std::size_t rows, std::size_t columns, std::size_t depth, T alpha, const T* a, std::ptrdiff_t a_stride,
          const T* b, std::ptrdiff_t b_stride, T* c, std::ptrdiff_t c_stride, bool accumulate) {
  static constexpr auto kOfRows = dot_rows_table<T>(std::make_index_sequence<kDotRows>());
  for (std::size_t j = 0; j < columns; j += kDotColumns, b += static_cast<std::ptrdiff_t>(kDotColumns) * b_stride) {
    const std::size_t width = std::min(kDotColumns, columns - j);
    for (std::size_t r = 0; r < rows; r += kDotRows) {
      kOfRows[std::min(kDotRows, rows - r) - 1](
          width, depth, alpha, a + static_cast<std::ptrdiff_t>(r) * a_stride, a_stride, b, b_stride,
          c + static_cast<std::ptrdiff_t>(r) * c_stride + j, c_stride, accumulate, r == 0 && j + kDotColumns < columns);
    }
  }
}

/// Elements of a row that `transpose` takes at a time: a cache line of them, so that what it writes stays in the cache
/// until the other rows have filled it.
constexpr std::size_t kTransposeDepth = 16;

/// to[k * to_stride + i] = from[i * stride + k] for k in [k, end), i < 4: square blocks of a 128-bit vector's lanes are
/// turned in registers.
template <typename T>
HWY_INLINE void transpose_four(const T* from, std::ptrdiff_t stride, std::size_t k, std::size_t end, T* to,
                               std::ptrdiff_t to_stride) {
  to += static_cast<std::ptrdiff_t>(k) * to_stride;
#if HWY_TARGET != HWY_SCALAR
  if constexpr (sizeof(T) == 4) {
    const hn::FixedTag<T, 4> d;
    const hn::Repartition<double, decltype(d)> pairs;
    for (; k + 4 <= end; k += 4, to += 4 * to_stride) {
      const auto r0 = hn::LoadU(d, from + k), r1 = hn::LoadU(d, from + stride + k);
      const auto r2 = hn::LoadU(d, from + 2 * stride + k), r3 = hn::LoadU(d, from + 3 * stride + k);
      const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, r0, r1));
      const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, r2, r3));
      const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, r0, r1));
      const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, r2, r3));
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, to);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, to + to_stride);
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, to + 2 * to_stride);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, to + 3 * to_stride);
    }
  }
#endif
  for (; k < end; ++k, to += to_stride) {
    for (std::ptrdiff_t r = 0; r < 4; ++r) to[r] = from[r * stride + static_cast<std::ptrdiff_t>(k)];
  }
}

/// to[k * to_stride + i] = from[i * stride + k].
template <typename T>
void transpose(const T* from, std::ptrdiff_t stride, std::size_t rows, std::size_t depth, T* to,
               std::ptrdiff_t to_stride) {
  for (std::size_t k = 0; k < depth; k += kTransposeDepth) {
    const std::size_t end = std::min(depth, k + kTransposeDepth);
    const T* row = from;
    std::size_t i = 0;
    for (; i + 4 <= rows; i += 4, row += 4 * stride) transpose_four(row, stride, k, end, to + i, to_stride);
    for (; i < rows; ++i, row += stride) {
      for (std::size_t j = k; j < end; ++j)
        to[static_cast<std::ptrdiff_t>(j) * to_stride + static_cast<std::ptrdiff_t>(i)] = row[j];
    }
  }
}

template <typename T>
void pack_columns(const T* b, std::ptrdiff_t row_stride, std::ptrdiff_t column_stride, std::size_t depth,
                  std::size_t width, T* panel) {
  constexpr std::size_t kWidth = kTileVectors * kLanes<T>;
  if (row_stride == 1) {
    transpose(b, column_stride, width, depth, panel, static_cast<std::ptrdiff_t>(kWidth));
    for (std::size_t k = 0; k < depth && width < kWidth; ++k) {
      std::fill(panel + k * kWidth + width, panel + (k + 1) * kWidth, T{0});
    }
    return;
  }
  for (std::size_t k = 0; k < depth; ++k, b += row_stride, panel += kWidth) {
    if (column_stride == 1) {
      std::copy_n(b, width, panel);
    } else {
      for (std::size_t j = 0; j < width; ++j) panel[j] = b[static_cast<std::ptrdiff_t>(j) * column_stride];
    }
    std::fill(panel + width, panel + kWidth, T{0});
  }
}

template <typename T>
void pack_rows(const T* a, std::ptrdiff_t row_stride, std::ptrdiff_t column_stride, std::size_t rows, std::size_t depth,
               T* panel) {
  if (column_stride == 1) return transpose(a, row_stride, rows, depth, panel, static_cast<std::ptrdiff_t>(rows));
  for (std::size_t k = 0; k < depth; ++k, a += column_stride, panel += rows) {
    for (std::size_t r = 0; r < rows; ++r) panel[r] = a[static_cast<std::ptrdiff_t>(r) * row_stride];
  }
}

template <typename T>
constexpr GemmKernels<T> kGemmKernels = {
    kTileRows, kTileVectors* kLanes<T>, pack_columns<T>, pack_rows<T>, tile<T>, few_rows<T>, dots<T>};

}  // namespace

const GemmKernels<float>& gemm_kernels_f32() { return kGemmKernels<float>; }
const GemmKernels<double>& gemm_kernels_f64() { return kGemmKernels<double>; }

}  // namespace HWY_NAMESPACE
}  // namespace alknet::compute
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alknet::compute {

HWY_EXPORT(gemm_kernels_f32);
HWY_EXPORT(gemm_kernels_f64);

template <>
const GemmKernels<float>& gemm_kernels<float>() {
  return HWY_DYNAMIC_DISPATCH(gemm_kernels_f32)();
}
template <>
const GemmKernels<double>& gemm_kernels<double>() {
  return HWY_DYNAMIC_DISPATCH(gemm_kernels_f64)();
}

}  // namespace alknet::compute
#endif
