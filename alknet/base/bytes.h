#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

namespace alknet {

/// Reads a number stored little-endian at `from`, which needs no alignment.
template <typename T>
requires std::is_trivially_copyable_v<T> T load_le(const std::byte* from) {
  static_assert(std::endian::native == std::endian::little, "alknet supports little-endian machines");
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// Writes a number little-endian to `to`, which needs no alignment.
template <typename T>
requires std::is_trivially_copyable_v<T>
void store_le(std::byte* to, T value) { std::memcpy(to, &value, sizeof value); }

/// Reads a number stored big-endian.
template <typename T>
requires std::is_trivially_copyable_v<T> T load_be(const std::byte* from) {
  std::byte reversed[sizeof(T)];
  for (std::size_t i = 0; i < sizeof(T); ++i) reversed[i] = from[sizeof(T) - 1 - i];
  return load_le<T>(reversed);
}

/// Writes a number big-endian.
template <typename T>
requires std::is_trivially_copyable_v<T>
void store_be(std::byte* to, T value) {
  std::byte native[sizeof(T)];
  store_le(native, value);
  for (std::size_t i = 0; i < sizeof(T); ++i) to[i] = native[sizeof(T) - 1 - i];
}

/// a + b, or nothing when that does not fit.
template <std::integral T>
std::optional<T> checked_add(T a, T b) {
  T sum;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

/// a * b, or nothing when that does not fit.
template <std::integral T>
std::optional<T> checked_mul(T a, T b) {
  T product;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// The smallest multiple of `alignment` (a power of two) that is >= value, or nothing when that does not fit.
template <std::unsigned_integral T>
std::optional<T> align_up(T value, T alignment) {
  const auto sum = checked_add<T>(value, alignment - 1);
  if (!sum) return std::nullopt;
  return *sum & ~(alignment - 1);
}

}  // namespace alknet
