#pragma once

#include <span>

#include "alknet/graph/expr/program.h"

namespace alknet::graph::expr {

/// A number of dtype `from` as one of dtype `to`: to bool is `x != 0`; a float to an integer truncates towards zero and
/// saturates, NaN gives 0; an integer to an integer wraps. Floats are not rounded: the arithmetic is double.
double convert(double value, Dtype from, Dtype to);

/// One step on arguments of dtype `operand` (for kSelect: of its values). Integers wrap; a division by zero gives the
/// dividend and a remainder by zero gives 0, as in WGSL. Not for kConstant, kVariable and kCast.
double apply(Opcode opcode, Dtype operand, std::span<const double> arguments);

}  // namespace alknet::graph::expr
