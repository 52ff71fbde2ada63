#pragma once

#include "alknet/compute/device_cpu/gemm.h"

namespace alknet::compute {

/// The part of gemm.h that is of integers. Products are exact modulo 2^n, n the bits of `compute`, which is what c
/// holds: i8 through packed panels as products of floats; u8 and the wider ones by plain loops that need no scratch
/// memory.

/// Whether a product's operands are packed: those of i8.
bool packs_bytes(Dtype compute, const MatrixView& a, const MatrixView& b);

std::int64_t byte_panel_columns();
std::size_t packed_bytes_size(std::int64_t depth, std::int64_t columns);
void pack_byte_matrix(std::int64_t depth, std::int64_t columns, const MatrixView& b, std::int64_t begin,
                      std::int64_t end, std::byte* packed);

std::size_t integer_gemm_scratch_bytes(Dtype compute, const GemmShape& shape, const MatrixView& a, const MatrixView& b);

void integer_gemm(Dtype compute, const GemmShape& shape, const MatrixView& a, const MatrixView& b, void* c,
                  std::int64_t c_stride, std::byte* scratch, const PackedColumns* packed);

}  // namespace alknet::compute
