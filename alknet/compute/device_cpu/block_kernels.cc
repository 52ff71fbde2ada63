#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "alknet/compute/device_cpu/block_kernels.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "alknet/compute/device_cpu/block_kernels.h"
#include "alknet/compute/device_cpu/block_values-inl.h"

// The formats are those of ggml/src/ggml-common.h, the formulas those of ggml/src/ggml-quants.c. Products of scales and
// quants are exact in f32, so that a fused multiply-add rounds as ggml does.

HWY_BEFORE_NAMESPACE();
namespace alknet::compute {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using Integers = hn::Rebind<std::int32_t, Floats>;
using Vector = hn::Vec<Floats>;
using Quants = hn::Vec<Integers>;
constexpr std::size_t kLanes = hn::MaxLanes(Floats());

/// Scales and quants come in sixteens.
constexpr std::size_t kPart = 16;

HWY_INLINE Quants unsigned_bytes(const std::uint8_t* from) {
  return hn::PromoteTo(Integers(), hn::LoadU(hn::Rebind<std::uint8_t, Floats>(), from));
}
HWY_INLINE Quants signed_bytes(const std::uint8_t* from) {
  const hn::Rebind<std::int8_t, Floats> d;
  return hn::PromoteTo(Integers(), hn::LoadU(d, reinterpret_cast<const std::int8_t*>(from)));
}
HWY_INLINE Quants number(int value) { return hn::Set(Integers(), value); }
HWY_INLINE Quants low_bits(Quants q, int mask) { return hn::And(q, number(mask)); }
HWY_INLINE Vector floats(Quants q) { return hn::ConvertTo(Floats(), q); }

/// Bits `first`, `first` + 1, ... of `bits`, one a lane, each as 16 or 0.
HWY_INLINE Quants fifth_bits(std::uint32_t bits, std::size_t first) {
  const hn::Rebind<std::uint32_t, Floats> d;
  const auto lane = hn::Iota(d, static_cast<std::uint32_t>(first));
  const auto bit = hn::And(hn::Shr(hn::Set(d, bits), lane), hn::Set(d, 1U));
  return hn::BitCast(Integers(), hn::ShiftLeft<4>(bit));
}

/// scale * q
struct Scaled {
  Vector scale;
  explicit HWY_INLINE Scaled(float value) : scale(hn::Set(Floats(), value)) {}
  HWY_INLINE Vector operator()(Quants q) const { return hn::Mul(floats(q), scale); }
};
/// scale * q + shift
struct Affine {
  Vector scale, shift;
  HWY_INLINE Affine(float of_scale, float of_shift)
      : scale(hn::Set(Floats(), of_scale)), shift(hn::Set(Floats(), of_shift)) {}
  HWY_INLINE Vector operator()(Quants q) const { return hn::MulAdd(floats(q), scale, shift); }
};

/// What a value is for each of the quants 0 to 15; with 16 lanes, looked up.
template <typename Value>
struct Sixteen {
  Vector table;
  explicit HWY_INLINE Sixteen(const Value& value) : table(value(hn::Iota(Integers(), 0))) {}
  HWY_INLINE Vector operator()(Quants q) const { return hn::TableLookupLanes(table, hn::IndicesFromVec(Floats(), q)); }
};
template <typename Value>
HWY_INLINE auto of_nibbles(const Value& value) {
  if constexpr (kLanes == 16) {
    return Sixteen<Value>(value);
  } else {
    return value;
  }
}

/// scale * (q - kMiddle)
template <int kMiddle>
struct Centred {
  Vector scale;
  explicit HWY_INLINE Centred(float value) : scale(hn::Set(Floats(), value)) {}
  HWY_INLINE Vector operator()(Quants q) const { return hn::Mul(floats(hn::Sub(q, number(kMiddle))), scale); }
};

// Takers of decoded values: `take<k>(at, values)` gets the values from `at` of the block on. Neighbouring calls have
// different k < kChains.
constexpr int kChains = 4;

struct Storing {
  float* to;
  template <int chain>
  HWY_INLINE void take(std::size_t at, Vector values) {
    hn::StoreU(values, Floats(), to + at);
  }
};

struct Multiplying {
  const float* x;
  Vector sums[kChains];
  HWY_INLINE explicit Multiplying(const float* from) : x(from) {
    for (Vector& sum : sums) sum = hn::Zero(Floats());
  }
  template <int chain>
  HWY_INLINE void take(std::size_t at, Vector values) {
    sums[chain] = hn::MulAdd(values, hn::LoadU(Floats(), x + at), sums[chain]);
  }
  HWY_INLINE float total() const {
    const Vector all = hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]));
    return hn::GetLane(hn::SumOfLanes(Floats(), all));
  }
};

