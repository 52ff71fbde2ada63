#pragma once

#include <span>
#include <string_view>

namespace alknet::compute {

/// A function that kernels may call and WGSL lacks or leaves loose; `wgsl_helpers` adds those that a kernel calls. A
/// row may call those above it in its table and all of the tables declared above its own.
struct WgslHelper {
  std::string_view call;  ///< Its name and "(".
  std::string_view text;
};

/// What every number needs: its bits, NaN, limits, conversions and remainders.
std::span<const WgslHelper> wgsl_number_helpers();

/// Arithmetic of integers in one word.
std::span<const WgslHelper> wgsl_integer_helpers();

/// 16-bit floats packed in words.
std::span<const WgslHelper> wgsl_packed_helpers();

/// Angles of any size, and inverse functions.
std::span<const WgslHelper> wgsl_trigonometry_helpers();

/// Exponentials, logarithms, powers and hyperbolic functions.
std::span<const WgslHelper> wgsl_exponential_helpers();

/// Error, gamma and zeta functions.
std::span<const WgslHelper> wgsl_special_function_helpers();

/// i64 as vec2<u32>: sums, products, quotients, comparisons and conversions.
std::span<const WgslHelper> wgsl_wide_integer_helpers();

}  // namespace alknet::compute
