#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <utility>

#include "alknet/compute/passes/merge.h"
#include "alknet/compute/passes/passes.h"

namespace alknet::compute {
namespace {

/// Templates whose kernels store their result in any order of dimensions.
constexpr std::array<std::string_view, 2> kTemplates = {"attention", "matmul"};

bool stores_in_any_order(const PlanStep& step) {
  if (pure_elementwise(step) || step.outputs.size() != 1) return false;
  const auto* forward = std::get_if<graph::TemplateForward>(&step.computation.op->forward);
  return forward && std::find(kTemplates.begin(), kTemplates.end(), forward->name) != kTemplates.end();
}

std::size_t dimension(const Json& attribute, std::size_t rank) {
  const auto dim = attribute.to_number<std::int64_t>();
  return static_cast<std::size_t>(dim < 0 ? dim + static_cast<std::int64_t>(rank) : dim);
}

/// Puts the dimensions of what a view reads in the order of the view's; false of views that do more.
bool reorder(const PlanValue& view, std::vector<std::size_t>& order) {
  const std::size_t rank = order.size();
  if (view.view->name == "transpose") {
    std::swap(order[dimension(view.view_attrs.at("dim0"), rank)], order[dimension(view.view_attrs.at("dim1"), rank)]);
    return true;
  }
  if (view.view->name != "permute") return false;
  const std::vector<std::size_t> before = order;
  const JsonArray& dims = view.view_attrs.at("dims").as_array();
  for (std::size_t d = 0; d < rank; ++d) order[d] = before[dimension(dims[d], rank)];
  return true;
}

/// The order in which `value`, a chain of views of `base`, has the dimensions of `base`.
std::optional<std::vector<std::size_t>> order_of(const PlanProgram& program, std::uint32_t value, std::uint32_t base) {
  std::vector<std::uint32_t> chain;
  for (; value != base; value = program.values[value].index) {
    if (program.values[value].source != ValueSource::kView) return std::nullopt;
    chain.push_back(value);
  }
  std::vector<std::size_t> order(program.values[base].shape.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (auto view = chain.rbegin(); view != chain.rend(); ++view) {
    if (!reorder(program.values[*view], order)) return std::nullopt;
  }
  return order;
}

/// Whether a step does nothing but copy its one input.
bool copies(const PlanProgram& program, const PlanStep& step) {
  if (!pure_elementwise(step) || step.inputs.size() != 1 || step.outputs.size() != 1) return false;
  const auto& steps = step.computation.program.steps;
  return steps.size() == 1 && steps.front().op->name == "contiguous" && !program.values[step.outputs.front()].target;
}

}  // namespace

void write_through_views(PlanProgram& program) {
  const auto uses = count_uses(program);
  std::vector<bool> removed(program.steps.size(), false);
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const PlanStep& copy = program.steps[s];
    if (!copies(program, copy)) continue;
    const std::uint32_t copied = copy.outputs.front(), view = *copy.inputs.front(), base = program.base(view);
    const auto is_output = [&](std::uint32_t value) {
      return std::find(program.outputs.begin(), program.outputs.end(), value) != program.outputs.end();
    };
    PlanValue& result = program.values[base];
    if (view == base || result.source != ValueSource::kStep || result.target || uses[base] != 1 || is_output(copied) ||
        !stores_in_any_order(program.steps[result.index])) {
      continue;
    }
    auto order = order_of(program, view, base);
    if (!order) continue;
    result.memory_order = std::move(*order);
    result.contiguous = false;
    program.steps[result.index].computation.strided = true;
    program.values[copied] = program.values[view];
    program.values[copied].contiguous = true;
    removed[s] = true;
  }
  remove_steps(program, removed);
}

}  // namespace alknet::compute