template <bool fifth, bool minimum>
struct Nibbles {  // Q4_0, Q4_1, Q5_0, Q5_1
  static constexpr std::size_t kValues = 32, kHead = minimum ? 4 : 2, kBytes = kHead + (fifth ? 4 : 0) + 16;

  template <typename Taker>
  static HWY_INLINE void decode(const std::uint8_t* block, Taker& taker) {
    if constexpr (fifth && minimum) {
      parts(block, Affine(half_at(block), half_at(block + 2)), taker);
    } else if constexpr (fifth) {
      parts(block, Centred<16>(half_at(block)), taker);
    } else if constexpr (minimum) {
      parts(block, of_nibbles(Affine(half_at(block), half_at(block + 2))), taker);
    } else {
      parts(block, of_nibbles(Centred<8>(half_at(block))), taker);
    }
  }

  template <typename Value, typename Taker>
  static HWY_INLINE void parts(const std::uint8_t* block, const Value& value, Taker& taker) {
    std::uint32_t high = 0;
    if constexpr (fifth) std::memcpy(&high, block + kHead, sizeof high);
    const std::uint8_t* qs = block + kBytes - kPart;
    for (std::size_t v = 0; v < kPart; v += kLanes) {
      const Quants q = unsigned_bytes(qs + v);
      Quants first = low_bits(q, 15), second = hn::ShiftRight<4>(q);
      if constexpr (fifth) {
        first = hn::Or(first, fifth_bits(high, v));
        second = hn::Or(second, fifth_bits(high, v + kPart));
      }
      taker.template take<0>(v, value(first));
      taker.template take<1>(v + kPart, value(second));
    }
  }
};

struct Bytes {  // Q8_0
  static constexpr std::size_t kValues = 32, kBytes = 34;

  template <typename Taker>
  static HWY_INLINE void decode(const std::uint8_t* block, Taker& taker) {
    const Scaled value(half_at(block));
    for (std::size_t v = 0; v < kPart; v += kLanes) {
      taker.template take<0>(v, value(signed_bytes(block + 2 + v)));
      taker.template take<1>(v + kPart, value(signed_bytes(block + 2 + kPart + v)));
    }
  }
};

/// A block of 256 values as two halves, those as four groups of 32 values, each of two parts.
template <typename Format>
struct SuperBlock {
  static constexpr std::size_t kValues = 256;

  template <typename Taker>
  static HWY_INLINE void decode(const std::uint8_t* block, Taker& taker) {
    const Format format(block);
    for (std::size_t half = 0; half < 2; ++half) {
      for (std::size_t group = 0; group < 4; group += 2) {
        part<0>(format, half, group, format.value(half * 4 + group, 0), taker);
        part<1>(format, half, group, format.value(half * 4 + group, 1), taker);
        part<2>(format, half, group + 1, format.value(half * 4 + group + 1, 0), taker);
        part<3>(format, half, group + 1, format.value(half * 4 + group + 1, 1), taker);
      }
    }
  }

  template <int chain, typename Value, typename Taker>
  static HWY_INLINE void part(const Format& format, std::size_t half, std::size_t group, const Value& value,
                              Taker& taker) {
    constexpr std::size_t kFirst = chain % 2 * kPart;  // in the group
    for (std::size_t v = 0; v < kPart; v += kLanes) {
      taker.template take<chain>(half * 128 + group * 32 + kFirst + v,
                                 value(format.quants(half, static_cast<int>(group), kFirst + v)));
    }
  }
};

