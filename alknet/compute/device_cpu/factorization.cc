#include "alknet/compute/device_cpu/factorization.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "alknet/compute/device_cpu/gemm.h"
#include "alknet/compute/device_cpu/scratch.h"

// Right-looking algorithms as in Golub and Van Loan, "Matrix Computations", 3.2.11 and 4.2.6.

namespace alknet::compute {
namespace {

/// Columns that are factored together before a product updates what is right of and below them.
constexpr std::int64_t kFactorBlock = 32;

template <typename T>
constexpr Dtype kFactorDtype = std::is_same_v<T, float> ? Dtype::kF32 : Dtype::kF64;

/// Where the product and the memory of gemm lie in the work memory.
struct FactorWork {
  std::size_t product_at, gemm_at, total;
};

template <typename T>
FactorWork factor_work(std::int64_t n, std::int64_t columns) {
  const GemmShape shape{n, std::max(n, columns), kFactorBlock};
  const MatrixView view{nullptr, kFactorDtype<T>, n, 1}, turned{nullptr, kFactorDtype<T>, 1, n};
  ScratchLayout layout;
  FactorWork work;
  work.product_at = layout.add(static_cast<std::size_t>(shape.rows * shape.columns) * sizeof(T));
  work.gemm_at = layout.add(std::max(gemm_scratch_bytes(kFactorDtype<T>, shape, view, view),
                                     gemm_scratch_bytes(kFactorDtype<T>, shape, view, turned)));
  work.total = layout.total();
  return work;
}

/// c [rows x columns, stride c_stride] -= a * b.
template <typename T>
void subtract_product(const GemmShape& shape, const T* a, std::int64_t a_stride, const T* b, std::int64_t b_row,
                      std::int64_t b_column, T* c, std::int64_t c_stride, std::byte* work, std::int64_t n,
                      std::int64_t widest) {
  if (shape.rows == 0 || shape.columns == 0 || shape.depth == 0) return;
  const FactorWork parts = factor_work<T>(n, widest);
  T* product = reinterpret_cast<T*>(work + parts.product_at);
  gemm(kFactorDtype<T>, shape, {reinterpret_cast<const std::byte*>(a), kFactorDtype<T>, a_stride, 1},
       {reinterpret_cast<const std::byte*>(b), kFactorDtype<T>, b_row, b_column}, 1, product, shape.columns,
       work + parts.gemm_at);
  for (std::int64_t r = 0; r < shape.rows; ++r) {
    for (std::int64_t j = 0; j < shape.columns; ++j) c[r * c_stride + j] -= product[r * shape.columns + j];
  }
}

/// to -= factor * from.
template <typename T>
void subtract_row(T* to, const T* from, T factor, std::int64_t count) {
  for (std::int64_t j = 0; j < count; ++j) to[j] -= factor * from[j];
}

/// Factors columns [k, k + block) of rows [k, n). Returns whether each had a pivot, else the first that had none.
template <typename T>
std::int64_t factor_panel(T* a, std::int64_t n, std::int64_t k, std::int64_t block, std::int64_t* pivots) {
  for (std::int64_t c = k; c < k + block; ++c) {
    std::int64_t pivot = c;
    for (std::int64_t r = c + 1; r < n; ++r) {
      if (std::fabs(a[r * n + c]) > std::fabs(a[pivot * n + c])) pivot = r;
    }
    pivots[c] = pivot;
    if (a[pivot * n + c] == 0) return c;
    if (pivot != c) std::swap_ranges(a + c * n, a + (c + 1) * n, a + pivot * n);
    const T scale = a[c * n + c];
    for (std::int64_t r = c + 1; r < n; ++r) {
      const T factor = a[r * n + c] /= scale;
      subtract_row(a + r * n + c + 1, a + c * n + c + 1, factor, k + block - c - 1);
    }
  }
  return n;
}

}  // namespace

template <typename T>
std::int64_t Factorization<T>::lu(T* a, std::int64_t n, std::int64_t* pivots, std::byte* work) {
  for (std::int64_t k = 0; k < n; k += kFactorBlock) {
    const std::int64_t block = std::min(kFactorBlock, n - k), rest = k + block;
    if (const std::int64_t bad = factor_panel(a, n, k, block, pivots); bad != n) return bad;
    for (std::int64_t r = k + 1; r < rest; ++r) {
      for (std::int64_t c = k; c < r; ++c) subtract_row(a + r * n + rest, a + c * n + rest, a[r * n + c], n - rest);
    }
    subtract_product<T>({n - rest, n - rest, block}, a + rest * n + k, n, a + k * n + rest, n, 1, a + rest * n + rest,
                        n, work, n, n);
  }
  return n;
}

template <typename T>
void Factorization<T>::solve(const T* a, const std::int64_t* pivots, std::int64_t n, T* b, std::int64_t columns,
                             std::byte* work) {
  for (std::int64_t r = 0; r < n; ++r) {
    if (pivots[r] != r) std::swap_ranges(b + r * columns, b + (r + 1) * columns, b + pivots[r] * columns);
  }
  for (std::int64_t k = 0; k < n; k += kFactorBlock) {
    const std::int64_t block = std::min(kFactorBlock, n - k), rest = k + block;
    for (std::int64_t r = k + 1; r < rest; ++r) {
      for (std::int64_t c = k; c < r; ++c) subtract_row(b + r * columns, b + c * columns, a[r * n + c], columns);
    }
    subtract_product<T>({n - rest, columns, block}, a + rest * n + k, n, b + k * columns, columns, 1,
                        b + rest * columns, columns, work, n, columns);
  }
  for (std::int64_t end = n; end > 0;) {
    const std::int64_t k = (end - 1) / kFactorBlock * kFactorBlock;
    for (std::int64_t r = end; r-- > k;) {
      for (std::int64_t c = r + 1; c < end; ++c) subtract_row(b + r * columns, b + c * columns, a[r * n + c], columns);
      for (std::int64_t j = 0; j < columns; ++j) b[r * columns + j] /= a[r * n + r];
    }
    subtract_product<T>({k, columns, end - k}, a + k, n, b + k * columns, columns, 1, b, columns, work, n, columns);
    end = k;
  }
}

template <typename T>
std::int64_t Factorization<T>::cholesky(T* a, std::int64_t n, std::byte* work) {
  for (std::int64_t k = 0; k < n; k += kFactorBlock) {
    const std::int64_t block = std::min(kFactorBlock, n - k), rest = k + block;
    for (std::int64_t r = k; r < n; ++r) {
      for (std::int64_t c = k; c < std::min(rest, r + 1); ++c) {
        T sum = a[r * n + c];
        for (std::int64_t j = k; j < c; ++j) sum -= a[r * n + j] * a[c * n + j];
        if (r == c && !(sum > 0)) return r;
        a[r * n + c] = r == c ? std::sqrt(sum) : sum / a[c * n + c];
      }
    }
    subtract_product<T>({n - rest, n - rest, block}, a + rest * n + k, n, a + rest * n + k, 1, n, a + rest * n + rest,
                        n, work, n, n);
  }
  for (std::int64_t r = 0; r < n; ++r) std::fill(a + r * n + r + 1, a + (r + 1) * n, T{0});
  return n;
}

template <typename T>
std::size_t factorization_bytes(std::int64_t n, std::int64_t columns) {
  return factor_work<T>(n, columns).total;
}

template struct Factorization<float>;
template struct Factorization<double>;
template std::size_t factorization_bytes<float>(std::int64_t, std::int64_t);
template std::size_t factorization_bytes<double>(std::int64_t, std::int64_t);

}  // namespace alknet::compute
