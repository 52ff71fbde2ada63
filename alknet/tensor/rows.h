#pragma once

#include <cstdint>
#include <span>

#include "alknet/tensor/fault.h"

namespace alknet::tensor {

/// The items of some rows, in row-major order.
struct RowRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

/// The items of rows [begin, end) of an array of `shape`. Throws `index_out_of_range` for rows that are not there, also
/// for a single item, which has no rows.
RowRange slice_rows(std::span<const std::int64_t> shape, std::uint64_t begin, std::uint64_t end, const Where& where);

}  // namespace alknet::tensor
