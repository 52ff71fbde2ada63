#pragma once

#include <cstddef>

#include "alknet/compute/device_cpu/byte_row.h"
#include "alknet/graph/dtype.h"

namespace alknet::compute {

/// The innermost loop on weights in one block format and a row of bytes: results[c] = the product of row c of the
/// weights, `count` blocks, with `x`. Products of quants are added up exactly in i32, those of groups in f32. Rows
/// follow each other; blocks need no alignment, and any bytes are valid blocks.
using BlockByteDots = void (*)(const std::byte* blocks, std::size_t count, std::size_t rows, const ByteRow& x,
                               float* results);

/// The loop for the best instruction set of this machine, which is AVX-512 with VNNI or AVX2; null on other machines
/// and for formats that have none.
BlockByteDots block_byte_dots(graph::Dtype dtype);

}  // namespace alknet::compute
