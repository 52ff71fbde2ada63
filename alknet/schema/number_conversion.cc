#include "alknet/schema/number_conversion.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "alknet/base/bytes.h"
#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/schema/error.h"
#include "alknet/schema/scalar.h"

namespace alknet::schema {
namespace {

/// The stored form of a kind: a C++ number, or the bits of a float that C++ lacks.
template <Kind kKind>
struct Stored;
template <>
struct Stored<Kind::kInt8> : std::type_identity<std::int8_t> {};
template <>
struct Stored<Kind::kUint8> : std::type_identity<std::uint8_t> {};
template <>
struct Stored<Kind::kInt16> : std::type_identity<std::int16_t> {};
template <>
struct Stored<Kind::kUint16> : std::type_identity<std::uint16_t> {};
template <>
struct Stored<Kind::kInt32> : std::type_identity<std::int32_t> {};
template <>
struct Stored<Kind::kUint32> : std::type_identity<std::uint32_t> {};
template <>
struct Stored<Kind::kInt64> : std::type_identity<std::int64_t> {};
template <>
struct Stored<Kind::kUint64> : std::type_identity<std::uint64_t> {};
template <>
struct Stored<Kind::kFloat16> : std::type_identity<double> {};
template <>
struct Stored<Kind::kBFloat16> : std::type_identity<double> {};
template <>
struct Stored<Kind::kFloat32> : std::type_identity<float> {};
template <>
struct Stored<Kind::kFloat64> : std::type_identity<double> {};

template <Kind kKind>
constexpr bool kIsShort = kKind == Kind::kFloat16 || kKind == Kind::kBFloat16;

/// Integers as they are, floats as doubles.
template <Kind kKind>
auto load(const std::byte* from) {
  using T = typename Stored<kKind>::type;
  if constexpr (kIsShort<kKind>) {
    return load_float(kKind, from);
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<double>(load_le<T>(from));
  } else {
    return load_le<T>(from);
  }
}

template <typename To>
bool store_as_integer(double value, std::byte* to, bool saturate) {
  using Limits = std::numeric_limits<To>;
  const double beyond = std::ldexp(1.0, Limits::digits);  // one above the largest
  const double least = static_cast<double>(Limits::min());
  if (std::isnan(value)) return false;
  if (value < least || value >= beyond) {
    if (!saturate) return false;
    store_le(to, value < least ? Limits::min() : Limits::max());
    return true;
  }
  if (value != std::trunc(value)) return false;
  store_le(to, static_cast<To>(value));
  return true;
}

template <Kind kTo>
bool store_as_float(double value, std::byte* to, bool saturate) {
  if (store_float(kTo, to, value)) return true;
  return saturate && store_float(kTo, to, std::copysign(info(kTo).max, value));
}

/// Whether a double is that integer.
template <typename Integer>
bool is_same(double number, Integer value) {
  return number >= -0x1p64 && number <= 0x1p64 && static_cast<__int128>(number) == static_cast<__int128>(value);
}

template <Kind kTo, typename Integer>
bool store_integer_as_float(Integer value, std::byte* to, bool saturate) {
  const auto number = static_cast<double>(value);
  if (!store_float(kTo, to, number)) return store_as_float<kTo>(number, to, saturate);
  return is_same(load_float(kTo, to), value);
}

template <Kind kFrom, Kind kTo>
bool convert_one(const std::byte* from, std::byte* to, bool saturate) {
  using To = typename Stored<kTo>::type;
  const auto value = load<kFrom>(from);
  constexpr bool kFromFloat = std::is_same_v<decltype(load<kFrom>(from)), double>;
  constexpr bool kToFloat = std::is_floating_point_v<To>;
  if constexpr (kFromFloat && kToFloat) {
    if constexpr (kTo == Kind::kFloat64) {
      store_le(to, value);
      return true;
    } else {
      return store_as_float<kTo>(value, to, saturate);
    }
  } else if constexpr (kFromFloat) {
    return store_as_integer<To>(value, to, saturate);
  } else if constexpr (kToFloat) {
    return store_integer_as_float<kTo>(value, to, saturate);
  } else {
    if (std::in_range<To>(value)) {
      store_le(to, static_cast<To>(value));
    } else if (saturate) {
      using Limits = std::numeric_limits<To>;
      store_le(to, std::cmp_less(value, Limits::min()) ? Limits::min() : Limits::max());
    } else {
      return false;
    }
    return true;
  }
}

template <Kind kFrom, Kind kTo>
std::optional<std::uint64_t> run_pair(const std::byte* from, std::uint64_t from_stride, std::byte* to,
                                      std::uint64_t to_stride, std::uint64_t count, bool saturate) {
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!convert_one<kFrom, kTo>(from + i * from_stride, to + i * to_stride, saturate)) return i;
  }
  return std::nullopt;
}

/// Kinds kInt8 to kFloat64 follow each other.
constexpr auto kFirst = static_cast<std::size_t>(Kind::kInt8);
constexpr auto kNumbers = static_cast<std::size_t>(Kind::kFloat64) - kFirst + 1;

template <std::size_t... kPairs>
constexpr std::array<NumberConversion::Run, sizeof...(kPairs)> make_table(std::index_sequence<kPairs...>) {
  return {&run_pair<static_cast<Kind>(kPairs / kNumbers + kFirst), static_cast<Kind>(kPairs % kNumbers + kFirst)>...};
}
constexpr auto kRuns = make_table(std::make_index_sequence<kNumbers * kNumbers>());

}  // namespace

NumberConversion::NumberConversion(Kind from, Kind to, bool saturate)
    : from_(from),
      to_(to),
      saturate_(saturate),
      run_(kRuns.at((static_cast<std::size_t>(from) - kFirst) * kNumbers + static_cast<std::size_t>(to) - kFirst)) {}

std::string NumberConversion::reason(const std::byte* from) const {
  const Json value = scalar_json(from_, from, Endian::kLittle);
  const std::string text = value.is_string() ? std::string(value.get_string()) : json_text(value);
  const bool to_float = info(to_).form == KindForm::kFloat;
  const double number = info(from_).form == KindForm::kFloat ? load_float(from_, from) : 0;
  if (std::isnan(number)) return fmt::format("NaN is no {}", name(to_));
  std::byte ignored[8];
  const bool fits_when_clamped = !NumberConversion(from_, to_, true).run(from, 0, ignored, 0, 1);
  if (fits_when_clamped) return fmt::format("{} is beyond {}: saturate it", text, name(to_));
  if (to_float) return fmt::format("{} is not exactly a {}: convert it by `round`", text, name(to_));
  return fmt::format("{} has a fraction: convert it by `round`", text);
}

void store_number(Kind to, const Json& number, bool saturate, std::byte* into) {
  std::byte stored[8];
  Kind from = Kind::kFloat64;
  if (number.is_double() || info(to).form == KindForm::kFloat) {
    store_le(stored, number.to_number<double>());
  } else if (number.is_uint64()) {
    from = Kind::kUint64;
    store_le(stored, number.get_uint64());
  } else {
    from = Kind::kInt64;
    store_le(stored, number.get_int64());
  }
  const NumberConversion conversion(from, to, saturate);
  if (conversion.run(stored, 0, into, 0, 1)) throw Error(SchemaError::kInstanceInvalid, conversion.reason(stored));
}

}  // namespace alknet::schema
