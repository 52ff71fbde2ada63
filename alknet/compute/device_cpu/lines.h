#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "alknet/compute/device_cpu/walk.h"

namespace alknet::compute {

/// A shape taken apart along one dimension: lines along it, and the walk over all lines that several operands make
/// together.
struct Lines {
  Walk walk;                        ///< Over the lines: the shape without the dimension.
  std::int64_t length = 1;          ///< Elements of a line.
  std::vector<std::int64_t> steps;  ///< Per operand: from one element of a line to the next.

  /// Offset in elements, without the operand's own, of the first element of a line.
  std::int64_t offset(std::size_t operand, std::int64_t line) const { return walk.offset(operand, line); }
  /// From a line to the next, inside a run of lines.
  std::int64_t stride(std::size_t operand) const { return walk.inner_stride(operand); }
};

/// The lines of `shape` along `dim` (negative counts from the end). Every operand has a stride per dimension of
/// `shape`, whatever its own sizes. A rank of 0 is one line of one element.
Lines make_lines(const Shape& shape, std::int64_t dim, std::span<const Strided> operands);

/// Calls `run(first, count)` for the runs of lines that lie evenly spaced among [begin, end).
template <typename Run>
void for_each_lines_run(const Lines& lines, std::int64_t begin, std::int64_t end, Run&& run) {
  const std::int64_t inner = lines.walk.inner();
  while (begin < end) {
    const std::int64_t count = std::min(inner - begin % inner, end - begin);
    run(begin, count);
    begin += count;
  }
}

/// `layout` with those sizes: what of it a smaller tensor beside it covers.
inline Strided with_shape(const Strided& layout, const Shape& shape) { return {shape, layout.strides, layout.offset}; }

}  // namespace alknet::compute
