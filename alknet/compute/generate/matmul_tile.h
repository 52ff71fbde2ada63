#pragma once

#include <cstdint>

#include "alknet/base/json.h"

namespace alknet::compute {

/// How a hardware GPU's matrix product is cut up. `rows` and `columns` are a workgroup's tile of the result,
/// `thread_rows` and `thread_columns` an invocation's part of it, multiples of 4; `depth` is the step along the inner
/// dimension that passes through workgroup memory. The tile is a multiple of the parts, and the numbers of elements of
/// both operands' steps are multiples of 4 x the invocations.
struct MatmulTile {
  std::uint32_t rows = 128, columns = 128, depth = 16;
  std::uint32_t thread_rows = 8, thread_columns = 8;

  std::uint32_t invocations() const { return (rows / thread_rows) * (columns / thread_columns); }
  friend bool operator==(const MatmulTile&, const MatmulTile&) = default;
};

/// The placeholders of the template "matmul_tiled": sizes, and those parts of its text that are written out once a
/// register. Vectors of 4 along the rows of the left operand and along the columns of the right one are read from
/// workgroup memory; an invocation's vectors lie apart, so that neighbours read neighbouring ones.
JsonObject matmul_values(const MatmulTile& tile);

/// Elements of each operand's step in workgroup memory, in vectors of 4; each step of the depth is padded by one so
/// that stores along the depth meet different banks.
std::uint32_t matmul_left_vectors(const MatmulTile& tile);
std::uint32_t matmul_right_vectors(const MatmulTile& tile);

}  // namespace alknet::compute
