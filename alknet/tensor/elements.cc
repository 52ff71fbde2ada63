#include "alknet/tensor/elements.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <type_traits>
#include <utility>

#include "alknet/base/bytes.h"
#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/schema/error.h"

namespace alknet::tensor {
namespace {

using enum schema::FileDtype;

constexpr std::int64_t kMaxExactInteger = (std::int64_t{1} << 53) - 1;

/// What the bit patterns of a small float mean besides numbers.
enum class Specials {
  kIeee,      // the highest exponent holds infinities and NaN
  kNone,      // every pattern is a number
  kLastNan,   // only all-ones exponent and mantissa are NaN
  kMinusNan,  // only the pattern of minus zero is NaN
};

/// A binary float of at most 16 bits: sign (where the width leaves room), exponent, mantissa.
struct SmallFloat {
  schema::FileDtype dtype;
  int exponent_bits;
  int mantissa_bits;
  int bias;
  Specials specials;
};

// OCP Microscaling Formats 1.0 (F4, F6, E8M0), OCP 8-bit floating point 1.0, and the FNUZ forms of their predecessors.
constexpr SmallFloat kSmallFloats[] = {
    {kF4, 2, 1, 1, Specials::kNone},
    {kF6E2M3, 2, 3, 1, Specials::kNone},
    {kF6E3M2, 3, 2, 3, Specials::kNone},
    {kF8E5M2, 5, 2, 15, Specials::kIeee},
    {kF8E4M3, 4, 3, 7, Specials::kLastNan},
    {kF8E4M3Fnuz, 4, 3, 8, Specials::kMinusNan},
    {kF8E5M2Fnuz, 5, 2, 16, Specials::kMinusNan},
    {kF16, 5, 10, 15, Specials::kIeee},
    {kBF16, 8, 7, 127, Specials::kIeee},
};

double decode(const SmallFloat& form, std::uint32_t bits) {
  const std::uint32_t mantissa = bits & ((1U << form.mantissa_bits) - 1);
  const std::uint32_t top = (1U << form.exponent_bits) - 1;
  const std::uint32_t exponent = (bits >> form.mantissa_bits) & top;
  const bool negative = ((bits >> (form.mantissa_bits + form.exponent_bits)) & 1) != 0;
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  if (form.specials == Specials::kMinusNan && negative && exponent == 0 && mantissa == 0) return kNan;
  if (form.specials == Specials::kLastNan && exponent == top && mantissa == (1U << form.mantissa_bits) - 1) return kNan;
  double magnitude;
  if (form.specials == Specials::kIeee && exponent == top) {
    if (mantissa != 0) return kNan;
    magnitude = std::numeric_limits<double>::infinity();
  } else if (exponent == 0) {
    magnitude = std::ldexp(mantissa, 1 - form.bias - form.mantissa_bits);
  } else {
    magnitude =
        std::ldexp(mantissa + (1U << form.mantissa_bits), static_cast<int>(exponent) - form.bias - form.mantissa_bits);
  }
  return negative ? -magnitude : magnitude;
}

double small_float(schema::FileDtype dtype, std::span<const std::byte> bytes, std::uint64_t index) {
  const std::uint32_t width = schema::info(dtype).bits;
  const std::uint32_t bits =
      width == 16 ? load_le<std::uint16_t>(bytes.data() + 2 * index) : element_bits(bytes, index, width);
  if (dtype == kF8E8M0) return bits == 0xFF ? std::nan("") : std::ldexp(1.0, static_cast<int>(bits) - 127);
  return decode(*std::ranges::find(kSmallFloats, dtype, &SmallFloat::dtype), bits);
}

template <typename T>
T load(std::span<const std::byte> bytes, std::uint64_t index) {
  return load_le<T>(bytes.data() + index * sizeof(T));
}

void append_number(std::string& text, double number) {
  if (std::isnan(number)) {
    text += "\"NaN\"";
  } else if (std::isinf(number)) {
    text += number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    text += number_text(number);
  }
}

template <typename Integer>
void append_integer(std::string& text, Integer number) {
  using Wide = std::conditional_t<std::is_signed_v<Integer>, std::int64_t, std::uint64_t>;
  const bool exact = std::cmp_less_equal(number, kMaxExactInteger) && std::cmp_greater_equal(number, -kMaxExactInteger);
  const std::string_view quote = exact ? "" : "\"";
  fmt::format_to(std::back_inserter(text), "{}{}{}", quote, Wide{number}, quote);
}

void append_boolean(std::string& text, std::span<const std::byte> bytes, std::uint64_t index) {
  const auto value = load<std::uint8_t>(bytes, index);
  if (value > 1) {
    throw Error(schema::SchemaError::kBadBoolean,
                fmt::format("element {} of a BOOL entry is {}: a boolean is 0 or 1", index, value),
                JsonObject{{"index", index}});
  }
  text += value == 1 ? "true" : "false";
}

template <typename Number>
ElementStatistics statistics(std::uint64_t count, Number number) {
  ElementStatistics result{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), 0, 0};
  for (std::uint64_t i = 0; i < count; ++i) {
    const double value = number(i);
    result.min = std::min(result.min, value);  // a NaN on the right leaves the left
    result.max = std::max(result.max, value);
    result.nans += std::isnan(value) ? 1 : 0;
  }
  result.numbers = count - result.nans;
  return result;
}

}  // namespace

