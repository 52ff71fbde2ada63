#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alknet/base/json.h"
#include "alknet/schema/node.h"

namespace alknet::schema {

/// Reads an integer kind, sign-extended; Uint64 comes as its bits. `from` needs no alignment.
std::int64_t load_integer(Kind kind, const std::byte* from, Endian endian = Endian::kLittle);

/// Writes the low bytes of `value`.
void store_integer(Kind kind, std::byte* to, std::uint64_t value, Endian endian = Endian::kLittle);

/// Reads a float kind; exact.
double load_float(Kind kind, const std::byte* from, Endian endian = Endian::kLittle);

/// Writes a float kind, rounded to nearest, ties to even. False, and nothing written, when a finite `value` is beyond
/// the kind's finite range after rounding.
bool store_float(Kind kind, std::byte* to, double value, Endian endian = Endian::kLittle);

/// u32 and u64 in a schema's byte order.
std::uint32_t load_u32(const std::byte* from, Endian endian);
std::uint64_t load_u64(const std::byte* from, Endian endian);
void store_u32(std::byte* to, std::uint32_t value, Endian endian);
void store_u64(std::byte* to, std::uint64_t value, Endian endian);

/// The JSON instance of an integer or float kind: beyond +-(2^53-1) a string of digits; "NaN", "Infinity", "-Infinity".
Json scalar_json(Kind kind, const std::byte* from, Endian endian);

/// Writes such an instance. False, and nothing written, when it is none: out of range, with a fraction, another text.
/// 64-bit integers also come as text of digits, without leading zeros, of their full range.
bool store_scalar_json(Kind kind, std::byte* to, const Json& value, Endian endian);

}  // namespace alknet::schema
