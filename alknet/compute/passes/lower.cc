#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "alknet/base/error.h"
#include "alknet/compute/passes/passes.h"

namespace alknet::compute {
namespace {

using graph::Ref;

/// An element-wise computation of one operation.
Computation elementwise_computation(const OpSpec& op, JsonObject attrs, std::vector<Dtype> inputs,
                                    std::vector<ElementwiseProgram::Argument> arguments, Dtype output) {
  Computation computation;
  computation.inputs.assign(inputs.begin(), inputs.end());
  computation.outputs = {output};
  computation.program.outputs = {static_cast<std::uint32_t>(inputs.size())};
  computation.program.inputs = std::move(inputs);
  computation.program.steps = {{&op, std::move(attrs), std::move(arguments), output}};
  return computation;
}

class Lowering {
 public:
  Lowering(const graph::Graph& graph, const graph::TypedGraph& types, const graph::OpTable& ops)
      : graph_(graph), types_(types), ops_(ops), copy_(ops.at("contiguous")) {}

  PlanProgram run() {
    const auto declare = [&](const auto& list, ValueSource source) {
      for (std::uint32_t i = 0; i < list.size(); ++i) {
        const auto& type = types_.types.at(list[i].name);
        names_[list[i].name] = add({source, i, type.dtype, type.shape});
      }
    };
    declare(graph_.inputs, ValueSource::kInput);
    declare(graph_.states, ValueSource::kState);
    declare(graph_.constants, ValueSource::kConstant);
    outputs_.resize(graph_.outputs.size());
    for (const std::size_t index : types_.order) lower_node(graph_.nodes[index]);
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      if (!outputs_[i]) outputs_[i] = lower_output(value_of(graph_.outputs[i].value), graph_.outputs[i].name);
    }
    for (const auto& output : outputs_) program_.outputs.push_back(*output);
    return std::move(program_);
  }

 private:
  std::uint32_t add(PlanValue value) {
    program_.values.push_back(std::move(value));
    return static_cast<std::uint32_t>(program_.values.size() - 1);
  }

  std::uint32_t value_of(const Ref& ref) const { return names_.at(ref.text()); }

  /// Adds a step with one new value per output type.
  std::uint32_t add_step(Computation computation, std::vector<std::optional<std::uint32_t>> inputs,
                         const std::vector<graph::ValueType>& outputs, std::string path) {
    const auto step = static_cast<std::uint32_t>(program_.steps.size());
    std::vector<std::uint32_t> values;
    for (const auto& type : outputs) values.push_back(add({ValueSource::kStep, step, type.dtype, type.shape}));
    const std::uint32_t first = values.front();
    program_.steps.push_back(
        {std::move(computation), std::move(inputs), std::move(values), std::move(path), false, {}, nullptr});
    return first;
  }

  std::uint32_t copy(std::uint32_t value, const std::string& path) {
    const PlanValue from = program_.values[value];
    return add_step(elementwise_computation(copy_, {}, {from.dtype}, {{0, {}}}, from.dtype), {value},
                    {{from.dtype, from.shape}}, path);
  }

  void lower_node(const graph::Node& node) {
    const OpSpec& op = ops_.at(node.op);
    const JsonObject attrs = graph::complete_attributes(op, node.attrs);
    const std::string path = node.path.empty() ? node.id : node.path;
    std::vector<graph::ValueType> outputs;
    for (std::size_t k = 0; k < op.outputs.size(); ++k) {
      outputs.push_back(types_.types.at(Ref{node.id, k, {}}.text()));
    }
    if (op.name == graph::kAssign) {
      names_[node.id] = lower_assign(attrs, value_of(node.inputs[0].front()), value_of(node.inputs[1].front()), path);
      return;
    }
    if (op.view()) {
      names_[node.id] = lower_view(op, attrs, value_of(node.inputs.front().front()), outputs.front(), path);
      return;
    }
    const std::uint32_t first = op.elementwise() ? lower_elementwise(op, attrs, node, outputs, path)
                                                 : lower_structured(op, attrs, node, outputs, path);
    program_.steps.back().recomputed = node.checkpoint;
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      names_[Ref{node.id, k, {}}.text()] = first + static_cast<std::uint32_t>(k);
    }
  }

