#pragma once

#include <cstddef>
#include <cstdint>

namespace alknet::compute {

/// The innermost loops of exact products of i8 with sums in i32 that wrap, for one instruction set. A panel holds words
/// of `step` consecutive elements of the inner dimension, zeros behind the last one: as bytes (those of a left operand
/// plus 128) for instructions that multiply unsigned by signed bytes, else as i16.
struct ByteKernels {
  std::size_t tile_rows;     ///< Rows of c that stay in registers.
  std::size_t tile_columns;  ///< Columns of c that do; packed panels of b are that wide.
  std::size_t step;          ///< Elements in a word: 4 bytes or 2 of i16.

  /// Copies columns [0, width) of `depth` rows of b into a panel: first what each column's sum starts from, then for
  /// each word of depth the words of tile_columns columns; zeros behind `width`.
  void (*pack_columns)(const std::int8_t* b, std::ptrdiff_t row_stride, std::ptrdiff_t column_stride, std::size_t depth,
                       std::size_t width, std::int32_t* panel);

  /// Copies `rows` rows (at most tile_rows) of a into a panel: for each word of depth, the words of the rows.
  void (*pack_rows)(const std::int8_t* a, std::ptrdiff_t row_stride, std::ptrdiff_t column_stride, std::size_t rows,
                    std::size_t depth, std::int32_t* panel);

  /// c[rows x columns] = a * b, or added to it; rows <= tile_rows and columns <= tile_columns. `a` is a panel of `rows`
  /// rows, `b` a packed panel, both of `words` words of depth.
  void (*tile)(std::size_t rows, std::size_t columns, std::size_t words, const std::int32_t* a, const std::int32_t* b,
               std::int32_t* c, std::ptrdiff_t c_stride, bool accumulate);
};

/// The loops for the best instruction set of this machine.
const ByteKernels& byte_kernels();

}  // namespace alknet::compute
