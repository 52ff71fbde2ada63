#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "alknet/base/json.h"
#include "alknet/schema/kind.h"

namespace alknet::schema {

/// Numbers of one kind to numbers of another; integers and floats, little-endian, of any alignment. Immutable.
///
/// Integers stay exactly what they are: one out of the new range, or that a float rounds, does not fit. Floats are
/// rounded to nearest, ties to even, when they become shorter floats; as integers they must have no fraction. NaN fits
/// only floats. With `saturate` a number (and an infinity) beyond the new range becomes the nearest end of it; nothing
/// else changes: a fraction or a rounded integer still does not fit (the converter `round` makes them fit).
class NumberConversion {
 public:
  /// Both kinds are numbers (are_numbers).
  NumberConversion(Kind from, Kind to, bool saturate);

  /// Converts `count` numbers, each `from_stride` and `to_stride` bytes from the next. Returns the index of the first
  /// one that does not fit; what precedes it is converted.
  std::optional<std::uint64_t> run(const std::byte* from, std::uint64_t from_stride, std::byte* to,
                                   std::uint64_t to_stride, std::uint64_t count) const {
    return run_(from, from_stride, to, to_stride, count, saturate_);
  }

  /// Why the number at `from` does not fit: "300 is beyond Int8".
  std::string reason(const std::byte* from) const;

  using Run = std::optional<std::uint64_t> (*)(const std::byte* from, std::uint64_t from_stride, std::byte* to,
                                               std::uint64_t to_stride, std::uint64_t count, bool saturate);

 private:
  Kind from_;
  Kind to_;
  bool saturate_;
  Run run_;
};

/// Stores a JSON number (not the texts that stand for NaN, infinities and long integers) as a kind of number, by the
/// same rules, but that an integer is rounded to a float. Throws `instance_invalid`.
void store_number(Kind to, const Json& number, bool saturate, std::byte* into);

}  // namespace alknet::schema
