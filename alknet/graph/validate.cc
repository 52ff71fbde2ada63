#include "alknet/graph/validate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>
#include <utility>

#include "alknet/base/near_names.h"
#include "alknet/graph/analysis.h"
#include "alknet/graph/composite.h"
#include "alknet/graph/order.h"

namespace alknet::graph {
namespace {

/// Problems written out in the message of `graph_invalid`; details hold all.
constexpr std::size_t kShownProblems = 20;

/// One walk over a graph.
class Analyzer {
 public:
  Analyzer(const Graph& graph, const OpTable& ops) : graph_(graph), ops_(ops), sources_(value_sources(graph)) {}

  Analysis run() && {
    result_.dtypes.resize(graph_.nodes.size());
    check_declarations(graph_, result_.problems);
    check_initializers(graph_, result_.problems);
    check_unbound_dims(graph_, ops_, result_.problems);
    for (const auto& input : graph_.inputs) type(input.name, {input.dtype, input.shape});
    for (const auto& state : graph_.states) type(state.name, {state.dtype, state.shape});
    for (const auto& constant : graph_.constants) {
      type(constant.name, {constant.dtype, SymbolicShape(constant.shape.begin(), constant.shape.end())});
    }
    for (const auto& node : graph_.nodes) usable_.push_back(check_operands(node));
    for (const std::size_t index : order()) {
      if (usable_[index]) type_node(index);
    }
    for (const auto& output : graph_.outputs) check_output(output);
    return std::move(result_);
  }

 private:
  void problem(const Node& node, GraphError code, std::string message) {
    report(result_.problems, node_place(node), code, std::move(message));
  }

  void type(const std::string& name, ValueType value) { result_.typed.types.try_emplace(name, std::move(value)); }

  /// What is wrong with a reference to a value, or an empty text.
  std::string ref_problem(const Ref& ref) const {
    const auto source = sources_.find(ref.name);
    if (source == sources_.end()) {
      std::vector<std::string_view> names;
      constexpr std::size_t kCompared = 2000;
      for (const auto& [name, unused] : sources_) {
        if (names.size() < kCompared) names.push_back(name);
      }
      return fmt::format("there is no value \"{}\"{}", ref.name, did_you_mean(ref.name, names));
    }
    std::size_t outputs = 1;
    if (source->second.kind == ValueSource::Kind::kNode) {
      const OpSpec* op = ops_.find(graph_.nodes[source->second.index].op);
      if (op == nullptr) return {};                 // reported at that node
      if (op->outputs.front().variadic) return {};  // known when its node is typed
      outputs = op->outputs.size();
    }
    if (ref.output < outputs) return {};
    return no_output(ref, outputs);
  }

  static std::string no_output(const Ref& ref, std::size_t outputs) {
    return fmt::format("\"{}\" names output {}, but there {} {}", ref.text(), ref.output, outputs == 1 ? "is" : "are",
                       outputs);
  }

  /// The same of an output that a node with a list of them does not have.
  std::string list_problem(const Ref& ref) const {
    const auto source = sources_.find(ref.name);
    if (source == sources_.end() || source->second.kind != ValueSource::Kind::kNode) return {};
    const auto count = output_counts_.find(source->second.index);
    return count == output_counts_.end() || ref.output < count->second ? "" : no_output(ref, count->second);
  }

  void check_list_refs(const std::string& where, const Node& node) {
    for (const auto& refs : node.inputs) {
      for (const Ref& ref : refs) {
        if (auto wrong = list_problem(ref); !wrong.empty()) {
          report(result_.problems, where, GraphError::kUnknownRef, std::move(wrong));
        }
      }
    }
  }

  /// Problems of a node that need no types. False when typing it would only repeat them.
  bool check_operands(const Node& node) {
    const std::size_t before = result_.problems.size();
    const OpSpec* op = ops_.find(node.op);
    if (op == nullptr) {
      try {
        ops_.at(node.op);
      } catch (const Error& error) {
        report(result_.problems, node_place(node), error);
      }
    }
    for (const auto& refs : node.inputs) {
      for (const Ref& ref : refs) {
        if (ref.name.empty()) continue;
        if (auto wrong = ref_problem(ref); !wrong.empty()) problem(node, GraphError::kUnknownRef, std::move(wrong));
      }
    }
    if (op != nullptr) check_arity(node, *op);
    return result_.problems.size() == before;
  }

