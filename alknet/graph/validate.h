#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/graph/graph.h"
#include "alknet/graph/op_table.h"
#include "alknet/graph/shape.h"

namespace alknet::graph {

/// The operation that writes states.
inline constexpr std::string_view kAssign = "assign";

/// What is wrong with a graph, and where.
struct Problem {
  std::string where;  ///< node path and id, input or output name
  std::string code;   ///< name of a GraphError
  std::string message;
};

/// A graph whose every value is typed, in an order that can run.
struct TypedGraph {
  /// Types of graph inputs, states, constants (by name) and node outputs ("id" for output 0, "id:k").
  std::map<std::string, ValueType, std::less<>> types;
  /// Node indexes, producers before consumers; among ready nodes document order is kept.
  std::vector<std::size_t> order;
};

/// Finds every problem before anything runs: unknown ops and refs, missing inputs, duplicate or illegal names, cycles,
/// dtypes, shapes, attributes. Empty means valid.
std::vector<Problem> validate(const Graph& graph, const OpTable& ops);

/// Types a graph whose implied casts are already nodes or still implied (the result dtype is the promoted one).
/// Throws Error `graph_invalid` whose message lists all problems and whose details hold them.
TypedGraph infer(const Graph& graph, const OpTable& ops);

/// Checks the sizes of one run against the ranges that the graph declares. Throws Error `dim_invalid` naming the
/// dimension, its value and its range.
void check_dim_values(const Graph& graph, const DimValues& values);

/// The graph with every implied cast written as a `cast` node, so that each element-wise node sees one dtype.
Graph insert_casts(const Graph& graph, const OpTable& ops);

}  // namespace alknet::graph
