#pragma once

#include <span>
#include <string>

#include "alknet/graph/graph.h"
#include "alknet/graph/op_table.h"

namespace alknet::graph {

/// Extends a graph by gradients: what each value of `wrt` contributes to the sum of `outputs`.
struct GradientRequest {
  std::span<const std::string> outputs;  ///< Names of graph outputs.
  std::span<const std::string> wrt;      ///< References to float values: inputs, states, constants, nodes.
  /// Parallel to `outputs`, or empty: references to the gradient of each output, with its dtype and shape. An empty
  /// text stands for 1, which only an output of one element may leave out.
  std::span<const std::string> seeds = {};
  /// A value that the outputs do not depend on has the gradient 0; otherwise that is an error.
  bool allow_unused = false;
};

/// A copy of `graph` with implied casts written out (`insert_casts`), composites expanded (`expand_composites`; names
/// of single outputs stay), the nodes of the gradients, and, after its outputs, one output `grad/<name>` for each of
/// `wrt`, in order (`:` in a reference becomes `.`; where the name is taken, as in a second derivative, another `grad/`
/// goes in front).
///
/// One walk backwards in topological order, linear in nodes, by the op table's `backward`, or for element-wise
/// operations by the derivative of their expression. Every node that is added is an operation of the table, so the
/// result can be differentiated again. Nodes `no_grad`, inputs that the table calls not differentiable, and values
/// that are no floats pass nothing on. Values of `checkpoint` nodes are not read: their nodes are repeated without the
/// flag, which a pass that shares equal nodes must respect.
///
/// Throws Error `graph_invalid`, `unknown_ref` (an output or value that does not exist), `missing_input` (a seed),
/// `shape_mismatch` or `dtype_mismatch` (of a seed), `not_differentiable` (a value that is no float, that outputs do
/// not depend on, or an operation without gradient).
Graph grad(const Graph& graph, const GradientRequest& request, const OpTable& ops = OpTable::builtin());

}  // namespace alknet::graph
