#include "alknet/graph/cut.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>

#include "alknet/base/error.h"
#include "alknet/graph/validate.h"

namespace alknet::graph {
namespace {

class Cutter {
 public:
  Cutter(const Graph& graph, FunctionRef<std::string(const State&)> group, const OpTable& ops)
      : graph_(graph), typed_(infer(graph, ops)) {
    for (const State& state : graph.states) {
      if (state.scope != StateScope::kStore) refuse(state.name + " is a state of a session");
      groups_.emplace(state.name, group(state));
    }
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) node_by_id_.emplace(graph.nodes[i].id, i);
    node_stage_.resize(graph.nodes.size());
    for (const std::size_t index : typed_.order) place(index);
  }

  std::vector<Graph> run() {
    std::vector<Graph> stages(std::max<std::size_t>(stage_of_group_.size(), 1));
    std::vector<std::set<std::string>> outputs(stages.size()), inputs(stages.size());
    for (std::size_t i = 0; i < stages.size(); ++i) {
      stages[i].dims = graph_.dims;
      stages[i].inputs = graph_.inputs;
    }
    // Nodes keep the order of the document.
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      Node node = graph_.nodes[i];
      const std::size_t stage = node_stage_[i];
      for (auto& refs : node.inputs) {
        for (Ref& ref : refs) cross(ref, stage, stages, inputs, outputs);
      }
      stages[stage].nodes.push_back(std::move(node));
    }
    for (const GraphOutput& output : graph_.outputs) {
      const auto node = node_by_id_.find(output.value.name);
      const std::size_t stage = node == node_by_id_.end() ? stages.size() - 1 : node_stage_[node->second];
      stages[stage].outputs.push_back(output);
    }
    for (std::size_t i = 0; i < stages.size(); ++i) declare_used(stages[i]);
    return stages;
  }

 private:
  [[noreturn]] static void refuse(const std::string& why) {
    throw Error(BaseError::kUnsupported, "[cut_by_states] " + why +
                                             ": only graphs that leave states as they are can "
                                             "begin before all of their parameters are there");
  }

  void place(std::size_t index) {
    const Node& node = graph_.nodes[index];
    if (node.op == kAssign) refuse(node.id + " assigns to a state");
    std::size_t stage = 0;
    for (const auto& refs : node.inputs) {
      for (const Ref& ref : refs) {
        if (const auto group = groups_.find(ref.name); group != groups_.end()) {
          stage = std::max(stage, stage_of_group_.try_emplace(group->second, stage_of_group_.size()).first->second);
        } else if (const auto producer = node_by_id_.find(ref.name); producer != node_by_id_.end()) {
          stage = std::max(stage, node_stage_[producer->second]);
        }
      }
    }
    node_stage_[index] = stage;
  }

  /// Makes a use of an earlier stage's value one of an input.
  void cross(Ref& ref, std::size_t stage, std::vector<Graph>& stages, std::vector<std::set<std::string>>& inputs,
             std::vector<std::set<std::string>>& outputs) const {
    const auto producer = node_by_id_.find(ref.name);
    if (producer == node_by_id_.end() || node_stage_[producer->second] == stage) return;
    const std::size_t from = node_stage_[producer->second];
    const std::string name = fmt::format("cut.{}.{}", ref.name, ref.output);
    if (outputs[from].insert(name).second) stages[from].outputs.push_back({name, ref});
    if (inputs[stage].insert(name).second) {
      const ValueType& type = typed_.types.find(ref.text())->second;
      stages[stage].inputs.push_back({name, type.dtype, type.shape});
    }
    ref = Ref{name, 0, std::nullopt};
  }

  void declare_used(Graph& stage) const {
    std::set<std::string, std::less<>> used;
    for (const Node& node : stage.nodes) {
      for (const auto& refs : node.inputs) {
        for (const Ref& ref : refs) used.insert(ref.name);
      }
    }
    for (const GraphOutput& output : stage.outputs) used.insert(output.value.name);
    const auto is_used = [&](const auto& declared) { return used.contains(declared.name); };
    std::ranges::copy_if(graph_.states, std::back_inserter(stage.states), is_used);
    std::ranges::copy_if(graph_.constants, std::back_inserter(stage.constants), is_used);
  }

  const Graph& graph_;
  const TypedGraph typed_;
  std::map<std::string, std::string, std::less<>> groups_;  // by state
  std::map<std::string, std::size_t, std::less<>> node_by_id_;
  std::map<std::string, std::size_t> stage_of_group_;
  std::vector<std::size_t> node_stage_;
};

}  // namespace

std::string layer_of(std::string_view parameter) {
  const auto is_number = [](std::string_view word) {
    return !word.empty() && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
  };
  for (std::size_t begin = 0; begin < parameter.size();) {
    const std::size_t end = std::min(parameter.find('.', begin), parameter.size());
    if (is_number(parameter.substr(begin, end - begin))) return std::string(parameter.substr(0, end));
    begin = end + 1;
  }
  return std::string(parameter.substr(0, parameter.find('.')));
}

std::vector<Graph> cut_by_states(const Graph& graph, FunctionRef<std::string(const State&)> group, const OpTable& ops) {
  return Cutter(graph, group, ops).run();
}

}  // namespace alknet::graph
