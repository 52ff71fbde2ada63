#include "alknet/schema/scalar.h"

#include <bit>
#include <cmath>
#include <limits>

#include "alknet/base/bytes.h"

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

/// The two 16-bit formats: a sign, `exponent_bits`, `mantissa_bits`.
struct SmallFloat {
  int exponent_bits;
  int mantissa_bits;
  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
};
constexpr SmallFloat kHalf{5, 10};
constexpr SmallFloat kBrain{8, 7};

double from_small(const SmallFloat& form, std::uint32_t bits) {
  const auto mantissa = bits & ((1U << form.mantissa_bits) - 1);
  const auto top = (1U << form.exponent_bits) - 1;
  const auto exponent = static_cast<int>((bits >> form.mantissa_bits) & top);
  const double sign = (bits >> 15) != 0 ? -1.0 : 1.0;
  if (exponent == static_cast<int>(top)) {
    return mantissa != 0 ? std::numeric_limits<double>::quiet_NaN() : sign * std::numeric_limits<double>::infinity();
  }
  const int scale = 1 - form.bias() - form.mantissa_bits;
  if (exponent == 0) return sign * std::ldexp(static_cast<double>(mantissa), scale);
  return sign * std::ldexp(static_cast<double>(mantissa | 1U << form.mantissa_bits), scale + exponent - 1);
}

/// Rounds once, from the double itself.
std::uint32_t to_small(const SmallFloat& form, double value) {
  const std::uint32_t sign = std::signbit(value) ? 0x8000U : 0;
  const std::uint32_t infinity = ((1U << form.exponent_bits) - 1) << form.mantissa_bits;
  if (std::isnan(value)) return sign | infinity | 1U << (form.mantissa_bits - 1);
  if (std::isinf(value)) return sign | infinity;
  if (value == 0) return sign;
  const int exponent = std::max(std::ilogb(value), 1 - form.bias());
  // In units of the last place; a round-up to the next power of two carries into the exponent by itself.
  const auto units =
      static_cast<std::uint64_t>(std::nearbyint(std::ldexp(std::fabs(value), form.mantissa_bits - exponent)));
  const auto biased = static_cast<std::uint64_t>(exponent + form.bias() - 1) << form.mantissa_bits;
  const auto bits = biased + units;
  return sign | static_cast<std::uint32_t>(std::min<std::uint64_t>(bits, infinity));
}

}  // namespace

std::int64_t load_integer(Kind kind, const std::byte* from, Endian endian) {
  const auto& row = info(kind);
  const auto bits = load_bits(row.size, from, endian);
  const int unused = 64 - 8 * row.size;
  if (row.min < 0) return static_cast<std::int64_t>(bits << unused) >> unused;
  return static_cast<std::int64_t>(bits);
}

void store_integer(Kind kind, std::byte* to, std::uint64_t value) {
  for (std::size_t i = 0; i < info(kind).size; ++i) to[i] = static_cast<std::byte>(value >> (8 * i));
}

double load_float(Kind kind, const std::byte* from, Endian endian) {
  const auto bits = load_bits(info(kind).size, from, endian);
  switch (kind) {
    case Kind::kFloat16: return from_small(kHalf, static_cast<std::uint32_t>(bits));
    case Kind::kBFloat16: return from_small(kBrain, static_cast<std::uint32_t>(bits));
    case Kind::kFloat32: return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    default: return std::bit_cast<double>(bits);
  }
}

bool store_float(Kind kind, std::byte* to, double value) {
  std::byte stored[8];
  switch (kind) {
    case Kind::kFloat16: store_le(stored, static_cast<std::uint16_t>(to_small(kHalf, value))); break;
    case Kind::kBFloat16: store_le(stored, static_cast<std::uint16_t>(to_small(kBrain, value))); break;
    case Kind::kFloat32: {
      // Half an ulp above the largest float is where rounding gives infinity; the conversion is undefined beyond.
      constexpr double kBeyond = 0x1.ffffffp127;
      if (std::isfinite(value) && std::fabs(value) >= kBeyond) return false;
      store_le(stored, static_cast<float>(value));
      break;
    }
    default: store_le(stored, value);
  }
  if (std::isfinite(value) && !std::isfinite(load_float(kind, stored))) return false;
  std::memcpy(to, stored, info(kind).size);
  return true;
}

std::uint32_t load_u32(const std::byte* from, Endian endian) {
  return endian == Endian::kLittle ? load_le<std::uint32_t>(from) : load_be<std::uint32_t>(from);
}

std::uint64_t load_u64(const std::byte* from, Endian endian) {
  return endian == Endian::kLittle ? load_le<std::uint64_t>(from) : load_be<std::uint64_t>(from);
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

}  // namespace alknet::schema
