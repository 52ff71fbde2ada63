#pragma once

#include <cstddef>
#include <cstdint>

#include "alknet/compute/device_cpu/kernel_table.h"

namespace alknet::compute {

/// A matrix in memory, with any strides (in elements). One of a block dtype lies column by column, each a whole number
/// of blocks: row_stride 1, column_stride the depth; only a right operand may be such.
struct MatrixView {
  const std::byte* data = nullptr;
  Dtype dtype = Dtype::kF32;
  std::int64_t row_stride = 0;
  std::int64_t column_stride = 1;
};

/// Sizes of a product: [rows x depth] times [depth x columns].
struct GemmShape {
  std::int64_t rows = 0, columns = 0, depth = 0;
};

/// The product c = alpha * a * b on the calling thread. `compute` is f32 or f64; `c` holds that dtype, its rows
/// `c_stride` elements apart. Operands are of any dtype with that register dtype and have any strides; b may be of
/// blocks. `scratch` is working memory of gemm_scratch_bytes(), aligned to 64 bytes.
void gemm(Dtype compute, const GemmShape& shape, const MatrixView& a, const MatrixView& b, double alpha, void* c,
          std::int64_t c_stride, std::byte* scratch);

/// Bytes for products of at most that shape, whatever the pointers in the views.
std::size_t gemm_scratch_bytes(Dtype compute, const GemmShape& shape, const MatrixView& a, const MatrixView& b);

}  // namespace alknet::compute
