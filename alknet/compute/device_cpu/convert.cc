#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "alknet/compute/device_cpu/convert.cc"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "alknet/compute/device_cpu/convert.h"
#include "alknet/compute/device_cpu/convert_value.h"
#include "alknet/compute/device_cpu/storage_type.h"

#ifndef ALKNET_COMPUTE_DEVICE_CPU_CONVERSION_
#define ALKNET_COMPUTE_DEVICE_CPU_CONVERSION_
namespace alknet::compute {
enum class Conversion { kLoad, kStore, kCopy, kCast };
}
#endif

HWY_BEFORE_NAMESPACE();
namespace alknet::compute {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// What a tile holds for an element of T.
template <typename T>
struct Register {
  using Type = T;
};
template <>
struct Register<std::int8_t> {
  using Type = std::int32_t;
};
template <>
struct Register<std::uint8_t> {
  using Type = std::int32_t;
};
template <>
struct Register<Half> {
  using Type = float;
};
template <>
struct Register<BFloat16> {
  using Type = float;
};

struct Plain {
  template <typename To, typename From>
  static To convert(From value) {
    return convert_value<To>(value);
  }
};
/// Through the range and precision of T, into T's register.
template <typename T>
struct Through {
  template <typename To, typename From>
  static To convert(From value) {
    return convert_value<To>(convert_value<T>(value));
  }
};

// F16C converts f16 in hardware; it comes with AVX2.
constexpr bool kHardwareHalf = HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3;

/// As many elements as fill whole vectors; returns how many were converted.
[[maybe_unused]] inline std::size_t convert_half_vectors([[maybe_unused]] const void* from, [[maybe_unused]] void* to,
                                                         [[maybe_unused]] std::size_t count,
                                                         [[maybe_unused]] bool widen) {
  std::size_t i = 0;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  const hn::ScalableTag<float> df;
  const hn::Rebind<hwy::float16_t, decltype(df)> dh;
  for (; i + hn::Lanes(df) <= count; i += hn::Lanes(df)) {
    if (widen) {
      hn::StoreU(hn::PromoteTo(df, hn::LoadU(dh, static_cast<const hwy::float16_t*>(from) + i)), df,
                 static_cast<float*>(to) + i);
    } else {
      hn::StoreU(hn::DemoteTo(dh, hn::LoadU(df, static_cast<const float*>(from) + i)), dh,
                 static_cast<hwy::float16_t*>(to) + i);
    }
  }
#endif
  return i;
}

template <typename From, typename To, typename How>
void convert(const void* from, std::int64_t stride, void* to, std::size_t count) {
  const From* source = static_cast<const From*>(from);
  To* target = static_cast<To*>(to);
  if (stride == 0) {
    if (count > 0) std::fill_n(target, count, How::template convert<To>(*source));
    return;
  }
  if (stride != 1) {
    for (std::size_t i = 0; i < count; ++i, source += stride) target[i] = How::template convert<To>(*source);
    return;
  }
  std::size_t i = 0;
  if constexpr (kHardwareHalf && std::is_same_v<From, Half> && std::is_same_v<To, float>) {
    i = convert_half_vectors(from, to, count, true);
  } else if constexpr (kHardwareHalf && std::is_same_v<From, float> && std::is_same_v<To, Half>) {
    i = convert_half_vectors(from, to, count, false);
  } else if constexpr (std::is_same_v<From, To> && std::is_same_v<How, Plain>) {
    std::memcpy(target, source, count * sizeof(To));
    return;
  }
  for (; i < count; ++i) target[i] = How::template convert<To>(source[i]);
}

ConvertFunction load(Dtype storage) {
  return visit_storage(storage, [](auto element) -> ConvertFunction {
    using T = decltype(element);
    return convert<T, typename Register<T>::Type, Plain>;
  });
}

ConvertFunction store(Dtype storage) {
  return visit_storage(storage, [](auto element) -> ConvertFunction {
    using T = decltype(element);
    return convert<typename Register<T>::Type, T, Plain>;
  });
}

ConvertFunction copy(Dtype storage) {
  return visit_storage(storage, [](auto element) -> ConvertFunction {
    using T = decltype(element);
    return convert<T, T, Plain>;
  });
}

ConvertFunction cast(Dtype from, Dtype to) {
  return visit_storage(register_dtype(from), [&](auto source) -> ConvertFunction {
    using From = decltype(source);
    return visit_storage(to, [](auto target) -> ConvertFunction {
      using To = decltype(target);
      // Sources here are registers, so the narrow types below stand for themselves only as targets.
      if constexpr (std::is_same_v<From, typename Register<From>::Type>) {
        return convert<From, typename Register<To>::Type, Through<To>>;
      } else {
        return nullptr;
      }
    });
  });
}

}  // namespace

ConvertFunction select_conversion(Conversion conversion, Dtype from, Dtype to) {
  switch (conversion) {
    case Conversion::kLoad: return load(from);
    case Conversion::kStore: return store(to);
    case Conversion::kCopy: return copy(from);
    case Conversion::kCast: return cast(from, to);
  }
  return nullptr;
}

void stream(const void* from, void* to, std::size_t bytes) {
  const hn::ScalableTag<std::uint32_t> d;
  const auto* source = static_cast<const std::uint32_t*>(from);
  auto* target = static_cast<std::uint32_t*>(to);
  for (std::size_t i = 0; i < bytes / sizeof(std::uint32_t); i += hn::Lanes(d)) {
    hn::Stream(hn::LoadU(d, source + i), d, target + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace alknet::compute
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace alknet::compute {

HWY_EXPORT(select_conversion);
HWY_EXPORT(stream);

namespace {
ConvertFunction conversion(Conversion kind, Dtype from, Dtype to) {
  return HWY_DYNAMIC_DISPATCH(select_conversion)(kind, from, to);
}
}  // namespace

ConvertFunction load_function(Dtype storage) { return conversion(Conversion::kLoad, storage, storage); }
ConvertFunction store_function(Dtype storage) { return conversion(Conversion::kStore, storage, storage); }
ConvertFunction copy_function(Dtype storage) { return conversion(Conversion::kCopy, storage, storage); }
ConvertFunction cast_function(Dtype from, Dtype to) { return conversion(Conversion::kCast, from, to); }

void stream_bytes(const void* from, void* to, std::size_t bytes) { HWY_DYNAMIC_DISPATCH(stream)(from, to, bytes); }
void finish_streams() { hwy::FlushStream(); }

bool same_in_tile(Dtype from, Dtype to) {
  return from == to || (to == register_dtype(to) && to == register_dtype(from));
}

}  // namespace alknet::compute
#endif
