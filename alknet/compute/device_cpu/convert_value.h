#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace alknet::compute {

/// Storage of an f16 or bf16 element.
struct Half {
  std::uint16_t bits;
};
struct BFloat16 {
  std::uint16_t bits;
};

/// IEEE binary16 to binary32, exact.
inline float to_float(Half half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half.bits & 0x8000U) << 16;
  const std::uint32_t magnitude = half.bits & 0x7FFFU;
  if (magnitude >= 0x7C00U) return std::bit_cast<float>(sign | 0x7F800000U | (magnitude & 0x3FFU) << 13);
  // The exponent's bias differs by 112; multiplying makes denormals right as well.
  const float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112F;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(scaled) | sign);
}

/// binary32 to binary16, to nearest, ties to even; overflow gives infinity.
inline Half to_half(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  std::uint32_t result;
  if (magnitude > 0x7F800000U) {
    result = 0x7E00U | (magnitude >> 13 & 0x3FFU);
  } else if (magnitude >= 0x477FF000U) {
    result = 0x7C00U;
  } else if (magnitude < 0x38800000U) {
    // Denormal: adding 0.5 puts the unit of binary16's denormals into the last bit of a float.
    result = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3F000000U;
  } else {
    result = (magnitude - 0x38000000U + 0xFFFU + (magnitude >> 13 & 1U)) >> 13;
  }
  return {static_cast<std::uint16_t>(sign | result)};
}

inline float to_float(BFloat16 value) { return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16); }

/// binary32 to bfloat16, to nearest, ties to even.
inline BFloat16 to_bfloat16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const bool nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
  const std::uint32_t rounded = nan ? bits | 0x400000U : bits + 0x7FFFU + (bits >> 16 & 1U);
  return {static_cast<std::uint16_t>(rounded >> 16)};
}

/// binary64 to binary32 with the last bit set where that is inexact ("to odd"): rounding the result to nearest in a
/// format at least two bits shorter is then as rounding `value` itself, instead of rounding twice.
inline float to_float_for_rounding(double value) {
  const float nearest = static_cast<float>(value);
  if (static_cast<double>(nearest) == value || value != value) return nearest;
  const bool too_large = std::fabs(static_cast<double>(nearest)) > std::fabs(value);
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(nearest) - (too_large ? 1U : 0U)) | 1U);
}

/// An integer as binary64, "to odd" like the above.
template <typename Integer>
double to_double_for_rounding(Integer value) {
  if constexpr (sizeof(Integer) == 8) {
    if (value >= 1LL << 53 || value <= -(1LL << 53))
      value = (value & ~0x7FFLL) | ((value & 0x7FFLL) != 0 ? 0x800LL : 0);
  }
  return static_cast<double>(value);
}

/// `value` as a float that may be rounded once more.
template <typename From>
float to_float_for_half(From value) {
  if constexpr (std::is_same_v<From, float>)
    return value;
  else if constexpr (std::is_same_v<From, double>)
    return to_float_for_rounding(value);
  else
    return to_float_for_rounding(to_double_for_rounding(value));
}

/// The operation `cast`: floats to integers truncate and saturate (NaN gives 0), integers wrap, bool is `value != 0`.
template <typename To, typename From>
To convert_value(From value) {
  if constexpr (std::is_same_v<From, Half> || std::is_same_v<From, BFloat16>) {
    if constexpr (std::is_same_v<To, From>)
      return value;
    else
      return convert_value<To>(to_float(value));
  } else if constexpr (std::is_same_v<To, Half>) {
    return to_half(to_float_for_half(value));
  } else if constexpr (std::is_same_v<To, BFloat16>) {
    return to_bfloat16(to_float_for_half(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From{};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // 2^digits is the first value that is too large, and exact in every float type.
    const From limit = std::ldexp(From{1}, std::numeric_limits<To>::digits);
    if (!(value < limit)) return value != value ? To{0} : std::numeric_limits<To>::max();
    if (value <= static_cast<From>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    return static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

/// a / b; an integer divided by 0 stays, as in WGSL, and the quotient that does not fit wraps.
template <typename T>
T divide_value(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return a / b;
  } else {
    if (b == 0) return a;
    if constexpr (std::is_signed_v<T>) {
      using Unsigned = std::make_unsigned_t<T>;
      if (b == -1) return static_cast<T>(Unsigned{0} - static_cast<Unsigned>(a));
    }
    return static_cast<T>(a / b);
  }
}

/// The remainder of a division that truncates, as C's % and fmod; of an integer by 0 it is 0.
template <typename T>
T remainder_value(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::fmod(a, b);
  } else {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return 0;
    }
    return static_cast<T>(a % b);
  }
}

}  // namespace alknet::compute
