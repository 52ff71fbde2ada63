#include "alknet/schema/scalar.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "alknet/base/bytes.h"
#include "alknet/base/float16.h"

namespace alknet::schema {
namespace {

constexpr std::int64_t kMaxSafe = (std::int64_t{1} << 53) - 1;

std::uint64_t load_bits(std::size_t size, const std::byte* from, Endian endian) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto byte = static_cast<std::uint64_t>(from[endian == Endian::kLittle ? size - 1 - i : i]);
    bits = bits << 8 | byte;
  }
  return bits;
}

/// The integer that canonical decimal text stands for, as its bits.
template <typename T>
std::optional<std::uint64_t> parse_digits(std::string_view text) {
  T value{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || std::to_string(value) != text) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

/// The bits of an integer kind's instance.
std::optional<std::uint64_t> integer_bits(Kind kind, const Json& value) {
  const auto& row = info(kind);
  if (const auto* text = value.if_string()) {
    if (kind == Kind::kInt64) return parse_digits<std::int64_t>(*text);
    if (kind == Kind::kUint64) return parse_digits<std::uint64_t>(*text);
    return std::nullopt;
  }
  if (const auto* number = value.if_double()) {
    if (!(*number >= row.min && *number <= row.max) || std::trunc(*number) != *number) return std::nullopt;
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(*number));
  }
  // The limits for numbers are at most 2^53-1 even of the 64-bit kinds, so they are exact.
  const auto low = static_cast<std::int64_t>(row.min), high = static_cast<std::int64_t>(row.max);
  if (const auto* number = value.if_uint64()) {
    return std::cmp_less_equal(*number, high) ? std::optional(*number) : std::nullopt;
  }
  const auto* number = value.if_int64();
  if (number == nullptr || *number < low || *number > high) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

/// The value of a float kind's instance.
std::optional<double> float_value(Kind kind, const Json& value) {
  if (const auto* text = value.if_string()) {
    if (*text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (*text == "Infinity") return std::numeric_limits<double>::infinity();
    if (*text == "-Infinity") return -std::numeric_limits<double>::infinity();
    return std::nullopt;
  }
  if (!value.is_number()) return std::nullopt;
  const auto number = value.to_number<double>();
  const auto& row = info(kind);
  if (!(number >= row.min && number <= row.max)) return std::nullopt;
  return number;
}

}  // namespace

std::int64_t load_integer(Kind kind, const std::byte* from, Endian endian) {
  const auto& row = info(kind);
  const auto bits = load_bits(row.size, from, endian);
  const int unused = 64 - 8 * row.size;
  if (row.min < 0) return static_cast<std::int64_t>(bits << unused) >> unused;
  return static_cast<std::int64_t>(bits);
}

void store_integer(Kind kind, std::byte* to, std::uint64_t value, Endian endian) {
  const std::size_t size = info(kind).size;
  for (std::size_t i = 0; i < size; ++i) {
    to[endian == Endian::kLittle ? i : size - 1 - i] = static_cast<std::byte>(value >> (8 * i));
  }
}

double load_float(Kind kind, const std::byte* from, Endian endian) {
  const auto bits = load_bits(info(kind).size, from, endian);
  switch (kind) {
    case Kind::kFloat16: return static_cast<double>(to_float(Half{static_cast<std::uint16_t>(bits)}));
    case Kind::kBFloat16: return static_cast<double>(to_float(BFloat16{static_cast<std::uint16_t>(bits)}));
    case Kind::kFloat32: return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    default: return std::bit_cast<double>(bits);
  }
}

bool store_float(Kind kind, std::byte* to, double value, Endian endian) {
  std::uint64_t bits = 0;
  switch (kind) {
    case Kind::kFloat16: bits = to_half(to_float_for_rounding(value)).bits; break;
    case Kind::kBFloat16: bits = to_bfloat16(to_float_for_rounding(value)).bits; break;
    case Kind::kFloat32: {
      // Half an ulp above the largest float is where rounding gives infinity; the conversion is undefined beyond.
      constexpr double kBeyond = 0x1.ffffffp127;
      if (std::isfinite(value) && std::fabs(value) >= kBeyond) return false;
      bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
      break;
    }
    default: bits = std::bit_cast<std::uint64_t>(value);
  }
  std::byte stored[8];
  store_integer(kind, stored, bits, endian);
  if (std::isfinite(value) && !std::isfinite(load_float(kind, stored, endian))) return false;
  std::memcpy(to, stored, info(kind).size);
  return true;
}

std::uint32_t load_u32(const std::byte* from, Endian endian) {
  return endian == Endian::kLittle ? load_le<std::uint32_t>(from) : load_be<std::uint32_t>(from);
}

std::uint64_t load_u64(const std::byte* from, Endian endian) {
  return endian == Endian::kLittle ? load_le<std::uint64_t>(from) : load_be<std::uint64_t>(from);
}

void store_u32(std::byte* to, std::uint32_t value, Endian endian) {
  endian == Endian::kLittle ? store_le(to, value) : store_be(to, value);
}

void store_u64(std::byte* to, std::uint64_t value, Endian endian) {
  endian == Endian::kLittle ? store_le(to, value) : store_be(to, value);
}

Json scalar_json(Kind kind, const std::byte* from, Endian endian) {
  if (info(kind).form == KindForm::kFloat) {
    const double value = load_float(kind, from, endian);
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
    return value;
  }
  const std::int64_t value = load_integer(kind, from, endian);
  if (kind == Kind::kUint64) {
    const auto bits = static_cast<std::uint64_t>(value);
    return bits > static_cast<std::uint64_t>(kMaxSafe) ? Json(std::to_string(bits)) : Json(bits);
  }
  if (value > kMaxSafe || value < -kMaxSafe) return Json(std::to_string(value));
  return value;
}

bool store_scalar_json(Kind kind, std::byte* to, const Json& value, Endian endian) {
  if (info(kind).form == KindForm::kFloat) {
    const auto number = float_value(kind, value);
    return number && store_float(kind, to, *number, endian);
  }
  const auto bits = integer_bits(kind, value);
  if (bits) store_integer(kind, to, *bits, endian);
  return bits.has_value();
}

}  // namespace alknet::schema
