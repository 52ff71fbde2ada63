#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "alknet/compute/device_cpu/block_byte_kernels.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "alknet/compute/device_cpu/block_byte_kernels.h"
#include "alknet/compute/device_cpu/block_values-inl.h"

// As llama.cpp multiplies (ggml/src/ggml-cpu/arch/x86/quants.c), but for the groups of 32 that K-quants have here, too:
// unsigned quants of the weights times signed bytes, with the weights' offsets taken out by sums of the bytes.

HWY_BEFORE_NAMESPACE();
namespace alknet::compute {
namespace HWY_NAMESPACE {
namespace {

#if HWY_TARGET <= HWY_AVX2

namespace hn = hwy::HWY_NAMESPACE;

/// Values that share a scale, at most.
constexpr std::size_t kGroup = 32;

/// Tags for vectors of kBytes bytes.
template <std::size_t kBytes>
struct Tags {
  using Unsigned = hn::CappedTag<std::uint8_t, kBytes>;
  using Signed = hn::CappedTag<std::int8_t, kBytes>;
  using Words = hn::CappedTag<std::int32_t, kBytes / 4>;
  using Floats = hn::CappedTag<float, kBytes / 4>;
};

#if HWY_TARGET == HWY_AVX3
/// Four products added to an i32 by one instruction, written as such because AVX-512 of Highway 1.0 does not include
/// it.
struct Quads : Tags<64> {
  static HWY_INLINE auto multiply(hn::Vec<Unsigned> weight, hn::Vec<Signed> x) {
    auto sum = hn::Zero(Words());
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(weight.raw), "v"(x.raw));
    return sum;
  }

  /// Signed quants are taken this much too large.
  static constexpr float kOffset = 128;
  static HWY_INLINE auto multiply_signed(hn::Vec<Signed> weight, hn::Vec<Signed> x) {
    return multiply(hn::BitCast(Unsigned(), hn::Xor(weight, hn::Set(Signed(), -128))), x);
  }
};
#endif

/// The same by AVX2. Pairs of products fit 16 bits: 2 * 128 * 127.
struct Pairs : Tags<32> {
  static HWY_INLINE hn::Vec<Words> multiply(hn::Vec<Unsigned> weight, hn::Vec<Signed> x) {
    const __m256i pairs = _mm256_maddubs_epi16(weight.raw, x.raw);
    return hn::Vec<Words>{_mm256_madd_epi16(pairs, _mm256_set1_epi16(1))};
  }

  static constexpr float kOffset = 0;
  static HWY_INLINE auto multiply_signed(hn::Vec<Signed> weight, hn::Vec<Signed> x) {
    const hn::Vec<Unsigned> magnitude{_mm256_abs_epi8(weight.raw)};
    return multiply(magnitude, hn::Vec<Signed>{_mm256_sign_epi8(x.raw, weight.raw)});
  }
};

/// Scales from `from` on, each for the products of `values` quants: one for so many lanes.
template <typename Dot, int values>
HWY_INLINE auto spread(const float* from) {
  constexpr int kShift = values == 32 ? 3 : 2;  // a lane holds four products
  const typename Dot::Floats d;
  const auto lane = hn::ShiftRight<kShift>(hn::Iota(typename Dot::Words(), 0));
  return hn::TableLookupLanes(hn::LoadU(d, from), hn::IndicesFromVec(d, lane));
}

/// 4 bits each: the 16 or 32 bytes at `low` as their low halves, then as their high halves; with two of those in a
/// vector, the second of `next`.
template <typename Dot>
HWY_INLINE auto nibbles_of_sixteen(const std::uint8_t* at, const std::uint8_t* next) {
  const typename Dot::Unsigned d;
  const hn::Repartition<std::uint32_t, decltype(d)> words;
  auto bytes = hn::LoadDup128(d, at);
  if constexpr (hn::MaxLanes(d) == 64) {
    bytes = hn::ConcatUpperLower(d, hn::LoadDup128(d, next), bytes);
  }
  const auto shift = hn::And(hn::Iota(words, 0), hn::Set(words, 4U));  // by 4 in every other 16 bytes
  return hn::And(hn::BitCast(d, hn::Shr(hn::BitCast(words, bytes), shift)), hn::Set(d, std::uint8_t{15}));
}
template <typename Dot>
HWY_INLINE auto thirty_two_twice(const std::uint8_t* at) {
  const typename Dot::Unsigned d;
  const hn::Half<decltype(d)> half;
  const auto bytes = hn::LoadU(half, at);
  return hn::Combine(d, bytes, bytes);
}
/// Every 32-bit word shifted by `first` bits; in the upper half of a long vector by `second`.
template <typename Dot, bool left = false, typename V>
HWY_INLINE V shift_halves(V bytes, std::uint32_t first, std::uint32_t second) {
  const typename Dot::Unsigned d;
  const hn::Repartition<std::uint32_t, decltype(d)> words;
  auto shift = hn::Set(words, first);
  if constexpr (hn::MaxLanes(d) == 64) shift = hn::ConcatUpperLower(words, hn::Set(words, second), shift);
  const auto bits = hn::BitCast(words, bytes);
  if constexpr (left) return hn::BitCast(d, hn::Shl(bits, shift));
  return hn::BitCast(d, hn::Shr(bits, shift));
}

/// A sum in two chains, so that one addition need not wait for the last, and what the weights' offsets add to it.
template <typename Dot>
struct Sum {
  using Floats = typename Dot::Floats;
  hn::Vec<Floats> products[2];
  hn::Vec<Floats> offsets;
  HWY_INLINE Sum() {
    products[0] = products[1] = hn::Zero(Floats());
    offsets = hn::Zero(Floats());
  }

