#pragma once

#include <cstddef>
#include <functional>

#include "alknet/graph/expr/program.h"
#include "alknet/graph/node_writer.h"

namespace alknet::graph {

/// Writes a program of one output as element-wise nodes, one for each step that is neither constant nor variable, so
/// that they are planned, fused and differentiated like others. `read` gives the value of a variable, a scalar perhaps.
/// Returns a value of rank 0 when the program is constant. Throws Error `not_differentiable` for a step that no
/// operation of the table does.
Ref lower_program(NodeWriter& writer, const expr::Program& program, const std::function<Ref(std::size_t)>& read);

}  // namespace alknet::graph
