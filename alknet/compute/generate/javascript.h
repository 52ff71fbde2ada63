#pragma once

#include <vector>

#include "alknet/compute/generate/cpp.h"

namespace alknet::compute {

/// The sources of @alknet/tensor that follow from an op table: op_table.ts, one line an operation; operations.ts, its
/// functions and methods as types; functions.ts, the functions by name.
///
/// In JavaScript tensors come first, then parameters by position; optional tensors stand among the parameters, and
/// `rng` and `stream` go by name only. Names that PyTorch has keep their spelling, others are camelCase.
std::vector<GeneratedFile> generate_javascript(const graph::OpTable& ops);

}  // namespace alknet::compute
