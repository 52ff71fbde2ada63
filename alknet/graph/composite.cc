#include "alknet/graph/composite.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/graph/analysis.h"
#include "alknet/graph/case_writer.h"
#include "alknet/graph/composers.h"
#include "alknet/graph/error.h"

namespace alknet::graph {
namespace {

std::vector<Ref> write_cases(NodeWriter& writer, const CompositeCall& call, const std::vector<GraphCase>& cases) {
  CaseWriter::Values values;
  for (std::size_t i = 0; i < call.op.inputs.size(); ++i) values[call.op.inputs[i].name] = call.inputs[i];
  CaseWriter nodes(writer, call.attrs, std::move(values), [](const Ref& ref) { return ref; });
  for (const GraphCase& each : cases) {
    if (!nodes.applies(each)) continue;
    std::vector<Ref> outputs;
    for (const auto& output : call.op.outputs) outputs.push_back(nodes.write(each, each.results.at(output.name)));
    return outputs;
  }
  throw Error(GraphError::kBadAttribute,
              fmt::format("[{}] is not defined for these inputs and attributes", call.op.name),
              JsonObject{{"op", call.op.name}});
}

/// The dtypes of the outputs by the entry.
std::vector<Dtype> declared_dtypes(const NodeWriter& writer, const CompositeCall& call) {
  std::vector<std::vector<DtypeOperand>> operands;
  for (const auto& refs : call.inputs) {
    operands.emplace_back();
    for (const Ref& ref : refs) {
      if (ref.scalar) {
        operands.back().push_back({Dtype::kF32, true, ref.scalar});
      } else {
        const auto& [dtype, shape] = writer.type(ref);
        operands.back().push_back({dtype, shape.empty(), std::nullopt});
      }
    }
  }
  return infer_dtypes(call.op, operands, call.attrs).outputs;
}

/// Replaces one composite after the other.
class Expander {
 public:
  Expander(const Graph& graph, const OpTable& ops, bool keep_names)
      : ops_(ops), keep_names_(keep_names), typed_(infer(graph, ops)), original_(graph) {
    result_.graph = graph;
  }

  Expansion run() && {
    NodeWriter writer(result_.graph, ops_, typed_.types);
    result_.graph.nodes.clear();
    for (const std::size_t index : typed_.order) {
      Node node = original_.nodes[index];
      for (auto& refs : node.inputs) {
        for (Ref& ref : refs) ref = result_.current(ref);
      }
      const OpSpec& op = ops_.at(node.op);
      if (op.composite()) {
        expand(writer, op, std::move(node));
      } else {
        result_.graph.nodes.push_back(std::move(node));
      }
    }
    for (auto& output : result_.graph.outputs) output.value = result_.current(output.value);
    return std::move(result_);
  }

 private:
  void expand(NodeWriter& writer, const OpSpec& op, Node node) {
    auto& nodes = result_.graph.nodes;
    const std::size_t first = nodes.size();
    node.inputs.resize(op.inputs.size());
    writer.forget();
    writer.set_origin(
        {node.id + ".", node.path.empty() ? node.id : node.path, node.source, node.no_grad, node.checkpoint});
    auto outputs = writer.call(op.name, node.inputs, node.attrs);
    if (keep_names_) keep_apart(writer, outputs, first);
    if (keep_names_ && outputs.size() == 1 && !op.outputs.front().variadic)
      return rename(outputs.front(), node.id, first);
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      result_.replaced.emplace(Ref{node.id, k, std::nullopt}.text(), std::move(outputs[k]));
    }
  }

  /// Gives outputs that are operands, or one twice, a node of their own.
  void keep_apart(NodeWriter& writer, std::vector<Ref>& outputs, std::size_t first) const {
    const auto& nodes = result_.graph.nodes;
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      const bool made = std::any_of(nodes.begin() + static_cast<std::ptrdiff_t>(first), nodes.end(),
                                    [&](const Node& node) { return node.id == outputs[k].name; });
      const auto same = [&](const Ref& ref) { return ref == outputs[k]; };
      if (made && std::none_of(outputs.begin(), outputs.begin() + static_cast<std::ptrdiff_t>(k), same)) continue;
      writer.forget();
      outputs[k] = writer.node("expand", {outputs[k]}, {{"size", dim_attribute(writer.type(outputs[k]).shape)}});
    }
  }

  /// Names the node that made `output` `id`.
  void rename(const Ref& output, const std::string& id, std::size_t first) {
    auto& nodes = result_.graph.nodes;
    const std::string old = output.name;
    for (std::size_t i = first; i < nodes.size(); ++i) {
      if (nodes[i].id == old) nodes[i].id = id;
      for (auto& refs : nodes[i].inputs) {
        for (Ref& ref : refs) {
          if (ref.name == old) ref.name = id;
        }
      }
    }
    if (output.output > 0) result_.replaced.emplace(id, Ref{id, output.output, std::nullopt});
  }

  const OpTable& ops_;
  bool keep_names_;
  TypedGraph typed_;
  const Graph& original_;
  Expansion result_;
};

}  // namespace

std::vector<Ref> write_composite(NodeWriter& writer, const CompositeCall& call) {
  try {
    const auto& forward = std::get<CompositeForward>(call.op.forward);
    std::vector<Ref> outputs;
    if (forward.composer.empty()) {
      outputs = write_cases(writer, call, forward.cases);
    } else {
      Composition composition(writer, call);
      outputs = composer(forward.composer).write(composition);
    }
    const auto dtypes = declared_dtypes(writer, call);
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      const Dtype dtype = dtypes[std::min(k, dtypes.size() - 1)];
      Ref& output = outputs[k];
      output = output.scalar ? writer.number(output.scalar->number, dtype) : writer.cast(output, dtype);
    }
    return outputs;
  } catch (const Error& error) {
    const std::string name = fmt::format("[{}] ", call.op.name);
    if (error.message().starts_with(name)) throw;
    throw Error(error.code(), name + error.message(), error.details());
  }
}

std::vector<ValueType> composite_types(const OpSpec& op, const JsonObject& attrs, const Node& node,
                                       const std::map<std::string, ValueType, std::less<>>& types, const OpTable& ops) {
  Graph scratch;
  NodeWriter::Types own;
  std::vector<std::vector<Ref>> inputs(op.inputs.size());
  for (std::size_t i = 0; i < std::min(inputs.size(), node.inputs.size()); ++i) {
    for (const Ref& ref : node.inputs[i]) {
      if (ref.absent()) continue;
      inputs[i].push_back(ref);
      if (ref.scalar || own.contains(ref.text())) continue;
      const ValueType& type = types.find(ref.text())->second;
      own.emplace(ref.text(), type);
      scratch.inputs.push_back({ref.text(), type.dtype, type.shape});
    }
  }
  NodeWriter writer(scratch, ops, std::move(own));
  std::vector<ValueType> outputs;
  for (const Ref& output : writer.call(op.name, inputs, attrs)) outputs.push_back(writer.type(output));
  return outputs;
}

Ref Expansion::current(const Ref& ref) const {
  if (ref.scalar || ref.absent()) return ref;
  const auto found = replaced.find(ref.text());
  return found == replaced.end() ? ref : found->second;
}

Expansion expand_composites(const Graph& graph, const OpTable& ops, bool keep_names) {
  const bool any = std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
    const OpSpec* op = ops.find(node.op);
    return op != nullptr && op->composite();
  });
  if (!any) return {graph, {}};
  return Expander(graph, ops, keep_names).run();
}

}  // namespace alknet::graph
