#pragma once

#include <cstddef>

namespace alknet::compute {

/// Vector loops over one contiguous row, for the templates that no expression describes. T is float or double; counts
/// are arbitrary, pointers need no alignment.
template <typename T>
struct RowKernels {
  /// The largest element, NaN if there is one, -inf for an empty row.
  T (*maximum)(const T* row, std::size_t count);
  /// result = exp(row - shift); returns its sum. `result` may be `row`.
  T (*exp_sum)(const T* row, std::size_t count, T shift, T* result);
  /// row = row * factor.
  void (*scale)(T* row, std::size_t count, T factor);
  /// row = row + other.
  void (*add)(T* row, std::size_t count, const T* other);
  /// Mean, and mean of the squared deviations, in two passes.
  void (*moments)(const T* row, std::size_t count, T* mean, T* variance);
  /// result = (row - mean) * factor * weight + bias; weight and bias may be null. `result` may be `row`.
  void (*normalize)(const T* row, std::size_t count, T mean, T factor, const T* weight, const T* bias, T* result);
};

/// The loops for the best instruction set of this machine.
template <typename T>
const RowKernels<T>& row_kernels();

/// c[rows x columns] = alpha * a * b for a block of at most kDoubleColumns columns; `b` is depth x kDoubleColumns,
/// packed and padded. `a` has any strides, rows of c are `c_stride` apart.
inline constexpr std::size_t kDoubleColumns = 32;
void gemm_f64_block(std::size_t rows, std::size_t columns, std::size_t depth, double alpha, const double* a,
                    std::ptrdiff_t a_row, std::ptrdiff_t a_column, const double* b, double* c, std::ptrdiff_t c_stride);

}  // namespace alknet::compute