  template <int values, typename V>
  HWY_INLINE void add(int chain, V words, const float* scales) {
    products[chain] = hn::MulAdd(hn::ConvertTo(Floats(), words), spread<Dot, values>(scales), products[chain]);
  }
  HWY_INLINE float total() const {
    return hn::GetLane(hn::SumOfLanes(Floats(), hn::Add(hn::Add(products[0], products[1]), offsets)));
  }
};

/// Formats whose blocks are a group: quants times a scale (f16), plus a minimum (f16) or less a constant.
struct FourBitFormat {
  static constexpr std::size_t kBytes = 18, kQuants = 2;
  static constexpr bool kMinimum = false;
  template <typename Dot>
  static constexpr float kOffset = 8;
  template <typename Dot, typename V>
  static HWY_INLINE auto multiply(const std::uint8_t* at, const std::uint8_t* next, V x) {
    return Dot::multiply(nibbles_of_sixteen<Dot>(at + kQuants, next + kQuants), x);
  }
};
struct FourBitMinimumFormat {
  static constexpr std::size_t kBytes = 20, kQuants = 4;
  static constexpr bool kMinimum = true;
  template <typename Dot>
  static constexpr float kOffset = 0;
  template <typename Dot, typename V>
  static HWY_INLINE auto multiply(const std::uint8_t* at, const std::uint8_t* next, V x) {
    return Dot::multiply(nibbles_of_sixteen<Dot>(at + kQuants, next + kQuants), x);
  }
};
struct EightBitFormat {
  static constexpr std::size_t kBytes = 34;
  static constexpr bool kMinimum = false;
  template <typename Dot>
  static constexpr float kOffset = Dot::kOffset;
  template <typename Dot, typename V>
  static HWY_INLINE auto multiply(const std::uint8_t* at, const std::uint8_t* next, V x) {
    const typename Dot::Signed d;
    const auto load = [](auto tag, const std::uint8_t* from)
                          HWY_ATTR { return hn::LoadU(tag, reinterpret_cast<const std::int8_t*>(from + 2)); };
    if constexpr (hn::MaxLanes(d) == 64) {
      const hn::Half<decltype(d)> half;
      return Dot::multiply_signed(hn::Combine(d, load(half, next), load(half, at)), x);
    } else {
      return Dot::multiply_signed(load(d, at), x);
    }
  }
};

/// Blocks whose scales are read together.
constexpr std::size_t kChunk = 32;

template <typename Dot, typename Format>
float dot_of_groups(const std::uint8_t* at, std::size_t count, const ByteRow& x) {
  const typename Dot::Floats d;
  constexpr std::size_t kLanes = hn::MaxLanes(d), kStep = kLanes / 8;  // blocks of a vector
  const hn::Rebind<hwy::float16_t, decltype(d)> halves;
  Sum<Dot> sum;
  for (std::size_t first = 0; first < count; first += kChunk) {
    const std::size_t blocks = std::min(kChunk, count - first);
    std::array<std::uint16_t, kChunk> scale_bits{}, minimum_bits{};
    for (std::size_t i = 0; i < blocks; ++i) {
      std::memcpy(&scale_bits[i], at + i * Format::kBytes, 2);
      if constexpr (Format::kMinimum) std::memcpy(&minimum_bits[i], at + i * Format::kBytes + 2, 2);
    }
    std::array<float, kChunk + kLanes> scales;
    const auto floats = [&](const std::uint16_t* bits) HWY_ATTR {
      return hn::PromoteTo(d, hn::LoadU(halves, reinterpret_cast<const hwy::float16_t*>(bits)));
    };
    for (std::size_t i = 0; i < blocks; i += kLanes) {
      const auto scale = floats(&scale_bits[i]);
      hn::StoreU(hn::Mul(scale, hn::LoadU(d, x.scales + first + i)), d, &scales[i]);
      hn::StoreU(hn::Zero(d), d, &scales[i + kLanes]);
      const auto group_sums = hn::LoadU(d, x.sums + first + i);
      if constexpr (Format::kMinimum) {
        sum.offsets = hn::MulAdd(floats(&minimum_bits[i]), group_sums, sum.offsets);
      } else if constexpr (Format::template kOffset<Dot> != 0) {
        const auto offset = hn::Mul(scale, hn::Set(d, -Format::template kOffset<Dot>));
        sum.offsets = hn::MulAdd(offset, group_sums, sum.offsets);
      }
    }
    const std::int8_t* values = x.values + first * kGroup;
    const auto add = [&](std::size_t i, int chain) HWY_ATTR {
      const std::uint8_t* block = at + i * Format::kBytes;
      const std::uint8_t* next = i + 1 < blocks ? block + Format::kBytes : block;  // a last odd one is taken times 0
      sum.template add<32>(
          chain, Format::template multiply<Dot>(block, next, hn::LoadU(typename Dot::Signed(), values + i * kGroup)),
          &scales[i]);
    };
    std::size_t i = 0;
    for (; i + 2 * kStep <= blocks; i += 2 * kStep) {
      add(i, 0);
      add(i + kStep, 1);
    }
    for (; i < blocks; i += kStep) add(i, 0);
    at += blocks * Format::kBytes;
  }
  return sum.total();
}

/// 256 values: `scales(block, index, x, to, sum)` writes the scales of block `index` and adds what the offsets do,
/// `add(block, values, scales, sum)` the products.
struct FourBitSuperFormat {  // Q4_K
  static constexpr std::size_t kBytes = 144;

