#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "alknet/compute/device_cpu/byte_kernels.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "alknet/compute/device_cpu/byte_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace alknet::compute {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Words = hn::ScalableTag<std::int32_t>;
using Vector = hn::Vec<Words>;
constexpr std::size_t kLanes = hn::MaxLanes(Words());
// As in products of floats: sums, two vectors of b and a broadcast word of a share the registers.
constexpr std::size_t kTileRows = HWY_TARGET <= HWY_AVX3 ? 14 : 6;
constexpr std::size_t kTileVectors = 2;
constexpr std::size_t kTileColumns = kTileVectors * kLanes;

/// Words of two i16, multiplied and added in pairs.
struct Pairs {
  static constexpr std::size_t kStep = 2;

  static HWY_INLINE std::int32_t word(const std::int8_t* from, std::ptrdiff_t stride, std::size_t count) {
    const auto low = static_cast<std::uint16_t>(from[0]);
    const auto high = static_cast<std::uint16_t>(count > 1 ? from[stride] : 0);
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(low) | static_cast<std::uint32_t>(high) << 16);
  }
  static HWY_INLINE std::int32_t left_word(const std::int8_t* from, std::ptrdiff_t stride, std::size_t count) {
    return word(from, stride, count);
  }

  static HWY_INLINE Vector multiply_add(Vector sum, Vector left, Vector right) {
#if HWY_TARGET <= HWY_AVX2
    const hn::Repartition<std::int16_t, Words> halves;
    Vector unused = hn::Zero(Words());
    return hn::ReorderWidenMulAccumulate(Words(), hn::BitCast(halves, left), hn::BitCast(halves, right), sum, unused);
#else
    const auto low = [](Vector v) HWY_ATTR { return hn::ShiftRight<16>(hn::ShiftLeft<16>(v)); };
    const auto high = [](Vector v) HWY_ATTR { return hn::ShiftRight<16>(v); };
    return hn::Add(hn::Add(sum, hn::Mul(low(left), low(right))), hn::Mul(high(left), high(right)));
#endif
  }

  /// Sums start at 0.
  static HWY_INLINE Vector start(Vector) { return hn::Zero(Words()); }
  static HWY_INLINE Vector left_of_start() { return hn::Zero(Words()); }
};

#if HWY_TARGET == HWY_AVX3
/// Words of four bytes, by the instruction that multiplies unsigned by signed bytes and adds the products without
/// saturation. It is written as such because AVX-512 of Highway 1.0 does not include it.
struct Quads {
  static constexpr std::size_t kStep = 4;

  static HWY_INLINE std::int32_t word(const std::int8_t* from, std::ptrdiff_t stride, std::size_t count) {
    std::int32_t bits = 0;
    if (stride == 1 && count >= kStep) {
      std::memcpy(&bits, from, sizeof bits);
      return bits;
    }
    std::array<std::int8_t, kStep> bytes{};
    for (std::size_t i = 0; i < std::min(count, kStep); ++i) bytes[i] = from[static_cast<std::ptrdiff_t>(i) * stride];
    std::memcpy(&bits, bytes.data(), sizeof bits);
    return bits;
  }
  static HWY_INLINE std::int32_t left_word(const std::int8_t* from, std::ptrdiff_t stride, std::size_t count) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(word(from, stride, count)) ^ 0x80808080U);
  }

  static HWY_INLINE Vector multiply_add(Vector sum, Vector left, Vector right) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(left.raw), "v"(right.raw));
    return sum;
  }

  /// Less what the 128 that each element of the left operand has too much will add: 128 times the column's sum.
  static HWY_INLINE Vector start(Vector sum) { return hn::Sub(hn::Zero(Words()), sum); }
  static HWY_INLINE Vector left_of_start() { return hn::Set(Words(), static_cast<std::int32_t>(0x80808080U)); }
};
#endif

template <typename Dot>
void pack_columns(const std::int8_t* b, std::ptrdiff_t row_stride, std::ptrdiff_t column_stride, std::size_t depth,
                  std::size_t width, std::int32_t* panel) {
  std::int32_t* const start = panel;
  panel += kTileColumns;
  const auto step = static_cast<std::ptrdiff_t>(Dot::kStep);
  const std::int32_t* const words = panel;
  for (std::size_t k = 0; k < depth; k += Dot::kStep, b += step * row_stride, panel += kTileColumns) {
    const std::size_t count = depth - k;
    if (column_stride == 1 && count >= Dot::kStep) {
      // Rows lie side by side: the words of all columns together, which compilers turn into vectors.
      for (std::size_t j = 0; j < width; ++j) {
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < Dot::kStep; ++i) {
          const std::int8_t byte = b[static_cast<std::ptrdiff_t>(i) * row_stride + static_cast<std::ptrdiff_t>(j)];
          bits |= Dot::kStep == 4 ? static_cast<std::uint32_t>(static_cast<std::uint8_t>(byte)) << (8 * i)
                                  : static_cast<std::uint32_t>(static_cast<std::uint16_t>(byte)) << (16 * i);
        }
        panel[j] = static_cast<std::int32_t>(bits);
      }
    } else {
      for (std::size_t j = 0; j < width; ++j) {
        panel[j] = Dot::word(b + static_cast<std::ptrdiff_t>(j) * column_stride, row_stride, count);
      }
    }
    std::fill(panel + width, panel + kTileColumns, 0);
  }
  const Words d;
  for (std::size_t v = 0; v < kTileColumns; v += kLanes) {
    Vector sum = hn::Zero(d);
    for (const std::int32_t* at = words + v; at < panel; at += kTileColumns) {
      sum = Dot::multiply_add(sum, Dot::left_of_start(), hn::LoadU(d, at));
    }
    hn::StoreU(Dot::start(sum), d, start + v);
  }
}

