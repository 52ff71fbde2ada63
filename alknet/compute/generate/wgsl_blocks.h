#pragma once

#include <string>
#include <string_view>

#include "alknet/graph/dtype.h"

namespace alknet::compute {

/// `load4_NAME(block, at)` of an input buffer `b_NAME` of u32 that holds blocks of a dtype (graph::is_block): values
/// `at` to `at` + 3 of a block, `at` a multiple of 4, as vec4<f32>. Blocks follow each other from the buffer's start;
/// they are of any even number of bytes, so that words are put together from two.
std::string wgsl_block_load(std::string_view name, graph::Dtype dtype);

}  // namespace alknet::compute