  template <typename Dot>
  static HWY_INLINE void scales(const std::uint8_t* block, std::size_t index, const ByteRow& x, float* to,
                                Sum<Dot>& sum) {
    // Eight scales and eight minimums of 6 bits in three words; see SixBitScales in block_kernels.cc.
    std::array<std::uint32_t, 3> q;
    std::memcpy(q.data(), block + 4, sizeof q);
    constexpr std::uint32_t kSix = 0x3F3F3F3F, kFour = 0x0F0F0F0F, kTwo = 0x03030303;
    const std::array<std::uint32_t, 2> scale = {q[0] & kSix, (q[2] & kFour) | (q[0] >> 6 & kTwo) << 4};
    const std::array<std::uint32_t, 2> least = {q[1] & kSix, (q[2] >> 4 & kFour) | (q[1] >> 6 & kTwo) << 4};
    const hn::FixedTag<float, 8> d;
    const auto floats = [&](const std::array<std::uint32_t, 2>& words) HWY_ATTR {
      const hn::Rebind<std::uint8_t, decltype(d)> bytes;
      const auto loaded = hn::LoadU(bytes, reinterpret_cast<const std::uint8_t*>(words.data()));
      return hn::ConvertTo(d, hn::PromoteTo(hn::Rebind<std::int32_t, decltype(d)>(), loaded));
    };
    const auto whole = hn::Mul(floats(scale), hn::Set(d, half_at(block)));
    hn::StoreU(hn::Mul(whole, hn::LoadU(d, x.scales + index * 8)), d, to);
    const auto minimum = hn::Mul(floats(least), hn::Set(d, -half_at(block + 2)));
    const auto offsets = hn::Mul(minimum, hn::LoadU(d, x.sums + index * 8));
    if constexpr (hn::MaxLanes(typename Dot::Floats()) == 16) {
      sum.offsets = hn::Add(sum.offsets, hn::ZeroExtendVector(typename Dot::Floats(), offsets));
    } else {
      sum.offsets = hn::Add(sum.offsets, offsets);
    }
  }

