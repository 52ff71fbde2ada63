// What kernels on weights in blocks read alike, for the instruction set that Highway compiles for at present.

#if defined(ALKNET_COMPUTE_DEVICE_CPU_BLOCK_VALUES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ALKNET_COMPUTE_DEVICE_CPU_BLOCK_VALUES_INL_H_
#undef ALKNET_COMPUTE_DEVICE_CPU_BLOCK_VALUES_INL_H_
#else
#define ALKNET_COMPUTE_DEVICE_CPU_BLOCK_VALUES_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <cstring>

#include "alknet/base/float16.h"

HWY_BEFORE_NAMESPACE();
namespace alknet::compute {
namespace HWY_NAMESPACE {

/// The f16 at any place, as f32.
HWY_INLINE float half_at(const std::uint8_t* from) {
  std::uint16_t bits;
  std::memcpy(&bits, from, sizeof bits);
#if HWY_TARGET <= HWY_AVX2
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::FixedTag<float, 4> d;
  const auto half =
      hn::BitCast(hn::Rebind<hwy::float16_t, decltype(d)>(), hn::Set(hn::FixedTag<std::uint16_t, 4>(), bits));
  return hn::GetLane(hn::PromoteTo(d, half));
#else
  return to_float(Half{bits});
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace alknet::compute
HWY_AFTER_NAMESPACE();

#endif  // ALKNET_COMPUTE_DEVICE_CPU_BLOCK_VALUES_INL_H_
