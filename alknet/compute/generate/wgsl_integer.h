#pragma once

#include <optional>
#include <string>

#include "alknet/graph/expr/program.h"

namespace alknet::compute {

/// Integers that WGSL lacks: i64 as vec2<u32>, exact for everything printed here, and i8 and u8 as words whose value
/// wraps after each step.

/// An instruction that takes or gives i64, in terms of the program's values `v0`, `v1`, ...; nothing when it has none.
/// Throws Error `unsupported` for what is not emulated.
std::optional<std::string> wgsl_i64_expression(const graph::expr::Program& program,
                                               const graph::expr::Instruction& step);

/// A literal of i64.
std::string wgsl_i64_literal(double value);

/// The value of an 8-bit integer dtype that `text`, a sum or product of such, wraps to; other dtypes as they are.
std::string wgsl_wrapped(graph::Dtype dtype, std::string text);

}  // namespace alknet::compute
