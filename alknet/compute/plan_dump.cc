#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "alknet/compute/plan.h"

namespace alknet::compute {
namespace {

/// What a step costs as expressions of the dimensions.
struct Cost {
  graph::Dim bytes;
  graph::Dim operations;
};

graph::Dim bytes_of(const PlanValue& value) {
  const graph::Dim blocks =
      graph::Dim::floor_divide(graph::element_count(value.shape), graph::block_values(value.dtype));
  return blocks * graph::Dim(static_cast<std::int64_t>(graph::dtype_bytes(value.dtype)));
}

/// Bytes read and written once, and arithmetic: one operation an element and step, two a product of a matrix product.
Cost cost_of(const PlanProgram& program, const PlanStep& step) {
  Cost cost;
  for (const auto& input : step.inputs) {
    if (input) cost.bytes = cost.bytes + bytes_of(program.values[*input]);
  }
  for (const std::uint32_t output : step.outputs) cost.bytes = cost.bytes + bytes_of(program.values[output]);
  const graph::Dim elements = graph::element_count(program.values[step.outputs.front()].shape);
  cost.operations = elements * graph::Dim(static_cast<std::int64_t>(step.computation.program.steps.size()));
  if (!step.computation.op || step.inputs.empty() || !step.inputs.front()) return cost;
  const auto& first = program.values[*step.inputs.front()].shape;
  const auto* forward = std::get_if<graph::TemplateForward>(&step.computation.op->forward);
  const bool product = forward && forward->name == "matmul" && !first.empty();
  cost.operations = cost.operations + (product ? elements * first.back() * graph::Dim(2) : graph::element_count(first));
  return cost;
}

std::optional<double> number(const graph::Dim& dim, const graph::DimValues& dims) {
  for (const auto& name : dim.names()) {
    if (!dims.contains(name)) return std::nullopt;
  }
  return static_cast<double>(dim.evaluate(dims));
}

std::string bytes_text(double bytes) {
  constexpr std::string_view kUnits[] = {"B", "KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(kUnits); ++unit) bytes /= 1024;
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 1, kUnits[unit]);
}

std::string place_text(const graph::Graph& graph, const PlanValue& value) {
  if (!value.target) return fmt::format("@{}", value.slot);
  const auto& start = value.target->start;
  return fmt::format("-> {}{}", graph.states[value.target->state].name, start.empty() ? "" : graph::shape_text(start));
}

}  // namespace

std::string Plan::dump(const graph::DimValues& dims, std::span<const double> measured) const {
  const DeviceSpeed speed = backend_->nominal_speed();
  std::string text;
  double total_bytes = 0, total_predicted = 0, total_measured = 0;
  bool all_known = true;
  for (std::size_t s = 0; s < program_.steps.size(); ++s) {
    const PlanStep& step = program_.steps[s];
    text += fmt::format("{:4}  {:40}", s, step.computation.name());
    for (const std::uint32_t output : step.outputs) {
      const PlanValue& value = program_.values[output];
      text += fmt::format(" {} {} {}", graph::dtype_name(value.dtype), graph::shape_text(value.shape),
                          place_text(graph_, value));
    }
    const Cost cost = cost_of(program_, step);
    const auto bytes = number(cost.bytes, dims), operations = number(cost.operations, dims);
    if (bytes && operations) {
      const double seconds =
          speed.launch_seconds + std::max(*bytes / speed.bytes_per_second, *operations / speed.operations_per_second);
      total_bytes += *bytes;
      total_predicted += seconds;
      text += fmt::format("  {}, predicted {:.1f} us", bytes_text(*bytes), seconds * 1e6);
    } else {
      all_known = false;
      text += fmt::format("  {} bytes", cost.bytes.text());
    }
    if (s < measured.size()) {
      total_measured += measured[s];
      text += fmt::format(", measured {:.1f} us", measured[s] * 1e6);
    }
    text += fmt::format("  {}\n", step.merged.empty() ? step.path : fmt::format("{}", fmt::join(step.merged, " + ")));
  }
  text += fmt::format("{} kernels, {} arena slots", program_.steps.size(), program_.slots.arena);
  if (all_known) text += fmt::format(", {}, predicted {:.1f} us", bytes_text(total_bytes), total_predicted * 1e6);
  if (!measured.empty()) text += fmt::format(", measured {:.1f} us", total_measured * 1e6);
  return text + "\n";
}

}  // namespace alknet::compute
