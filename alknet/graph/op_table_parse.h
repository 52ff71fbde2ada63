#pragma once

#include <string>
#include <string_view>

#include "alknet/graph/json_reader.h"
#include "alknet/graph/op_table.h"

namespace alknet::graph {

// Parts of an entry of the op table, shared by the files that read one. All throw Error `op_table_invalid` with the
// JSON pointer.

/// A name in snake_case.
std::string identifier(const JsonReader& json);

/// {"expression": ...} or {"on": parameter, "cases": {value: expression}}.
ElementwiseForward read_elementwise(const JsonReader& json, const OpSpec& op);

/// The member `backward` of an entry whose other members are read.
OpBackward read_backward(const JsonReader& json, const OpSpec& op);

/// Checks the nodes of `op.backward` against the operations that they name.
void check_backward_nodes(const JsonReader& json, const OpSpec& op, const OpTable& table);

/// Steps of gradients that stand for several nodes, depending on shapes (backward_graph.cc):
/// `sum_to`: a value, summed over the dimensions that were broadcast from the shape of the second;
/// `count`: the number of elements along the parameter `dim` of its input;
/// `causal_mask`: of a query [.., L, E] and a key [.., S, E], bool [L, S], true where the key is not later.
bool is_backward_step(std::string_view name);

}  // namespace alknet::graph