  std::uint32_t lower_view(const OpSpec& op, const JsonObject& attrs, std::uint32_t input,
                           const graph::ValueType& output, const std::string& path) {
    const bool keeps = graph::view_keeps_contiguous(op);
    if (keeps && !program_.values[input].contiguous) input = copy(input, path);
    PlanValue view{ValueSource::kView, input, output.dtype, output.shape};
    view.view = &op;
    view.view_attrs = attrs;
    view.contiguous = keeps;
    return add(std::move(view));
  }

  std::uint32_t lower_elementwise(const OpSpec& op, const JsonObject& attrs, const graph::Node& node,
                                  const std::vector<graph::ValueType>& outputs, const std::string& path) {
    std::vector<Dtype> dtypes;
    std::vector<ElementwiseProgram::Argument> arguments;
    std::vector<std::optional<std::uint32_t>> inputs;
    for (const auto& refs : node.inputs) {
      const Ref& ref = refs.front();
      if (ref.scalar) {
        arguments.push_back({0, ref.scalar});
        continue;
      }
      const std::uint32_t value = value_of(ref);
      arguments.push_back({static_cast<std::uint32_t>(inputs.size()), {}});
      inputs.push_back(value);
      dtypes.push_back(program_.values[value].dtype);
    }
    return add_step(elementwise_computation(op, attrs, std::move(dtypes), std::move(arguments), outputs.front().dtype),
                    std::move(inputs), outputs, path);
  }

  std::uint32_t lower_structured(const OpSpec& op, const JsonObject& attrs, const graph::Node& node,
                                 const std::vector<graph::ValueType>& outputs, const std::string& path) {
    Computation computation;
    computation.op = &op;
    computation.attrs = attrs;
    std::vector<std::optional<std::uint32_t>> inputs;
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      const Ref ref = i < node.inputs.size() && !node.inputs[i].empty() ? node.inputs[i].front() : Ref{};
      if (ref.absent()) {
        inputs.push_back(std::nullopt);
        computation.inputs.push_back(std::nullopt);
        continue;
      }
      inputs.push_back(value_of(ref));
      computation.inputs.push_back(program_.values[*inputs.back()].dtype);
    }
    for (const auto& type : outputs) computation.outputs.push_back(type.dtype);
    return add_step(std::move(computation), std::move(inputs), outputs, path);
  }

  /// Writes `value` over `version` of a state, after what still needs that; returns the new version.
  std::uint32_t lower_assign(const JsonObject& attrs, std::uint32_t version, std::uint32_t value,
                             const std::string& path) {
    if (value == version) return version;
    copy_outputs_of(version);
    const std::uint32_t state = *program_.state_of(version);
    // What lies elsewhere in the same memory would be overwritten while it is read.
    if (program_.state_of(value) == state) value = copy(value, path);
    const std::uint32_t written = copy(value, path);
    PlanValue& target = program_.values[written];
    target.target = StateTarget{state, {}};
    if (attrs.at("at").is_null()) return written;
    for (const Json& start : attrs.at("at").as_array()) {
      target.target->start.push_back(graph::dim_from_attribute(start));
    }
    target.contiguous = false;
    program_.steps[target.index].computation.strided = true;
    return add({ValueSource::kVersion, written, target.dtype, program_.values[version].shape});
  }

  /// Copies the outputs that read a version of a state, which is about to be replaced.
  void copy_outputs_of(std::uint32_t version) {
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const auto value = names_.find(graph_.outputs[i].value.text());
      if (outputs_[i] || value == names_.end() || program_.base(value->second) != program_.base(version)) continue;
      outputs_[i] = lower_output(value->second, graph_.outputs[i].name);
    }
  }

  /// Outputs are fresh and contiguous, so what a step computed for one output only is used as it is.
  std::uint32_t lower_output(std::uint32_t value, const std::string& name) {
    const bool fresh = program_.values[value].source == ValueSource::kStep && !program_.values[value].target &&
                       std::find(outputs_.begin(), outputs_.end(), value) == outputs_.end();
    return fresh ? value : copy(value, fmt::format("output {}", name));
  }

  const graph::Graph& graph_;
  const graph::TypedGraph& types_;
  const graph::OpTable& ops_;
  const OpSpec& copy_;
  PlanProgram program_;
  std::vector<std::optional<std::uint32_t>> outputs_;  ///< By the graph's outputs: those lowered so far.
  std::map<std::string, std::uint32_t, std::less<>> names_;
};

}  // namespace

PlanProgram lower(const graph::Graph& graph, const graph::TypedGraph& types, const graph::OpTable& ops) {
  return Lowering(graph, types, ops).run();
}

}  // namespace alknet::compute
