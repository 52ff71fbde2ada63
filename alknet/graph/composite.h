#pragma once

#include <map>
#include <string>
#include <vector>

#include "alknet/graph/graph.h"
#include "alknet/graph/node_writer.h"
#include "alknet/graph/op_table.h"
#include "alknet/graph/validate.h"

namespace alknet::graph {

// Composites: operations that stand for a small graph of others (CompositeForward).

/// One call of a composite; implied casts are done.
struct CompositeCall {
  const OpSpec& op;
  const JsonObject& attrs;                      ///< Complete.
  const std::vector<std::vector<Ref>>& inputs;  ///< Parallel to the op's; absent ones are empty.
};

/// Writes the nodes that a call stands for and returns its outputs in the dtypes that the entry says. They may be
/// operands of the call. Throws what typing the nodes throws, naming `op`.
std::vector<Ref> write_composite(NodeWriter& writer, const CompositeCall& call);

/// The types of the outputs of a call whose operands have `types`.
std::vector<ValueType> composite_types(const OpSpec& op, const JsonObject& attrs, const Node& node,
                                       const std::map<std::string, ValueType, std::less<>>& types, const OpTable& ops);

/// A graph without composites.
struct Expansion {
  Graph graph;
  std::map<std::string, Ref, std::less<>> replaced;  ///< Outputs of nodes that are gone, by reference.

  /// What a reference to the graph as it was is now.
  Ref current(const Ref& ref) const;
};

/// Replaces the composites of a valid graph whose casts are written. The nodes made carry the path of their composite
/// (its id when it has none), its source and its flags; their ids begin with its id.
///
/// With `keep_names` every output of a composite is a value of its own, which nothing but the uses of that output
/// reads, and a single output keeps its name: so that a gradient with respect to it is what it was.
Expansion expand_composites(const Graph& graph, const OpTable& ops, bool keep_names = false);

}  // namespace alknet::graph
