#include <fmt/format.h>

#include <map>
#include <utility>

#include "alknet/graph/analysis.h"
#include "alknet/graph/name_set.h"

namespace alknet::graph {
namespace {

/// Writes casts, each value and dtype once.
class CastWriter {
 public:
  CastWriter(const Graph& graph, const Analysis& analysis) : analysis_(analysis), names_(graph) {}

  /// `ref` as a value of `dtype`; a node that is needed for it goes to the end of `nodes`.
  Ref cast(const Ref& ref, Dtype dtype, const Node& consumer, std::vector<Node>& nodes) {
    if (analysis_.typed.types.find(ref.text())->second.dtype == dtype) return ref;
    const auto [place, added] = casts_.try_emplace({ref.text(), dtype});
    if (added) {
      place->second = names_.unique(fmt::format("{}.{}", ref.name, dtype_name(dtype)));
      Node node;
      node.id = place->second;
      node.op = "cast";
      node.inputs = {{ref}};
      node.attrs = {{"dtype", dtype_name(dtype)}};
      node.path = consumer.path;
      nodes.push_back(std::move(node));
    }
    return {place->second, 0, std::nullopt};
  }

 private:
  const Analysis& analysis_;
  NameSet names_;
  std::map<std::pair<std::string, Dtype>, std::string> casts_;
};

}  // namespace

Graph insert_casts(const Graph& graph, const OpTable& ops) {
  const Analysis analysis = analyze_valid(graph, ops);
  CastWriter writer(graph, analysis);
  Graph result = graph;
  result.nodes.clear();
  for (std::size_t index = 0; index < graph.nodes.size(); ++index) {
    Node node = graph.nodes[index];
    const OpDtypes& dtypes = analysis.dtypes[index];
    node.inputs.resize(dtypes.inputs.size());
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      for (Ref& ref : node.inputs[i]) {
        if (!ref.name.empty()) ref = writer.cast(ref, *dtypes.inputs[i], node, result.nodes);
      }
    }
    result.nodes.push_back(std::move(node));
  }
  return result;
}

}  // namespace alknet::graph
