#pragma once

#include <cstddef>
#include <random>
#include <span>
#include <vector>

#include "alknet/compute/conformance_tensor.h"

namespace alknet::compute::conformance {

/// The values of blocks, one by one in f32 after ggml/src/ggml-quants.c. `dtype` is a block dtype.
std::vector<double> block_values(Dtype dtype, std::span<const std::byte> blocks);

/// A tensor of blocks as one of their values in f64, contiguous.
TestTensor decoded(const TestTensor& blocks);

/// `count` random blocks: any quants, scales of about 0.01. `special`: some scales are infinite or NaN.
std::vector<std::byte> random_blocks(Dtype dtype, std::size_t count, bool special, std::mt19937_64& random);

}  // namespace alknet::compute::conformance
