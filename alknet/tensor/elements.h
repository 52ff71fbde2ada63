#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "alknet/schema/file_dtype.h"

namespace alknet::tensor {

/// The numbers in an entry's bytes, for printing and statistics; all 22 dtypes. `index` counts elements and must be
/// inside `bytes`. Sub-byte elements are packed without gaps, the first in the lowest bits.

/// The bits of a sub-byte element of `width` bits.
std::uint32_t element_bits(std::span<const std::byte> bytes, std::uint64_t index, std::uint32_t width);

/// The element as a double: exact but for I64 and U64 beyond 2^53. BOOL gives 0 or 1; C64 its real part.
double element_number(schema::FileDtype dtype, std::span<const std::byte> bytes, std::uint64_t index);

/// Appends the element's JSON text: a number; "NaN", "Infinity", "-Infinity" as strings, as schemas have them; true or
/// false for BOOL; [re, im] for C64; a string of digits for integers beyond 2^53 - 1. Throws `bad_boolean`.
void append_element(std::string& text, schema::FileDtype dtype, std::span<const std::byte> bytes, std::uint64_t index);

/// Minimum and maximum of an entry.
struct ElementStatistics {
  double min = 0;
  double max = 0;
  std::uint64_t numbers = 0;  ///< Elements that are numbers; without any, min and max say nothing.
  std::uint64_t nans = 0;
};
ElementStatistics element_statistics(schema::FileDtype dtype, std::span<const std::byte> bytes, std::uint64_t count);

}  // namespace alknet::tensor
