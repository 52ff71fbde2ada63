#pragma once

#include <cstdint>
#include <optional>

namespace alknet::compute {

/// Positions start, start + step, ... before `stop` of a dimension, as Python's `start:stop:step`: negative ones count
/// from the end, and both are clamped. `step` is at least 1.
struct Slice {
  std::optional<std::int64_t> start, stop;
  std::int64_t step = 1;

  explicit Slice(std::optional<std::int64_t> first = {}, std::optional<std::int64_t> last = {}, std::int64_t each = 1)
      : start(first), stop(last), step(each) {}
};

/// As many whole dimensions as the other positions leave.
struct Ellipsis {};
inline constexpr Ellipsis kEllipsis;

/// A new dimension of size 1.
struct NewAxis {};
inline constexpr NewAxis kNewAxis;

/// One position of `Tensor::operator[]`: an integer drops its dimension.
struct Index {
  enum class Kind : std::uint8_t { kInteger, kSlice, kRest, kNew };

  Index(int value) : kind(Kind::kInteger), integer(value) {}           // NOLINT(google-explicit-constructor)
  Index(std::int64_t value) : kind(Kind::kInteger), integer(value) {}  // NOLINT(google-explicit-constructor)
  Index(Slice value) : kind(Kind::kSlice), slice(value) {}             // NOLINT(google-explicit-constructor)
  Index(Ellipsis) : kind(Kind::kRest) {}                               // NOLINT(google-explicit-constructor)
  Index(NewAxis) : kind(Kind::kNew) {}                                 // NOLINT(google-explicit-constructor)

  Kind kind;
  std::int64_t integer = 0;
  Slice slice;
};

}  // namespace alknet::compute
