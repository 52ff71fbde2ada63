#pragma once

#include <string>
#include <vector>

#include "alknet/graph/op_table.h"

namespace alknet::compute {

/// A generated source file.
struct GeneratedFile {
  std::string name;  ///< Without folder: "opcodes_f32.cc".
  std::string text;
};

/// C++ kernels for the CPU: a loop over one tile for every step of the expression language and every compute dtype that
/// it takes, of which vector programs make any element-wise operation, and the parts of every reduction. They are
/// written in the operations of device_cpu/simd-inl.h and functions-inl.h and compiled by Highway for several
/// instruction sets; kernel_table.h declares what the files define. Always the same files: opcodes_f32.cc,
/// opcodes_f64.cc, opcodes_integer.cc, pairs.cc (two cheap f32 steps in one pass), reductions.cc.
///
/// Throws Error `unsupported` for a reduction whose accumulators cannot be folded into each other: `combine` must end
/// in one associative operation on `accumulator` and something that does not depend on it.
std::vector<GeneratedFile> generate_cpp(const graph::OpTable& ops);

}  // namespace alknet::compute