struct TwoBits {  // Q2_K
  static constexpr std::size_t kBytes = 84;
  const std::uint8_t* block;
  float d, minimum;
  explicit HWY_INLINE TwoBits(const std::uint8_t* at) : block(at), d(half_at(at + 80)), minimum(half_at(at + 82)) {}
  HWY_INLINE Affine value(std::size_t group, std::size_t part) const {
    const int scale = block[2 * group + part];
    return {d * static_cast<float>(scale & 15), -(minimum * static_cast<float>(scale >> 4))};
  }
  HWY_INLINE Quants quants(std::size_t half, int group, std::size_t at) const {
    return low_bits(hn::ShiftRightSame(unsigned_bytes(block + 16 + half * 32 + at), 2 * group), 3);
  }
};

struct ThreeBits {  // Q3_K
  static constexpr std::size_t kBytes = 110;
  const std::uint8_t* block;
  float d;
  explicit HWY_INLINE ThreeBits(const std::uint8_t* at) : block(at), d(half_at(at + 108)) {}
  HWY_INLINE Scaled value(std::size_t group, std::size_t half_of_group) const {
    const std::uint8_t* scales = block + 96;
    const std::size_t part = 2 * group + half_of_group;
    const int low = scales[part % 8] >> (part < 8 ? 0 : 4) & 15;
    const int high = scales[8 + part % 4] >> (part / 4 * 2) & 3;
    return Scaled(d * static_cast<float>((low | high << 4) - 32));
  }
  HWY_INLINE Quants quants(std::size_t half, int group, std::size_t at) const {
    const Quants low = low_bits(hn::ShiftRightSame(unsigned_bytes(block + 32 + half * 32 + at), 2 * group), 3);
    const Quants bit = low_bits(hn::ShiftRightSame(unsigned_bytes(block + at), static_cast<int>(half) * 4 + group), 1);
    return hn::Sub(hn::Add(low, hn::ShiftLeft<2>(bit)), number(4));
  }
};

/// What Q4_K and Q5_K share: eight scales and eight minimums of 6 bits in 12 bytes, one of each for a group.
struct SixBitScales {
  const std::uint8_t* block;
  float d, minimum;
  explicit HWY_INLINE SixBitScales(const std::uint8_t* at) : block(at), d(half_at(at)), minimum(half_at(at + 2)) {}
  HWY_INLINE Affine affine(std::size_t j) const {
    const std::uint8_t* q = block + 4;
    const int scale = j < 4 ? q[j] & 63 : (q[j + 4] & 15) | (q[j - 4] >> 6) << 4;
    const int least = j < 4 ? q[j + 4] & 63 : q[j + 4] >> 4 | (q[j] >> 6) << 4;
    return {d * static_cast<float>(scale), -(minimum * static_cast<float>(least))};
  }
  /// Low, then high four bits of each 32 bytes at `qs`.
  static HWY_INLINE Quants nibbles(const std::uint8_t* qs, std::size_t half, int group, std::size_t at) {
    const Quants q = unsigned_bytes(qs + half * 64 + static_cast<std::size_t>(group / 2) * 32 + at);
    return low_bits(hn::ShiftRightSame(q, group % 2 * 4), 15);
  }
};

struct FourBits : SixBitScales {  // Q4_K
  static constexpr std::size_t kBytes = 144;
  explicit HWY_INLINE FourBits(const std::uint8_t* at) : SixBitScales(at) {}
  HWY_INLINE auto value(std::size_t group, std::size_t) const { return of_nibbles(affine(group)); }
  HWY_INLINE Quants quants(std::size_t half, int group, std::size_t at) const {
    return nibbles(block + 16, half, group, at);
  }
};