  template <typename Dot>
  static HWY_INLINE void add(const std::uint8_t* block, const std::int8_t* values, const float* scales, Sum<Dot>& sum) {
    const typename Dot::Signed d;
    const typename Dot::Unsigned du;
    const auto mask = hn::Set(du, std::uint8_t{15});
    for (std::size_t part = 0; part < 4; ++part, values += 64, scales += 2) {
      const std::uint8_t* q = block + 16 + part * 32;
      if constexpr (hn::MaxLanes(d) == 64) {
        const auto quants = hn::And(shift_halves<Dot>(thirty_two_twice<Dot>(q), 0, 4), mask);
        sum.template add<32>(part % 2, Dot::multiply(quants, hn::LoadU(d, values)), scales);
      } else {
        const auto bytes = hn::LoadU(du, q);
        const hn::Repartition<std::uint16_t, decltype(du)> wide;
        const auto high = hn::And(hn::BitCast(du, hn::ShiftRight<4>(hn::BitCast(wide, bytes))), mask);
        sum.template add<32>(0, Dot::multiply(hn::And(bytes, mask), hn::LoadU(d, values)), scales);
        sum.template add<32>(1, Dot::multiply(high, hn::LoadU(d, values + 32)), scales + 1);
      }
    }
  }
};

struct SixBitSuperFormat {  // Q6_K
  static constexpr std::size_t kBytes = 210;

  template <typename Dot>
  static HWY_INLINE void scales(const std::uint8_t* block, std::size_t index, const ByteRow& x, float* to,
                                Sum<Dot>& sum) {
    const typename Dot::Floats d;
    constexpr std::size_t kLanes = hn::MaxLanes(d);
    const auto whole = hn::Set(d, half_at(block + 208));
    const auto pairs = hn::IndicesFromVec(d, hn::ShiftRight<1>(hn::Iota(typename Dot::Words(), 0)));
    const auto* quants = reinterpret_cast<const std::int8_t*>(block + 192);
    for (std::size_t i = 0; i < 16; i += kLanes) {
      const auto words =
          hn::PromoteTo(typename Dot::Words(), hn::LoadU(hn::Rebind<std::int8_t, decltype(d)>(), quants + i));
      const auto scale = hn::Mul(hn::ConvertTo(d, words), whole);
      const auto of_groups = hn::TableLookupLanes(hn::LoadU(d, x.scales + index * 8 + i / 2), pairs);
      hn::StoreU(hn::Mul(scale, of_groups), d, to + i);
      const auto offset = hn::Mul(scale, hn::Set(d, -32.0F));
      sum.offsets = hn::MulAdd(offset, hn::LoadU(d, x.half_sums + index * 16 + i), sum.offsets);
    }
  }

