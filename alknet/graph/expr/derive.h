#pragma once

#include <cstdint>
#include <span>

#include "alknet/graph/expr/program.h"

namespace alknet::graph::expr {

/// The derivative of a program, as a program of the same language: reverse mode over the steps, so its size is linear
/// in theirs however often values are reused.
///
/// Its variables are those of `program`, then its outputs by name, then `grad_<output>` for each; its outputs are
/// `grad_<variable>` for each of `wrt` (indexes of variables): the sum over outputs of `grad_<output>` times the
/// partial derivative. It reads the value of an output, where that helps, from the variable rather than compute it
/// again. 0 and 1 are folded, equal steps shared. Integers, bool and what is computed from them have derivative 0.
///
/// Where there is no derivative it is what PyTorch gives: abs at 0 gives 0; `max(a, b)` and `min(a, b)` of equal
/// arguments give half to each, but against an argument that does not depend on `wrt` 0 (as relu and hardtanh), and
/// NaN arguments pass it to both; sqrt at 0 gives inf. `c ? a : b` passes nothing to the branch not taken, also
/// where that branch's derivative is not finite (there PyTorch has NaN). Throws Error `expression_invalid` when
/// the result has too many steps.
Program derive(const Program& program, std::span<const std::uint32_t> wrt);

}  // namespace alknet::graph::expr
