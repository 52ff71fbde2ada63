#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "alknet/compute/device_cpu/byte_row.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <bit>
#include <cstring>

#include "alknet/compute/device_cpu/byte_row.h"

HWY_BEFORE_NAMESPACE();
namespace alknet::compute {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kGroup = 32;

}  // namespace

bool round_row(const float* x, std::size_t depth, const ByteRow& row) {
  using Floats = hn::CappedTag<float, 16>;
  const Floats d;
  const hn::Rebind<std::int32_t, Floats> words;
  const hn::Rebind<std::uint32_t, Floats> bits;
  const hn::Rebind<std::int8_t, Floats> bytes;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  constexpr auto kInfinite = 0x7F800000U, kSmall = 0x0D800000U;  // 2^-100
  for (std::size_t g = 0; g * kGroup < depth; ++g, x += kGroup) {
    auto most = hn::Zero(bits);  // NaN and infinity are the largest
    for (std::size_t i = 0; i < kGroup; i += kLanes) {
      most = hn::Max(most, hn::BitCast(bits, hn::Abs(hn::LoadU(d, x + i))));
    }
    const std::uint32_t largest = hn::GetLane(hn::MaxOfLanes(bits, most));
    if (largest >= kInfinite || (largest != 0 && largest < kSmall)) return false;
    const float magnitude = std::bit_cast<float>(largest);
    const auto inverse = hn::Set(d, largest == 0 ? 0 : 127 / magnitude);
    const float scale = magnitude / 127;
    row.scales[g] = scale;
    row.sums[g] = 0;
    for (std::size_t half = 0; half < 2; ++half) {
      auto sum = hn::Zero(words);
      for (std::size_t i = half * 16; i < half * 16 + 16; i += kLanes) {
        const auto rounded = hn::NearestInt(hn::Mul(hn::LoadU(d, x + i), inverse));
        sum = hn::Add(sum, rounded);
        hn::StoreU(hn::DemoteTo(bytes, rounded), bytes, row.values + g * kGroup + i);
      }
      const float of_half = scale * static_cast<float>(hn::GetLane(hn::SumOfLanes(words, sum)));
      row.half_sums[2 * g + half] = of_half;
      row.sums[g] += of_half;
    }
  }
  return true;
}

}  // namespace HWY_NAMESPACE
}  // namespace alknet::compute
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alknet::compute {

HWY_EXPORT(round_row);

bool round_to_bytes(const float* x, std::size_t depth, const ByteRow& row) {
  return HWY_DYNAMIC_DISPATCH(round_row)(x, depth, row);
}

namespace {

constexpr std::size_t kAlignment = 64;
/// Kernels read scales and values a vector at a time.
constexpr std::size_t kPadding = 16;

std::size_t round_up_to(std::size_t value, std::size_t step) { return (value + step - 1) / step * step; }

struct RowParts {
  std::size_t scales_at, sums_at, half_sums_at, total;
};
RowParts parts_of_row(std::size_t depth) {
  const std::size_t scales = round_up_to(depth / 32, kPadding) + kPadding;
  const auto bytes = [](std::size_t floats) { return floats * sizeof(float); };
  RowParts parts{};
  parts.scales_at = round_up_to(depth, kAlignment) + kAlignment;
  parts.sums_at = parts.scales_at + bytes(scales);
  parts.half_sums_at = parts.sums_at + bytes(scales);
  parts.total = parts.half_sums_at + bytes(2 * scales);
  return parts;
}

}  // namespace

std::size_t byte_row_bytes(std::size_t depth) { return parts_of_row(depth).total; }

ByteRow byte_row_at(std::byte* memory, std::size_t depth) {
  const RowParts parts = parts_of_row(depth);
  const auto floats = [&](std::size_t at) { return reinterpret_cast<float*>(memory + at); };
  const auto zero = [&](std::size_t begin, std::size_t end) { std::memset(memory + begin, 0, end - begin); };
  zero(depth, parts.scales_at);
  zero(parts.scales_at + depth / 32 * sizeof(float), parts.sums_at);
  zero(parts.sums_at + depth / 32 * sizeof(float), parts.half_sums_at);
  return {reinterpret_cast<std::int8_t*>(memory), floats(parts.scales_at), floats(parts.sums_at),
          floats(parts.half_sums_at)};
}

}  // namespace alknet::compute
#endif
