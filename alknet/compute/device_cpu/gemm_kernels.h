#pragma once

#include <cstddef>
#include <cstdint>

namespace alknet::compute {

/// The innermost loops of matrix products for one instruction set. T is float or double. Operands hold T; rows of c are
/// `c_stride` elements apart. `accumulate`: add to c instead of setting it.
template <typename T>
struct GemmKernels {
  std::size_t tile_rows;     ///< Rows of c that stay in registers.
  std::size_t tile_columns;  ///< Columns of c that do; packed panels of b are that wide.

  /// Copies columns [0, width) of `depth` rows of b into a panel of tile_columns columns, zeros behind `width`.
  void (*pack_columns)(const T* b, std::ptrdiff_t row_stride, std::ptrdiff_t column_stride, std::size_t depth,
                       std::size_t width, T* panel);

  /// Copies `rows` rows (at most tile_rows) of a into a panel: for each k, the elements of the rows.
  void (*pack_rows)(const T* a, std::ptrdiff_t row_stride, std::ptrdiff_t column_stride, std::size_t rows,
                    std::size_t depth, T* panel);

  /// c[rows x columns] = alpha * a * b, rows <= tile_rows and columns <= tile_columns. `a` is a panel of `rows` rows,
  /// `b` a packed panel.
  void (*tile)(std::size_t rows, std::size_t columns, std::size_t depth, T alpha, const T* a, const T* b, T* c,
               std::ptrdiff_t c_stride, bool accumulate);

  /// The same of few rows: b is read where it is, its rows contiguous and `b_stride` apart, any number of columns.
  void (*few_rows)(std::size_t rows, std::size_t columns, std::size_t depth, T alpha, const T* a, const T* b,
                   std::ptrdiff_t b_stride, T* c, std::ptrdiff_t c_stride, bool accumulate);

  /// c = alpha * a * transpose(b): every element of c is the product of a row of a and a row of b, both contiguous.
  void (*dots)(std::size_t rows, std::size_t columns, std::size_t depth, T alpha, const T* a, std::ptrdiff_t a_stride,
               const T* b, std::ptrdiff_t b_stride, T* c, std::ptrdiff_t c_stride, bool accumulate);
};

/// Most rows that `few_rows` takes.
inline constexpr std::size_t kFewRows = 4;

/// The loops for the best instruction set of this machine.
template <typename T>
const GemmKernels<T>& gemm_kernels();

}  // namespace alknet::compute