std::uint32_t element_bits(std::span<const std::byte> bytes, std::uint64_t index, std::uint32_t width) {
  const std::uint64_t first = index * width;
  std::uint32_t window = std::to_integer<std::uint32_t>(bytes[first / 8]);
  if (first / 8 + 1 < bytes.size()) window |= std::to_integer<std::uint32_t>(bytes[first / 8 + 1]) << 8;
  return (window >> (first % 8)) & ((1U << width) - 1);
}

double element_number(schema::FileDtype dtype, std::span<const std::byte> bytes, std::uint64_t index) {
  switch (dtype) {
    case kBool:
    case kU8: return load<std::uint8_t>(bytes, index);
    case kI8: return load<std::int8_t>(bytes, index);
    case kI16: return load<std::int16_t>(bytes, index);
    case kU16: return load<std::uint16_t>(bytes, index);
    case kI32: return load<std::int32_t>(bytes, index);
    case kU32: return load<std::uint32_t>(bytes, index);
    case kI64: return static_cast<double>(load<std::int64_t>(bytes, index));
    case kU64: return static_cast<double>(load<std::uint64_t>(bytes, index));
    case kF32: return load<float>(bytes, index);
    case kF64: return load<double>(bytes, index);
    case kC64: return load<float>(bytes, 2 * index);
    default: return small_float(dtype, bytes, index);
  }
}

void append_element(std::string& text, schema::FileDtype dtype, std::span<const std::byte> bytes, std::uint64_t index) {
  switch (dtype) {
    case kBool: return append_boolean(text, bytes, index);
    case kU8: return append_integer(text, load<std::uint8_t>(bytes, index));
    case kI8: return append_integer(text, load<std::int8_t>(bytes, index));
    case kU16: return append_integer(text, load<std::uint16_t>(bytes, index));
    case kI16: return append_integer(text, load<std::int16_t>(bytes, index));
    case kU32: return append_integer(text, load<std::uint32_t>(bytes, index));
    case kI32: return append_integer(text, load<std::int32_t>(bytes, index));
    case kU64: return append_integer(text, load<std::uint64_t>(bytes, index));
    case kI64: return append_integer(text, load<std::int64_t>(bytes, index));
    case kC64:
      text += '[';
      append_number(text, load<float>(bytes, 2 * index));
      text += ',';
      append_number(text, load<float>(bytes, 2 * index + 1));
      text += ']';
      return;
    default: return append_number(text, element_number(dtype, bytes, index));
  }
}

ElementStatistics element_statistics(schema::FileDtype dtype, std::span<const std::byte> bytes, std::uint64_t count) {
  if (dtype == kF32) {
    return statistics(count, [&](std::uint64_t i) -> double { return load<float>(bytes, i); });
  }
  return statistics(count, [&](std::uint64_t i) { return element_number(dtype, bytes, i); });
}

}  // namespace alknet::tensor