  void check_arity(const Node& node, const OpSpec& op) {
    if (node.inputs.size() > op.inputs.size()) {
      problem(node, GraphError::kBadOperand,
              fmt::format("[{}] takes {} input(s) but gets {}", op.name, op.inputs.size(), node.inputs.size()));
      return;
    }
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      const auto& input = op.inputs[i];
      const std::vector<Ref> none;
      const auto& refs = i < node.inputs.size() ? node.inputs[i] : none;
      const auto absent = std::count_if(refs.begin(), refs.end(), [](const Ref& ref) { return ref.absent(); });
      const bool empty = static_cast<std::size_t>(absent) == refs.size();
      if (empty && !input.optional) {
        problem(node, GraphError::kMissingInput, fmt::format("[{}] the input \"{}\" is missing", op.name, input.name));
      }
      if (!empty && refs.size() > 1 && !input.variadic) {
        problem(
            node, GraphError::kBadOperand,
            fmt::format("[{}] the input \"{}\" takes one value, not a list of {}", op.name, input.name, refs.size()));
      }
      if (!empty && absent > 0) {
        problem(node, GraphError::kBadOperand, fmt::format("[{}] the list \"{}\" has a gap", op.name, input.name));
      }
    }
  }

  std::vector<std::size_t> order() {
    std::vector<std::vector<std::size_t>> producers(graph_.nodes.size());
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      for (const auto& refs : graph_.nodes[i].inputs) {
        for (const Ref& ref : refs) {
          const auto source = sources_.find(ref.name);
          if (source != sources_.end() && source->second.kind == ValueSource::Kind::kNode) {
            producers[i].push_back(source->second.index);
          }
        }
      }
    }
    order_assigns(graph_, ops_, sources_, producers, result_.problems);
    NodeOrder found = order_nodes(producers);
    for (const auto& cycle : found.cycles) {
      std::vector<std::string> path;
      constexpr std::size_t kShown = 20;
      for (const std::size_t index : std::span(cycle).first(std::min(cycle.size(), kShown))) {
        path.push_back(graph_.nodes[index].id);
      }
      if (cycle.size() > kShown) path.push_back(fmt::format("... {} more", cycle.size() - kShown));
      path.push_back(path.front());
      problem(graph_.nodes[cycle.front()], GraphError::kCycle,
              fmt::format("depends on itself: {}{}", fmt::join(path, " -> "), assign_hint(cycle)));
    }
    result_.typed.order = found.order;
    return std::move(found.order);
  }

  /// Why a cycle may go through no operand.
  std::string_view assign_hint(const std::vector<std::size_t>& cycle) const {
    const bool assigns =
        std::any_of(cycle.begin(), cycle.end(), [&](std::size_t index) { return graph_.nodes[index].op == kAssign; });
    return assigns ? "; an assign runs after all that reads the version it replaces: copy that version with "
                     "\"contiguous\", or read the assign's result"
                   : std::string_view();
  }

  /// Types a node's outputs; leaves them out when an operand has no type, whose cause is reported already.
  void type_node(std::size_t index) {
    const Node& node = graph_.nodes[index];
    const OpSpec& op = ops_.at(node.op);
    try {
      auto typed = type_call(op, node, result_.typed.types, ops_);
      if (!typed) return check_list_refs(node_place(node), node);
      output_counts_[index] = typed->outputs.size();
      for (std::size_t k = 0; k < typed->outputs.size(); ++k) {
        type(Ref{node.id, k, std::nullopt}.text(), std::move(typed->outputs[k]));
      }
      result_.dtypes[index] = std::move(typed->dtypes);
    } catch (const Error& error) {
      report(result_.problems, node_place(node), error);
    }
  }

  void check_output(const GraphOutput& output) {
    const std::string where = "output " + output.name;
    if (output.value.scalar || output.value.absent()) {
      report(result_.problems, where, GraphError::kBadOperand, "must be a value of the graph, not a scalar or nothing");
    } else if (auto wrong = ref_problem(output.value); !wrong.empty()) {
      report(result_.problems, where, GraphError::kUnknownRef, std::move(wrong));
    } else if (auto missing = list_problem(output.value); !missing.empty()) {
      report(result_.problems, where, GraphError::kUnknownRef, std::move(missing));
    }
  }

  const Graph& graph_;
  const OpTable& ops_;
  ValueSources sources_;
  std::vector<bool> usable_;
  std::map<std::size_t, std::size_t> output_counts_;  ///< By node, once typed.
  Analysis result_;
};

}  // namespace

