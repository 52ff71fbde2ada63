#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>

#include "alknet/graph/analysis.h"

namespace alknet::graph {
namespace {

/// Finds which nodes read which versions of states. A version goes by the name of its state, or the id of the assign
/// that made it.
class Versions {
 public:
  Versions(const Graph& graph, const OpTable& ops, const ValueSources& sources)
      : graph_(graph), ops_(ops), sources_(sources), roots_(graph.nodes.size()) {}

  /// The version that a reference reads, itself or through views; empty when it reads none.
  std::string version_of(const Ref& ref) {
    std::vector<std::size_t> views;  // on the way, to be remembered
    std::string version;
    Ref at = ref;
    while (!at.name.empty()) {
      const auto source = sources_.find(at.name);
      if (source == sources_.end()) break;
      if (source->second.kind == ValueSource::Kind::kState) version = at.name;
      if (source->second.kind != ValueSource::Kind::kNode) break;
      const std::size_t index = source->second.index;
      const Node& node = graph_.nodes[index];
      if (node.op == kAssign) {
        version = node.id;
        break;
      }
      if (!is_view(node) || views.size() > graph_.nodes.size()) break;  // views in a circle are reported as a cycle
      if (roots_[index]) {
        version = *roots_[index];
        break;
      }
      views.push_back(index);
      at = node.inputs.front().front();
    }
    for (const std::size_t view : views) roots_[view] = version;
    return version;
  }

 private:
  bool is_view(const Node& node) const {
    const OpSpec* op = ops_.find(node.op);
    return op != nullptr && op->view() && !node.inputs.empty() && !node.inputs.front().empty();
  }

  const Graph& graph_;
  const OpTable& ops_;
  const ValueSources& sources_;
  std::vector<std::optional<std::string>> roots_;  ///< Of views seen, by node.
};

}  // namespace

void order_assigns(const Graph& graph, const OpTable& ops, const ValueSources& sources,
                   std::vector<std::vector<std::size_t>>& producers, std::vector<Problem>& problems) {
  Versions versions(graph, ops, sources);
  std::map<std::string, std::size_t, std::less<>> replaced;  // version -> assign
  const auto state_of = [](const Node& node) {
    return node.inputs.empty() || node.inputs.front().empty() ? Ref() : node.inputs.front().front();
  };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.op != kAssign) continue;
    const Ref state = state_of(node);
    const std::string version = versions.version_of(state);
    if (version.empty() || version != state.name) {
      if (state.scalar || sources.contains(state.name)) {
        report(problems, node_place(node), GraphError::kBadOperand,
               "\"state\" must be a state of the graph, or the result of an assign to one");
      }
      continue;
    }
    const auto [first, added] = replaced.try_emplace(version, i);
    if (added) continue;
    report(problems, node_place(node), GraphError::kAssignConflict,
           fmt::format("assigns to \"{}\", and so does {}: let one assign to the result of the other", version,
                       node_place(graph.nodes[first->second])));
  }
  if (replaced.empty()) return;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const auto& refs : graph.nodes[i].inputs) {
      for (const Ref& ref : refs) {
        const auto assign = replaced.find(versions.version_of(ref));
        if (assign != replaced.end() && assign->second != i) producers[assign->second].push_back(i);
      }
    }
  }
}

}  // namespace alknet::graph
