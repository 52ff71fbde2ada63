#include "alknet/tensor/rows.h"

#include <fmt/format.h>

namespace alknet::tensor {

RowRange slice_rows(std::span<const std::int64_t> shape, std::uint64_t begin, std::uint64_t end, const Where& where) {
  const std::uint64_t rows = shape.empty() ? 0 : static_cast<std::uint64_t>(shape.front());
  if (shape.empty() || begin > end || end > rows) {
    throw file_error(TensorError::kIndexOutOfRange, where, fmt::format("rows {} to {} of {}", begin, end, rows),
                     shape.empty() ? "a single item has no rows" : "choose rows that are there");
  }
  std::uint64_t row = 1;  // whose product with the rows is known to fit
  for (const std::int64_t dimension : shape.subspan(1)) row *= static_cast<std::uint64_t>(dimension);
  return {begin * row, (end - begin) * row};
}

}  // namespace alknet::tensor
