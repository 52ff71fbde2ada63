#include "alknet/compute/device_cpu/gemm.h"

#include <dnnl.h>

#include <algorithm>
#include <new>

#include "alknet/base/error.h"
#include "alknet/compute/device_cpu/convert.h"
#include "alknet/compute/device_cpu/row_kernels.h"
#include "alknet/compute/device_cpu/scratch.h"
#include "alknet/compute/error.h"

// The OpenMP runtime that oneDNN brings along; declared here because clang has no omp.h for it.
extern "C" {
int omp_get_max_threads();
void omp_set_num_threads(int threads);
}

namespace alknet::compute {
namespace {

/// Columns of the right operand that are packed at a time.
constexpr std::int64_t kPackedColumns = 256;

/// oneDNN divides work among OpenMP's threads. The caller is one thread of our own pool, so OpenMP is to use one.
class SingleOpenMpThread {
 public:
  SingleOpenMpThread() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~SingleOpenMpThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
  SingleOpenMpThread(const SingleOpenMpThread&) = delete;
  SingleOpenMpThread& operator=(const SingleOpenMpThread&) = delete;

 private:
  int before_;
};

/// How BLAS names a matrix: 'N' row-major or 'T' column-major with a leading dimension; '\0' when it is neither.
struct BlasForm {
  char order = '\0';
  std::int64_t leading = 0;
};

BlasForm blas_form(const MatrixView& matrix, std::int64_t rows, std::int64_t columns) {
  if (matrix.dtype != Dtype::kF32) return {};
  const bool one_row = rows <= 1, one_column = columns <= 1;
  if ((matrix.column_stride == 1 || one_column) &&
      (one_row || matrix.row_stride >= std::max<std::int64_t>(columns, 1))) {
    return {'N', one_row ? std::max<std::int64_t>(columns, 1) : matrix.row_stride};
  }
  if ((matrix.row_stride == 1 || one_row) && (one_column || matrix.column_stride >= std::max<std::int64_t>(rows, 1))) {
    return {'T', one_column ? std::max<std::int64_t>(rows, 1) : matrix.column_stride};
  }
  return {};
}

/// Row-major copy of rows x columns elements in the compute dtype, its rows `stride` elements apart.
void pack(const MatrixView& from, std::int64_t rows, std::int64_t columns, std::byte* to, std::int64_t stride) {
  const ConvertFunction load = load_function(from.dtype);
  const auto storage = static_cast<std::int64_t>(graph::dtype_bytes(from.dtype));
  const auto packed = static_cast<std::int64_t>(graph::dtype_bytes(register_dtype(from.dtype)));
  for (std::int64_t r = 0; r < rows; ++r) {
    load(from.data + r * from.row_stride * storage, from.column_stride, to + r * stride * packed,
         static_cast<std::size_t>(columns));
  }
}

MatrixView columns_from(const MatrixView& matrix, std::int64_t column) {
  MatrixView part = matrix;
  part.data += column * matrix.column_stride * static_cast<std::int64_t>(graph::dtype_bytes(matrix.dtype));
  return part;
}

void sgemm(const GemmShape& shape, BlasForm a_form, const void* a, BlasForm b_form, const void* b, double alpha,
           void* c, std::int64_t c_stride) {
  const SingleOpenMpThread guard;
  const dnnl_status_t status =
      dnnl_sgemm(a_form.order, b_form.order, shape.rows, shape.columns, shape.depth, static_cast<float>(alpha),
                 static_cast<const float*>(a), a_form.leading, static_cast<const float*>(b), b_form.leading, 0.0F,
                 static_cast<float*>(c), c_stride);
  if (status == dnnl_out_of_memory) throw std::bad_alloc();
  if (status != dnnl_success) {
    throw Error(BaseError::kInternal, "oneDNN refused a matrix product (status " + std::to_string(status) + ")");
  }
}

struct PackedParts {
  std::size_t a_at, b_at, total;
};

PackedParts f32_parts(const GemmShape& shape, const MatrixView& a, const MatrixView& b) {
  const bool pack_a = blas_form(a, shape.rows, shape.depth).order == '\0';
  const bool pack_b = blas_form(b, shape.depth, shape.columns).order == '\0';
  ScratchLayout layout;
  PackedParts parts;
  parts.a_at = layout.add(pack_a ? static_cast<std::size_t>(shape.rows * shape.depth) * sizeof(float) : 0);
  parts.b_at = layout.add(
      pack_b ? static_cast<std::size_t>(shape.depth * std::min(shape.columns, kPackedColumns)) * sizeof(float) : 0);
  parts.total = layout.total();
  return parts;
}

void gemm_f32(const GemmShape& shape, const MatrixView& a, const MatrixView& b, double alpha, float* c,
              std::int64_t c_stride, std::byte* scratch) {
  const PackedParts parts = f32_parts(shape, a, b);
  BlasForm a_form = blas_form(a, shape.rows, shape.depth);
  const BlasForm b_form = blas_form(b, shape.depth, shape.columns);
  const std::byte* a_data = a.data;
  if (a_form.order == '\0') {
    pack(a, shape.rows, shape.depth, scratch + parts.a_at, shape.depth);
    a_data = scratch + parts.a_at;
    a_form = {'N', shape.depth};
  }
  if (b_form.order != '\0') {
    sgemm(shape, a_form, a_data, b_form, b.data, alpha, c, c_stride);
    return;
  }
  for (std::int64_t j = 0; j < shape.columns; j += kPackedColumns) {
    const std::int64_t width = std::min(kPackedColumns, shape.columns - j);
    pack(columns_from(b, j), shape.depth, width, scratch + parts.b_at, width);
    sgemm({shape.rows, width, shape.depth}, a_form, a_data, {'N', width}, scratch + parts.b_at, alpha, c + j, c_stride);
  }
}

void gemm_f64(const GemmShape& shape, const MatrixView& a, const MatrixView& b, double alpha, double* c,
              std::int64_t c_stride, std::byte* scratch) {
  constexpr auto kColumns = static_cast<std::int64_t>(kDoubleColumns);
  auto* packed = reinterpret_cast<double*>(scratch);
  for (std::int64_t j = 0; j < shape.columns; j += kColumns) {
    const std::int64_t width = std::min(kColumns, shape.columns - j);
    if (width < kColumns) std::fill_n(packed, shape.depth * kColumns, 0.0);
    pack(columns_from(b, j), shape.depth, width, scratch, kColumns);
    gemm_f64_block(static_cast<std::size_t>(shape.rows), static_cast<std::size_t>(width),
                   static_cast<std::size_t>(shape.depth), alpha, reinterpret_cast<const double*>(a.data), a.row_stride,
                   a.column_stride, packed, c + j, c_stride);
  }
}

}  // namespace

std::size_t gemm_scratch_bytes(Dtype compute, const GemmShape& shape, const MatrixView& a, const MatrixView& b) {
  if (compute == Dtype::kF64) return static_cast<std::size_t>(shape.depth) * kDoubleColumns * sizeof(double);
  return f32_parts(shape, a, b).total;
}

void gemm(Dtype compute, const GemmShape& shape, const MatrixView& a, const MatrixView& b, double alpha, void* c,
          std::int64_t c_stride, std::byte* scratch) {
  if (shape.rows == 0 || shape.columns == 0) return;
  if (compute == Dtype::kF64) {
    gemm_f64(shape, a, b, alpha, static_cast<double*>(c), c_stride, scratch);
  } else if (shape.depth == 0) {
    for (std::int64_t r = 0; r < shape.rows; ++r)
      std::fill_n(static_cast<float*>(c) + r * c_stride, shape.columns, 0.0F);
  } else {
    gemm_f32(shape, a, b, alpha, static_cast<float*>(c), c_stride, scratch);
  }
}

}  // namespace alknet::compute