struct FiveBits : SixBitScales {  // Q5_K
  static constexpr std::size_t kBytes = 176;
  explicit HWY_INLINE FiveBits(const std::uint8_t* at) : SixBitScales(at) {}
  HWY_INLINE Affine value(std::size_t group, std::size_t) const { return affine(group); }
  HWY_INLINE Quants quants(std::size_t half, int group, std::size_t at) const {
    const Quants bit =
        low_bits(hn::ShiftRightSame(unsigned_bytes(block + 16 + at), static_cast<int>(half) * 4 + group), 1);
    return hn::Or(nibbles(block + 48, half, group, at), hn::ShiftLeft<4>(bit));
  }
};

struct SixBits {  // Q6_K
  static constexpr std::size_t kBytes = 210;
  const std::uint8_t* block;
  float d;
  explicit HWY_INLINE SixBits(const std::uint8_t* at) : block(at), d(half_at(at + 208)) {}
  HWY_INLINE Scaled value(std::size_t group, std::size_t part) const {
    return Scaled(d * static_cast<float>(static_cast<std::int8_t>(block[192 + 2 * group + part])));
  }
  HWY_INLINE Quants quants(std::size_t half, int group, std::size_t at) const {
    const Quants low = unsigned_bytes(block + half * 64 + static_cast<std::size_t>(group % 2) * 32 + at);
    const Quants high = hn::ShiftRightSame(unsigned_bytes(block + 128 + half * 32 + at), 2 * group);
    const Quants q = hn::Or(low_bits(hn::ShiftRightSame(low, group / 2 * 4), 15), hn::ShiftLeft<4>(low_bits(high, 3)));
    return hn::Sub(q, number(32));
  }
};

template <typename Format>
struct Super : SuperBlock<Format> {
  static constexpr std::size_t kBytes = Format::kBytes;
};

template <typename Format>
void dequantize(const std::byte* blocks, std::size_t count, float* values) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(blocks);
  for (std::size_t i = 0; i < count; ++i, at += Format::kBytes, values += Format::kValues) {
    Storing taker{values};
    Format::decode(at, taker);
  }
}

template <typename Format>
void dots(const std::byte* blocks, std::size_t count, std::size_t rows, const float* x, float* results) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(blocks);
  const std::size_t stride = count * Format::kBytes;
  std::size_t r = 0;
  for (; r + 2 <= rows; r += 2, at += 2 * stride) {
    Multiplying first(x), second(x);
    const std::uint8_t* block = at;
    for (std::size_t i = 0; i < count; ++i, block += Format::kBytes) {
      Format::decode(block, first);
      Format::decode(block + stride, second);
      first.x += Format::kValues;
      second.x = first.x;
    }
    results[r] = first.total();
    results[r + 1] = second.total();
  }
  if (r == rows) return;
  Multiplying last(x);
  for (std::size_t i = 0; i < count; ++i, at += Format::kBytes, last.x += Format::kValues) Format::decode(at, last);
  results[r] = last.total();
}

template <typename Format>
constexpr BlockKernels kKernels = {dequantize<Format>, dots<Format>};

/// In the order of graph::kBlockDtypes.
constexpr std::array kBlockKernels = {
    kKernels<Nibbles<false, false>>,
    kKernels<Nibbles<false, true>>,
    kKernels<Nibbles<true, false>>,
    kKernels<Nibbles<true, true>>,
    kKernels<Bytes>,
    kKernels<Super<TwoBits>>,
    kKernels<Super<ThreeBits>>,
    kKernels<Super<FourBits>>,
    kKernels<Super<FiveBits>>,
    kKernels<Super<SixBits>>,
};

}  // namespace

const BlockKernels* block_kernel_table() { return kBlockKernels.data(); }

}  // namespace HWY_NAMESPACE
}  // namespace alknet::compute
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alknet::compute {

HWY_EXPORT(block_kernel_table);

const BlockKernels& block_kernels(graph::Dtype dtype) {
  const auto place = static_cast<std::size_t>(dtype) - static_cast<std::size_t>(graph::kBlockDtypes.front());
  return HWY_DYNAMIC_DISPATCH(block_kernel_table)()[place];
}

}  // namespace alknet::compute
#endif
