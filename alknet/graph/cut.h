#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/function_ref.h"
#include "alknet/graph/graph.h"
#include "alknet/graph/op_table.h"

namespace alknet::graph {

/// The part of a model that a parameter belongs to by its name: up to its first number ("encoder.layer.3" of
/// "encoder.layer.3.output.bias"), else its first word.
std::string layer_of(std::string_view parameter);

/// Cuts a graph into graphs that are run one after the other, so that each needs the states of one group more than
/// those before it: `group` names a state's. Groups come in the order in which they are first used; a node is in the
/// first stage that has all that it needs.
///
/// Every stage has the dimensions and inputs of the graph. Values that cross a cut are outputs of the stage that
/// computes them and inputs, of the same name, of those that use them: "cut.ID.K" for the K-th output of the node ID.
/// The graph's own outputs keep their names. Throws Error `graph_invalid`, and `unsupported` for a graph that assigns
/// to states or has some of its session.
std::vector<Graph> cut_by_states(const Graph& graph, FunctionRef<std::string(const State&)> group,
                                 const OpTable& ops = OpTable::builtin());

}  // namespace alknet::graph