template <typename Dot>
void pack_rows(const std::int8_t* a, std::ptrdiff_t row_stride, std::ptrdiff_t column_stride, std::size_t rows,
               std::size_t depth, std::int32_t* panel) {
  const auto step = static_cast<std::ptrdiff_t>(Dot::kStep);
  for (std::size_t k = 0; k < depth; k += Dot::kStep, a += step * column_stride, panel += rows) {
    for (std::size_t r = 0; r < rows; ++r) {
      panel[r] = Dot::left_word(a + static_cast<std::ptrdiff_t>(r) * row_stride, column_stride, depth - k);
    }
  }
}

template <typename Dot, std::size_t kRows>
void tile_of(std::size_t columns, std::size_t words, const std::int32_t* HWY_RESTRICT a,
             const std::int32_t* HWY_RESTRICT b, std::int32_t* HWY_RESTRICT c, std::ptrdiff_t c_stride,
             bool accumulate) {
  const Words d;
  Vector sums[kRows][kTileVectors];
  for (std::size_t v = 0; v < kTileVectors; ++v) {
    const Vector start = hn::LoadU(d, b + v * kLanes);
    for (std::size_t r = 0; r < kRows; ++r) sums[r][v] = start;
  }
  b += kTileColumns;
  for (std::size_t k = 0; k < words; ++k, a += kRows, b += kTileColumns) {
    Vector right[kTileVectors];
    for (std::size_t v = 0; v < kTileVectors; ++v) right[v] = hn::LoadU(d, b + v * kLanes);
    for (std::size_t r = 0; r < kRows; ++r) {
      const Vector left = hn::Set(d, a[r]);
      for (std::size_t v = 0; v < kTileVectors; ++v) sums[r][v] = Dot::multiply_add(sums[r][v], left, right[v]);
    }
  }
  for (std::size_t r = 0; r < kRows; ++r, c += c_stride) {
    if (columns == kTileColumns) {
      for (std::size_t v = 0; v < kTileVectors; ++v) {
        const Vector before = accumulate ? hn::LoadU(d, c + v * kLanes) : hn::Zero(d);
        hn::StoreU(hn::Add(before, sums[r][v]), d, c + v * kLanes);
      }
      continue;
    }
    std::array<std::int32_t, kTileColumns> row;
    for (std::size_t v = 0; v < kTileVectors; ++v) hn::StoreU(sums[r][v], d, row.data() + v * kLanes);
    for (std::size_t j = 0; j < columns; ++j) {
      const auto before = static_cast<std::uint32_t>(accumulate ? c[j] : 0);
      c[j] = static_cast<std::int32_t>(before + static_cast<std::uint32_t>(row[j]));
    }
  }
}

template <typename Dot, std::size_t... kIndex>
constexpr std::array<decltype(&tile_of<Dot, 1>), kTileRows> tile_table(std::index_sequence<kIndex...>) {
  return {tile_of<Dot, kIndex + 1>...};
}

template <typename Dot>
void tile(std::size_t rows, std::size_t columns, std::size_t words, const std::int32_t* a, const std::int32_t* b,
          std::int32_t* c, std::ptrdiff_t c_stride, bool accumulate) {
  static constexpr auto kOfRows = tile_table<Dot>(std::make_index_sequence<kTileRows>());
  kOfRows[rows - 1](columns, words, a, b, c, c_stride, accumulate);
}

template <typename Dot>
constexpr ByteKernels kByteKernels = {kTileRows,         kTileColumns,   Dot::kStep,
                                      pack_columns<Dot>, pack_rows<Dot>, tile<Dot>};

}  // namespace

const ByteKernels& byte_kernels_of_target() {
#if HWY_TARGET == HWY_AVX3
  if (__builtin_cpu_supports("avx512vnni")) return kByteKernels<Quads>;
#endif
  return kByteKernels<Pairs>;
}

}  // namespace HWY_NAMESPACE
}  // namespace alknet::compute
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alknet::compute {

HWY_EXPORT(byte_kernels_of_target);

const ByteKernels& byte_kernels() { return HWY_DYNAMIC_DISPATCH(byte_kernels_of_target)(); }

}  // namespace alknet::compute
#endif
