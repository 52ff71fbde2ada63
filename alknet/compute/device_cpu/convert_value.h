#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "alknet/base/float16.h"

namespace alknet::compute {

/// An integer as binary64, "to odd" like to_float_for_rounding.
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
