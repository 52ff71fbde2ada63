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

/// The member `forward.composite` of an entry whose inputs, parameters and outputs are read.
CompositeForward read_composite(const JsonReader& json, const OpSpec& op);

/// Checks the nodes of `cases`, which `json` gave, against the operations that they name.
void check_case_nodes(const JsonReader& json, const std::vector<GraphCase>& cases, const OpTable& table);

/// Steps of cases that stand for several nodes, depending on shapes (case_writer.cc):
/// `sum_to`: a value, summed over the dimensions that were broadcast from the shape of the second;
/// `keep_dims`: a reduction's output with the reduced dimensions of the second, its input, as 1;
/// `count`: the number of elements along the parameter `dim` of its input;
/// `causal_mask`: of a query [.., L, E] and a key [.., S, E], bool [L, S], true where the key is not later;
/// `epsilon`: the difference between 1 and the next number of the dtype.
bool is_case_step(std::string_view name);

}  // namespace alknet::graph
