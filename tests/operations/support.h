#pragma once

#include <string>

namespace alknet::operations {

/// docs/operation_support.md: how each operation of the table is computed, by dtype, on the CPU and on GPUs with and
/// without `shader-f16`. Needs no device: plans are compiled for the CPU, and their kernels printed as WGSL.
std::string support_document();

}  // namespace alknet::operations
