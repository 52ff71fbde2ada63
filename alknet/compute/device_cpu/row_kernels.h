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
  /// result = row - a - b. `result` may be `row`.
  void (*subtract)(const T* row, std::size_t count, T a, T b, T* result);
  T (*mean)(const T* row, std::size_t count);
  /// Mean of the squared deviations from `centre`.
  T (*mean_square)(const T* row, std::size_t count, T centre);
  /// result = (row - mean) * factor * weight + bias; weight and bias may be null. `result` may be `row`.
  void (*normalize)(const T* row, std::size_t count, T mean, T factor, const T* weight, const T* bias, T* result);
};

/// The loops for the best instruction set of this machine.
template <typename T>
const RowKernels<T>& row_kernels();

}  // namespace alknet::compute
