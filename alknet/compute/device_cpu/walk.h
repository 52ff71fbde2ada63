#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "alknet/graph/shape.h"

namespace alknet::compute {

using graph::Shape;
using graph::Strided;

/// Dimensions that several operands are walked over together, outermost first, as few as their strides allow.
struct Walk {
  Shape sizes;
  std::vector<Shape> strides;  ///< Per operand, parallel to `sizes`, in elements.

  std::int64_t count() const;
  /// Size of the innermost dimension; 1 for rank 0.
  std::int64_t inner() const { return sizes.empty() ? 1 : sizes.back(); }
  std::int64_t inner_stride(std::size_t operand) const { return sizes.empty() ? 0 : strides[operand].back(); }

  /// Offset in elements of the item with that linear index.
  std::int64_t offset(std::size_t operand, std::int64_t index) const;
};

/// The walk over `shape` of operands that broadcast to it: sizes of 1 go, neighbours that every operand passes in one
/// stride are joined.
Walk make_walk(const Shape& shape, std::span<const Strided> operands);

/// Calls `run(offset, count)` for the runs of the innermost dimension that make up items [begin, end) of one operand:
/// its element `offset + k * inner_stride` for k < count.
template <typename Run>
void for_each_run(const Walk& walk, std::size_t operand, std::int64_t begin, std::int64_t end, Run&& run) {
  const std::int64_t inner = walk.inner();
  std::int64_t index = begin;
  while (index < end) {
    const std::int64_t length = std::min(inner - index % inner, end - index);
    run(walk.offset(operand, index), length);
    index += length;
  }
}

}  // namespace alknet::compute
