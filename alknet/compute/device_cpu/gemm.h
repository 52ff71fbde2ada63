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
  /// Of a left operand: its values may be rounded to bytes (ByteRow) to be multiplied by few blocks faster.
  bool rounds_to_bytes = false;
  bool operator==(const MatrixView&) const = default;
};

/// Sizes of a product: [rows x depth] times [depth x columns].
struct GemmShape {
  std::int64_t rows = 0, columns = 0, depth = 0;
};

/// Whether products of these operands pack the right one. One in blocks is packed anew each time: its values would take
/// several times the memory.
bool gemm_packs(Dtype compute, const GemmShape& shape, const MatrixView& a, const MatrixView& b);

/// Columns of a packed panel; of integers, what products of i8 with sums in i32 are packed in.
std::int64_t packed_panel_columns(Dtype compute);

/// Bytes of a right operand packed whole.
std::size_t packed_matrix_bytes(Dtype compute, std::int64_t depth, std::int64_t columns);

/// Packs the panels [begin, end) of `b`, whose sizes are `depth` and `columns`, where `gemm` finds them.
void pack_matrix(Dtype compute, std::int64_t depth, std::int64_t columns, const MatrixView& b, std::int64_t begin,
                 std::int64_t end, std::byte* packed);

/// Columns of a matrix that pack_matrix packed, as a right operand.
struct PackedColumns {
  const std::byte* data = nullptr;
  std::int64_t first = 0;    ///< The first of them: a multiple of packed_panel_columns.
  std::int64_t columns = 0;  ///< Of the whole matrix.
};

/// The product c = alpha * a * b on the calling thread. `compute` is a register dtype; `c` holds that dtype, its rows
/// `c_stride` elements apart. Operands are of any dtype with that register dtype and have any strides; b may be of
/// blocks, those of integers are of one dtype. Integers wrap, and their alpha is 1. `scratch` is working memory of
/// gemm_scratch_bytes(), aligned to 64 bytes. `packed`: `b` packed beforehand, where gemm_packs; the result is the
/// same.
void gemm(Dtype compute, const GemmShape& shape, const MatrixView& a, const MatrixView& b, double alpha, void* c,
          std::int64_t c_stride, std::byte* scratch, const PackedColumns* packed = nullptr);

/// Bytes for products of at most that shape, whatever the pointers in the views.
std::size_t gemm_scratch_bytes(Dtype compute, const GemmShape& shape, const MatrixView& a, const MatrixView& b);

}  // namespace alknet::compute
