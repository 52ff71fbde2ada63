#pragma once

#include <cstddef>
#include <cstdint>

namespace alknet::compute {

/// Dense factorizations of one row-major n x n matrix, blocked: most work is in matrix products. T is float or double;
/// single-threaded. `work` is scratch memory of factorization_bytes<T>(n, columns).
template <typename T>
struct Factorization {
  /// Overwrites `a` by L (unit diagonal, below) and U with partial pivoting; row i was swapped with pivots[i] >= i.
  /// Returns the first column without a pivot other than 0, or n.
  static std::int64_t lu(T* a, std::int64_t n, std::int64_t* pivots, std::byte* work);

  /// Overwrites `b` [n x columns] by the solution of a x = b, `a` and `pivots` from `lu`.
  static void solve(const T* a, const std::int64_t* pivots, std::int64_t n, T* b, std::int64_t columns,
                    std::byte* work);

  /// Overwrites `a` by L with a = L L^T, zeros above; reads the lower triangle. Returns the first row where the matrix
  /// is not positive definite, or n.
  static std::int64_t cholesky(T* a, std::int64_t n, std::byte* work);
};

template <typename T>
std::size_t factorization_bytes(std::int64_t n, std::int64_t columns);

}  // namespace alknet::compute