  template <typename Dot>
  static HWY_INLINE void add(const std::uint8_t* block, const std::int8_t* values, const float* scales, Sum<Dot>& sum) {
    const typename Dot::Signed d;
    const typename Dot::Unsigned du;
    constexpr std::size_t kBytesOfVector = hn::MaxLanes(d);
    const hn::Repartition<std::uint32_t, decltype(du)> words;
    const auto low_mask = hn::Set(du, std::uint8_t{15}), high_mask = hn::Set(du, std::uint8_t{0x30});
    for (std::size_t half = 0; half < 2; ++half) {
      const std::uint8_t* const high_bits = block + 128 + half * 32;
      // Groups 0 and 1 are the low halves of 64 bytes, 2 and 3 the high ones; two more bits of each lie in 32 bytes.
      for (std::size_t at = 0; at < 128;
           at += kBytesOfVector, values += kBytesOfVector, scales += kBytesOfVector / 16) {
        const auto group = static_cast<std::uint32_t>(at / 32);
        auto low = hn::LoadU(du, block + half * 64 + at % 64);
        if (at >= 64) low = hn::BitCast(du, hn::ShiftRight<4>(hn::BitCast(words, low)));
        auto high = low;
        if constexpr (kBytesOfVector == 64) {
          high = thirty_two_twice<Dot>(high_bits);
        } else {
          high = hn::LoadU(du, high_bits);
        }
        // The two bits of group g, at 2 g of each byte, are to lie at 4.
        if (at < 64) {
          high = shift_halves<Dot, true>(high, 4 - 2 * group, 2 - 2 * group);
        } else {
          high = shift_halves<Dot>(high, 2 * group - 4, 2 * group - 2);
        }
        const auto quants = hn::Or(hn::And(low, low_mask), hn::And(high, high_mask));
        sum.template add<16>(static_cast<int>(at / kBytesOfVector % 2), Dot::multiply(quants, hn::LoadU(d, values)),
                             scales);
      }
    }
  }
};

template <typename Dot, typename Format>
float dot_of_super_blocks(const std::uint8_t* at, std::size_t count, const ByteRow& x) {
  Sum<Dot> sum;
  std::array<float, 16 + 16> scales{};  // read a vector at a time
  for (std::size_t i = 0; i < count; ++i, at += Format::kBytes) {
    Format::template scales<Dot>(at, i, x, scales.data(), sum);
    Format::template add<Dot>(at, x.values + i * 256, scales.data(), sum);
  }
  return sum.total();
}

template <typename Format, float (*dot)(const std::uint8_t*, std::size_t, const ByteRow&)>
void dots(const std::byte* blocks, std::size_t count, std::size_t rows, const ByteRow& x, float* results) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(blocks);
  for (std::size_t r = 0; r < rows; ++r, at += count * Format::kBytes) results[r] = dot(at, count, x);
}

template <typename Dot, typename Format>
constexpr BlockByteDots kOfGroups = dots<Format, dot_of_groups<Dot, Format>>;
template <typename Dot, typename Format>
constexpr BlockByteDots kOfSuperBlocks = dots<Format, dot_of_super_blocks<Dot, Format>>;

template <typename Dot>
BlockByteDots dots_of(graph::Dtype dtype) {
  struct Row {
    graph::Dtype dtype;
    BlockByteDots dots;
  };
  static constexpr Row kRows[] = {
      {graph::Dtype::kQ4_0, kOfGroups<Dot, FourBitFormat>},
      {graph::Dtype::kQ4_1, kOfGroups<Dot, FourBitMinimumFormat>},
      {graph::Dtype::kQ8_0, kOfGroups<Dot, EightBitFormat>},
      {graph::Dtype::kQ4_K, kOfSuperBlocks<Dot, FourBitSuperFormat>},
      {graph::Dtype::kQ6_K, kOfSuperBlocks<Dot, SixBitSuperFormat>},
  };
  const auto row = std::ranges::find(kRows, dtype, &Row::dtype);
  return row == std::end(kRows) ? nullptr : row->dots;
}

#endif

}  // namespace

BlockByteDots block_byte_dots_of_target(graph::Dtype dtype) {
#if HWY_TARGET == HWY_AVX3
  if (__builtin_cpu_supports("avx512vnni")) return dots_of<Quads>(dtype);
#endif
#if HWY_TARGET <= HWY_AVX2
  return dots_of<Pairs>(dtype);
#else
  static_cast<void>(dtype);
  return nullptr;
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace alknet::compute
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alknet::compute {

HWY_EXPORT(block_byte_dots_of_target);

BlockByteDots block_byte_dots(graph::Dtype dtype) { return HWY_DYNAMIC_DISPATCH(block_byte_dots_of_target)(dtype); }

}  // namespace alknet::compute
#endif
