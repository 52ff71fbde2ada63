#pragma once

#include <cstddef>
#include <cstdint>

namespace alknet::compute {

/// A row of f32 rounded to bytes in groups of 32 values, as ggml's Q8_1: value k stands for scales[k / 32] * values[k],
/// which is at most half a scale away from what it was. What follows the end is 0.
struct ByteRow {
  std::int8_t* values = nullptr;
  float* scales = nullptr;     ///< One a group: its largest magnitude / 127.
  float* sums = nullptr;       ///< One a group: what its values stand for, added up.
  float* half_sums = nullptr;  ///< The same of 16 values each.
};

/// Bytes of memory, a multiple of 64, that a row of `depth` values takes; `depth` is a multiple of 32.
std::size_t byte_row_bytes(std::size_t depth);

/// The parts of a row in such memory, which is aligned to 64 bytes.
ByteRow byte_row_at(std::byte* memory, std::size_t depth);

/// Rounds `depth` values to the nearest bytes. False, and the row is of no use: they are not all finite, or a group is
/// so small that its scale would lose bits.
bool round_to_bytes(const float* x, std::size_t depth, const ByteRow& row);

}  // namespace alknet::compute
