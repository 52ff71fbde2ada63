#pragma once

#include <optional>
#include <string>
#include <vector>

#include "alknet/compute/tensor.h"
#include "alknet/graph/graph.h"
#include "alknet/graph/op_table.h"

namespace alknet::operations {

/// One call of an operation: shapes of the inputs, of lists one by one, and attributes.
struct Call {
  std::vector<std::optional<graph::Shape>> inputs;  ///< Null: left out.
  JsonObject attrs;
};

/// Small calls that may suit an operation: those of the gradient check, and own ones where it has none. Some need not
/// be valid.
std::vector<Call> small_calls(const graph::OpSpec& op);

/// A call of the size that the operation is used with, for measurements; small where nothing else is known.
Call typical_call(const graph::OpSpec& op);

/// A graph of that call alone: inputs x0, x1, ..., its first output y0. Inputs that promote have `dtype`, and so has a
/// parameter "dtype". Nothing when the operation takes no such, or nothing of it has the dtype.
std::optional<graph::Graph> graph_of(const graph::OpSpec& op, const Call& call, graph::Dtype dtype);

/// Numbers in the domain that the op table names for input `index` of `op`, the same at each call; places between 0 and
/// 6.
compute::Tensor random_input(const compute::Context& context, const graph::OpSpec& op, std::size_t index,
                             const graph::GraphInput& declared);

}  // namespace alknet::operations
