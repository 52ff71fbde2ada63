#include <algorithm>
#include <set>

#include "alknet/compute/passes/passes.h"

namespace alknet::compute {
namespace {

using Names = std::set<std::string, std::less<>>;

void add_names(const graph::SymbolicShape& shape, Names& names) {
  for (const auto& dim : shape) {
    for (auto& name : dim.names()) names.insert(std::move(name));
  }
}

void add_names(const Json& value, Names& names) {
  if (const auto* items = value.if_array()) {
    for (const Json& item : *items) add_names(item, names);
  } else if (value.is_string()) {
    add_names(graph::SymbolicShape{graph::dim_from_attribute(value)}, names);
  }
}

Names names_in(const OpSpec& op, const JsonObject& attrs) {
  Names names;
  for (const auto& parameter : op.parameters) {
    const Json* value = parameter.dimensions ? attrs.if_contains(parameter.name) : nullptr;
    if (value) add_names(*value, names);
  }
  return names;
}

Names names_in(const PlanValue& value) {
  Names names = value.view ? names_in(*value.view, value.view_attrs) : Names();
  add_names(value.shape, names);
  if (value.target) add_names(value.target->start, names);
  return names;
}

Names names_in(const PlanStep& step) {
  return step.computation.op ? names_in(*step.computation.op, step.computation.attrs) : Names();
}

}  // namespace

std::vector<std::uint32_t> find_size_inputs(const PlanProgram& program, const graph::Graph& graph) {
  Names used, bound;
  for (const PlanValue& value : program.values) used.merge(names_in(value));
  for (const PlanStep& step : program.steps) used.merge(names_in(step));
  for (const auto& input : graph.inputs) add_names(input.shape, bound);
  for (const auto& state : graph.states) add_names(state.shape, bound);
  std::vector<std::uint32_t> inputs;
  for (std::uint32_t i = 0; i < graph.inputs.size(); ++i) {
    const auto& input = graph.inputs[i];
    if (graph::is_size_input(input) && used.contains(input.name) && !bound.contains(input.name)) inputs.push_back(i);
  }
  return inputs;
}

SizedParts find_sized_parts(const PlanProgram& program, const graph::Graph& graph,
                            std::span<const std::uint32_t> size_inputs) {
  if (size_inputs.empty()) return {};
  Names sizes;
  for (const std::uint32_t input : size_inputs) sizes.insert(graph.inputs[input].name);
  const auto mentions = [&](const Names& names) {
    return std::any_of(names.begin(), names.end(), [&](const auto& name) { return sizes.contains(name); });
  };
  SizedParts parts;
  std::vector<bool> sized(program.values.size());
  for (std::uint32_t v = 0; v < sized.size(); ++v) {
    const PlanValue& value = program.values[v];
    const bool refers = value.source == ValueSource::kView || value.source == ValueSource::kVersion;
    sized[v] = mentions(names_in(value)) || (refers && sized[value.index]);
    if (sized[v]) parts.values.push_back(v);
  }
  for (std::uint32_t s = 0; s < program.steps.size(); ++s) {
    const PlanStep& step = program.steps[s];
    const bool reads =
        std::any_of(step.inputs.begin(), step.inputs.end(), [&](const auto& input) { return input && sized[*input]; });
    const bool writes =
        std::any_of(step.outputs.begin(), step.outputs.end(), [&](auto output) { return sized[output]; });
    if (reads || writes || mentions(names_in(step))) parts.steps.push_back(s);
  }
  return parts;
}

}  // namespace alknet::compute
