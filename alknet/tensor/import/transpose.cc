#include "alknet/tensor/import/transpose.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace alknet::tensor {
namespace {

using Shape = std::span<const std::int64_t>;

std::uint64_t count_of(Shape shape) {
  std::uint64_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::uint64_t>(size);
  return count;
}

// The place in C order of the item at place `index` in Fortran order.
std::uint64_t c_index(std::uint64_t index, Shape shape) {
  std::uint64_t place = 0;
  std::uint64_t stride = count_of(shape);
  for (const std::int64_t size : shape) {
    const auto extent = static_cast<std::uint64_t>(size);
    stride /= extent;
    place += index % extent * stride;
    index /= extent;
  }
  return place;
}

// How many of the `limit` places from `first` on are neighbours after `map` too.
template <typename Map>
std::uint64_t run_length(std::uint64_t first, std::uint64_t limit, Map map) {
  const std::uint64_t start = map(first);
  std::uint64_t length = 1;
  while (length < limit && map(first + length) == start + length) ++length;
  return length;
}

}  // namespace

std::uint64_t fortran_index(std::uint64_t index, Shape shape) {
  std::uint64_t place = 0;
  std::uint64_t stride = count_of(shape);
  for (std::size_t i = shape.size(); i-- > 0;) {
    const auto extent = static_cast<std::uint64_t>(shape[i]);
    stride /= extent;
    place += index % extent * stride;
    index /= extent;
  }
  return place;
}

// The axes are split into two groups. Seen so, the array is a matrix of `rows` (front axes) by `columns` (back axes):
// in Fortran order its columns lie one after the other, in C order its rows, and only the order of rows and of columns
// among themselves differs.
void fortran_to_c(Shape shape, std::size_t item_bytes, std::size_t budget,
                  FunctionRef<void(std::uint64_t, std::span<std::byte>)> read,
                  FunctionRef<void(std::uint64_t, std::span<const std::byte>)> write) {
  if (count_of(shape) == 0 || item_bytes == 0) return;
  std::size_t split = 0;
  std::uint64_t best = 0;
  for (std::size_t i = 0; i <= shape.size(); ++i) {
    const std::uint64_t smaller = std::min(count_of(shape.first(i)), count_of(shape.subspan(i)));
    if (smaller > best) {
      best = smaller;
      split = i;
    }
  }
  const Shape front = shape.first(split);
  const Shape back = shape.subspan(split);
  const std::uint64_t rows = count_of(front);
  const std::uint64_t columns = count_of(back);
  const std::uint64_t room = std::max<std::uint64_t>(budget / item_bytes / 2, 1);
  std::uint64_t tile_rows = std::min(rows, static_cast<std::uint64_t>(std::max(1.0, std::sqrt(room))));
  const std::uint64_t tile_columns = std::min(columns, std::max<std::uint64_t>(room / tile_rows, 1));
  tile_rows = std::min(rows, std::max<std::uint64_t>(room / tile_columns, 1));

  std::vector<std::byte> from(tile_rows * tile_columns * item_bytes);
  std::vector<std::byte> to(from.size());
  const auto fortran_column = [&](std::uint64_t column) { return fortran_index(column, back); };
  const auto c_row = [&](std::uint64_t row) { return c_index(row, front); };
  for (std::uint64_t row = 0; row < rows; row += tile_rows) {
    const std::uint64_t height = std::min(tile_rows, rows - row);
    for (std::uint64_t column = 0; column < columns; column += tile_columns) {
      const std::uint64_t width = std::min(tile_columns, columns - column);
      for (std::uint64_t j = 0; j < width;) {
        const std::uint64_t run = height == rows ? run_length(column + j, width - j, fortran_column) : 1;
        read((fortran_column(column + j) * rows + row) * item_bytes,
             std::span(from).subspan(j * height * item_bytes, run * height * item_bytes));
        j += run;
      }
      for (std::uint64_t j = 0; j < width; ++j) {
        for (std::uint64_t i = 0; i < height; ++i) {
          std::memcpy(to.data() + (i * width + j) * item_bytes, from.data() + (j * height + i) * item_bytes,
                      item_bytes);
        }
      }
      for (std::uint64_t i = 0; i < height;) {
        const std::uint64_t run = width == columns ? run_length(row + i, height - i, c_row) : 1;
        write((c_row(row + i) * columns + column) * item_bytes,
              std::span(to).subspan(i * width * item_bytes, run * width * item_bytes));
        i += run;
      }
    }
  }
}

}  // namespace alknet::tensor
