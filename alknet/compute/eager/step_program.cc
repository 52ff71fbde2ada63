#include "alknet/compute/eager/step_program.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/compute/eager/apply.h"
#include "alknet/compute/eager/context_state.h"
#include "alknet/graph/validate.h"

namespace alknet::compute {
namespace {

/// Nodes of `graph` that the outputs named depend on, producers first.
std::vector<std::size_t> needed_nodes(const graph::Graph& graph, std::span<const std::string> outputs,
                                      const std::vector<std::size_t>& order) {
  std::set<std::string, std::less<>> wanted;
  for (const auto& output : graph.outputs) {
    if (std::find(outputs.begin(), outputs.end(), output.name) != outputs.end()) wanted.insert(output.value.name);
  }
  std::vector<std::size_t> needed;
  for (std::size_t i = order.size(); i-- > 0;) {
    const graph::Node& node = graph.nodes[order[i]];
    if (!wanted.contains(node.id)) continue;
    needed.push_back(order[i]);
    for (const auto& refs : node.inputs) {
      for (const graph::Ref& ref : refs) wanted.insert(ref.name);
    }
  }
  std::reverse(needed.begin(), needed.end());
  return needed;
}

}  // namespace

StepProgram::StepProgram(ContextState& context, std::shared_ptr<Backend> backend, const graph::Graph& graph,
                         std::span<const std::string> outputs)
    : backend_(std::move(backend)), input_count_(graph.inputs.size()), read_(graph.inputs.size(), false) {
  std::map<std::string, std::uint32_t, std::less<>> values;
  for (const auto& input : graph.inputs) values[input.name] = value_count_++;
  for (const auto& constant : graph.constants) {
    values[constant.name] = value_count_++;
    auto buffer = context.buffers->allocate(backend_, constant.data.size(), "constant");
    if (!constant.data.empty()) backend_->write(*buffer->memory(), 0, constant.data.span());
    constants_.push_back({std::move(buffer),
                          context.layouts.intern({constant.shape, graph::contiguous_strides(constant.shape), 0}),
                          constant.dtype});
  }
  const auto operand = [&](const graph::Ref& ref) -> Operand {
    if (ref.scalar) return {{}, ref.scalar};
    if (ref.absent()) return {};
    const std::uint32_t value = values.at(ref.text());
    if (value < input_count_) read_[value] = true;
    return {value, {}};
  };
  const auto typed = graph::infer(graph, *context.ops);
  for (const std::size_t index : needed_nodes(graph, outputs, typed.order)) {
    const graph::Node& node = graph.nodes[index];
    Step step;
    step.op = &context.ops->at(node.op);
    step.attrs = node.attrs;
    step.key = attributes_key(step.attrs);
    for (const auto& refs : node.inputs) {
      step.inputs.emplace_back();
      for (const graph::Ref& ref : refs) step.inputs.back().push_back(operand(ref));
    }
    step.first_output = value_count_;
    for (std::size_t k = 0; k < step.op->outputs.size(); ++k) {
      values[graph::Ref{node.id, k, std::nullopt}.text()] = value_count_++;
    }
    steps_.push_back(std::move(step));
  }
  for (const std::string& name : outputs) {
    const auto output = std::find_if(graph.outputs.begin(), graph.outputs.end(),
                                     [&](const graph::GraphOutput& candidate) { return candidate.name == name; });
    outputs_.push_back(operand(output->value));
  }
  std::vector<bool> live(value_count_, false);
  for (const Operand& output : outputs_) {
    if (output.value) live[*output.value] = true;
  }
  for (std::size_t s = steps_.size(); s-- > 0;) {
    for (const auto& list : steps_[s].inputs) {
      for (const Operand& read : list) {
        if (!read.value || live[*read.value]) continue;
        live[*read.value] = true;
        steps_[s].last_reads.push_back(*read.value);
      }
    }
  }
}

std::vector<Tensor> StepProgram::run(const std::shared_ptr<ContextState>& context, std::vector<Tensor> inputs) const {
  std::vector<Tensor> values = std::move(inputs);
  values.resize(value_count_);
  for (std::size_t i = 0; i < constants_.size(); ++i) {
    values[input_count_ + i] = TensorAccess::make(constants_[i], context);
  }
  for (const Step& step : steps_) {
    std::vector<Argument> arguments;
    std::vector<std::vector<Tensor>> lists;
    lists.reserve(step.inputs.size());  // arguments point into it
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const auto& operands = step.inputs[i];
      if (step.op->inputs[i].variadic) {
        lists.emplace_back();
        for (const Operand& each : operands) lists.back().push_back(values[each.value.value()]);
        arguments.emplace_back(lists.back());
      } else if (operands.empty() || (!operands.front().value && !operands.front().scalar)) {
        arguments.emplace_back();
      } else if (operands.front().scalar) {
        arguments.emplace_back(*operands.front().scalar);
      } else {
        arguments.emplace_back(values[*operands.front().value]);
      }
    }
    apply(*context, *step.op, arguments, {step.key, [&] { return step.attrs; }},
          {std::span(values).subspan(step.first_output, step.op->outputs.size())}, &backend_);
    for (const std::uint32_t value : step.last_reads) values[value] = {};
  }
  std::vector<Tensor> results;
  for (const Operand& output : outputs_) results.push_back(values[output.value.value()]);
  return results;
}

}  // namespace alknet::compute
