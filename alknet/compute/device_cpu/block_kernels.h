#pragma once

#include <cstddef>

#include "alknet/graph/dtype.h"

namespace alknet::compute {

/// The innermost loops on weights in one block format (graph::is_block) for one instruction set. Blocks need no
/// alignment; any bytes are valid blocks.
struct BlockKernels {
  /// Writes the values of `count` blocks that follow each other: in f32 the very numbers of ggml's dequantize_row_*.
  void (*dequantize)(const std::byte* blocks, std::size_t count, float* values);

  /// results[c] = the product of row c of the weights, `count` blocks, and the `count` blocks' worth of f32 at `x`.
  /// Every value of a block is multiplied in f32 as `dequantize` gives it. Rows follow each other.
  void (*dots)(const std::byte* blocks, std::size_t count, std::size_t rows, const float* x, float* results);
};

/// The loops for the best instruction set of this machine. `dtype` is a block dtype.
const BlockKernels& block_kernels(graph::Dtype dtype);

}  // namespace alknet::compute