ValueSources value_sources(const Graph& graph) {
  using Kind = ValueSource::Kind;
  ValueSources sources;
  const auto add = [&](const std::string& name, Kind kind, std::size_t index) {
    sources.try_emplace(name, ValueSource{kind, index});
  };
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) add(graph.inputs[i].name, Kind::kInput, i);
  for (std::size_t i = 0; i < graph.states.size(); ++i) add(graph.states[i].name, Kind::kState, i);
  for (std::size_t i = 0; i < graph.constants.size(); ++i) add(graph.constants[i].name, Kind::kConstant, i);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) add(graph.nodes[i].id, Kind::kNode, i);
  return sources;
}

std::string node_place(const Node& node) {
  return node.path.empty() ? node.id : fmt::format("{} ({})", node.path, node.id);
}

void report(std::vector<Problem>& problems, std::string where, GraphError code, std::string message) {
  problems.push_back({std::move(where), make_error_code(code).message(), std::move(message)});
}

void report(std::vector<Problem>& problems, std::string where, const Error& error) {
  problems.push_back({std::move(where), error.code_name(), error.message()});
}

namespace {

/// Operands as the rules of dtypes and shapes see them.
struct CallOperands {
  std::vector<std::vector<DtypeOperand>> dtypes;
  std::vector<std::optional<SymbolicShape>> shapes;
};

/// Nothing when an operand has no type.
std::optional<CallOperands> call_operands(const OpSpec& op, const Node& node,
                                          const std::map<std::string, ValueType, std::less<>>& types) {
  CallOperands operands;
  operands.dtypes.resize(op.inputs.size());
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    const std::vector<Ref> none;
    const auto& refs = i < node.inputs.size() ? node.inputs[i] : none;
    if (refs.empty() || refs.front().absent()) operands.shapes.emplace_back(std::nullopt);
    for (const Ref& ref : refs) {
      if (ref.absent()) continue;
      if (ref.scalar) {
        operands.dtypes[i].push_back({Dtype::kF32, true, ref.scalar});
        operands.shapes.emplace_back(SymbolicShape{});
        continue;
      }
      const auto found = types.find(ref.text());
      if (found == types.end()) return std::nullopt;
      operands.dtypes[i].push_back({found->second.dtype, found->second.shape.empty(), std::nullopt});
      operands.shapes.emplace_back(found->second.shape);
    }
  }
  return operands;
}

}  // namespace

std::optional<OpDtypes> call_dtypes(const OpSpec& op, const Node& node,
                                    const std::map<std::string, ValueType, std::less<>>& types) {
  const auto operands = call_operands(op, node, types);
  if (!operands) return std::nullopt;
  return infer_dtypes(op, operands->dtypes, complete_attributes(op, node.attrs));
}

std::optional<CallTypes> type_call(const OpSpec& op, const Node& node,
                                   const std::map<std::string, ValueType, std::less<>>& types, const OpTable& ops) {
  const auto operands = call_operands(op, node, types);
  if (!operands) return std::nullopt;
  const JsonObject attrs = complete_attributes(op, node.attrs);
  CallTypes typed;
  typed.dtypes = infer_dtypes(op, operands->dtypes, attrs);
  if (op.composite() && !has_shape_rule(op.shape)) {
    typed.outputs = composite_types(op, attrs, node, types, ops);
    return typed;
  }
  const auto output_shapes = infer_shapes(op, operands->shapes, attrs);
  for (std::size_t k = 0; k < op.outputs.size(); ++k) {
    typed.outputs.push_back({typed.dtypes.outputs[k], output_shapes[k]});
  }
  return typed;
}

Analysis analyze(const Graph& graph, const OpTable& ops) { return Analyzer(graph, ops).run(); }

Analysis analyze_valid(const Graph& graph, const OpTable& ops) {
  Analysis analysis = analyze(graph, ops);
  if (analysis.problems.empty()) return analysis;
  const auto& problems = analysis.problems;
  std::string message = fmt::format("the graph has {} problem(s):", problems.size());
  JsonArray list;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    const auto& [where, code, text] = problems[i];
    if (i < kShownProblems) message += fmt::format("\n  {}: {}", where, text);
    list.push_back(JsonObject{{"where", where}, {"code", code}, {"message", text}});
  }
  if (problems.size() > kShownProblems) message += fmt::format("\n  and {} more", problems.size() - kShownProblems);
  throw Error(GraphError::kGraphInvalid, std::move(message), JsonObject{{"problems", std::move(list)}});
}

std::vector<Problem> validate(const Graph& graph, const OpTable& ops) { return analyze(graph, ops).problems; }

TypedGraph infer(const Graph& graph, const OpTable& ops) { return analyze_valid(graph, ops).typed; }

}  // namespace alknet::graph
