#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "alknet/base/json.h"
#include "alknet/compute/passes/merge.h"
#include "alknet/compute/passes/passes.h"

namespace alknet::compute {
namespace {

/// Whether a step hands on what it reads, unchanged.
bool copies(const PlanStep& step) {
  const auto& steps = step.computation.program.steps;
  return pure_elementwise(step) && steps.size() == 1 && steps.front().op->name == "contiguous";
}

class Sharing {
 public:
  explicit Sharing(PlanProgram& program) : program_(program), same_(program.values.size()) {
    for (std::uint32_t v = 0; v < same_.size(); ++v) same_[v] = v;
  }

  void run() {
    // Values are numbered in the order in which they are computed, views among them.
    for (std::uint32_t v = 0; v < same_.size(); ++v) {
      PlanValue& value = program_.values[v];
      if (value.source == ValueSource::kView) share_view(v, value);
      if (value.source == ValueSource::kVersion) value.index = same_[value.index];
      if (value.source == ValueSource::kStep && program_.steps[value.index].outputs.front() == v) {
        share_step(program_.steps[value.index]);
      }
    }
    for (std::uint32_t& output : program_.outputs) output = same_[output];
  }

 private:
  void share_view(std::uint32_t v, PlanValue& value) {
    value.index = same_[value.index];
    same_[v] = known_
                   .try_emplace(
                       fmt::format("view {} {} {}", fmt::ptr(value.view), value.index, json_text(value.view_attrs)), v)
                   .first->second;
  }

  void share_step(PlanStep& step) {
    for (auto& input : step.inputs) {
      if (input) input = same_[*input];
    }
    if (step.recomputed || draws_random_numbers(step) || program_.assigns(step)) return;
    const bool is_output = std::any_of(step.outputs.begin(), step.outputs.end(), [&](std::uint32_t output) {
      return std::find(program_.outputs.begin(), program_.outputs.end(), output) != program_.outputs.end();
    });
    if (copies(step) && !is_output) {
      const PlanValue& copied = program_.values[*step.inputs.front()];
      const bool stays = copied.source == ValueSource::kStep && !copied.target;  // memory that nothing overwrites
      if (stays && copied.shape == program_.values[step.outputs.front()].shape) {
        same_[step.outputs.front()] = *step.inputs.front();
        return;
      }
    }
    std::string key = step.computation.key() + json_text(step.computation.attrs);
    for (const auto& input : step.inputs) key += input ? fmt::format(" {}", *input) : " -";
    const auto [first, added] = known_.try_emplace(std::move(key), step.outputs.front());
    // An output is a tensor of its own, also when another has the same elements.
    if (added || is_output) return;
    const auto& earlier = program_.steps[program_.values[first->second].index].outputs;
    for (std::size_t k = 0; k < earlier.size(); ++k) same_[step.outputs[k]] = earlier[k];
  }

  PlanProgram& program_;
  std::vector<std::uint32_t> same_;  ///< By value: the one to use instead.
  std::map<std::string, std::uint32_t, std::less<>> known_;
};

/// The number, when the value is a constant of rank 0 or an expansion of one.
std::optional<Scalar> constant_number(const PlanProgram& program, const graph::Graph& graph, std::uint32_t value) {
  while (program.values[value].source == ValueSource::kView && program.values[value].view->name == "expand") {
    value = program.values[value].index;
  }
  const PlanValue& from = program.values[value];
  if (from.source != ValueSource::kConstant || !from.shape.empty()) return std::nullopt;
  const std::byte* bytes = graph.constants[from.index].data.data();
  const auto as = [&]<typename T>(T number) {
    std::memcpy(&number, bytes, sizeof(number));
    return number;
  };
  switch (from.dtype) {
    case Dtype::kF32: return Scalar::of(static_cast<double>(as(float{})));
    case Dtype::kF64: return Scalar::of(as(double{}));
    case Dtype::kI32: return Scalar::of(static_cast<std::int64_t>(as(std::int32_t{})));
    case Dtype::kI64: return Scalar::of(as(std::int64_t{}));
    default: return std::nullopt;
  }
}

/// Makes input `i` of a step of one operation a scalar of it, if the others still say the dtype.
bool use_as_scalar(PlanStep& step, std::size_t i, const Scalar& scalar) {
  ElementwiseProgram& program = step.computation.program;
  auto& arguments = program.steps.front().arguments;
  const auto& op_inputs = program.steps.front().op->inputs;
  if (program.steps.front().op->promotion == graph::Promotion::kNone) return false;
  bool others = false;
  for (std::size_t a = 0; a < arguments.size(); ++a) {
    if (arguments[a].scalar) continue;
    if (arguments[a].value == i && !op_inputs[a].promotes) return false;
    others |= arguments[a].value != i && op_inputs[a].promotes;
  }
  if (!others) return false;
  for (auto& argument : arguments) {
    if (argument.scalar) continue;
    if (argument.value == i) {
      argument = {0, scalar};
    } else if (argument.value > i) {
      --argument.value;
    }
  }
  for (std::uint32_t& output : program.outputs) --output;
  program.inputs.erase(program.inputs.begin() + static_cast<std::ptrdiff_t>(i));
  step.computation.inputs.erase(step.computation.inputs.begin() + static_cast<std::ptrdiff_t>(i));
  step.inputs.erase(step.inputs.begin() + static_cast<std::ptrdiff_t>(i));
  return true;
}

}  // namespace

bool draws_random_numbers(const PlanStep& step) {
  const Computation& computation = step.computation;
  const auto draws = [](const OpSpec& op) { return op.kind == graph::OpKind::kRandom; };
  return (computation.op && draws(*computation.op)) ||
         std::any_of(computation.program.steps.begin(), computation.program.steps.end(),
                     [&](const auto& part) { return draws(*part.op); });
}

void share_steps(PlanProgram& program) { Sharing(program).run(); }

void simplify_inputs(PlanProgram& program, const graph::Graph& graph) {
  for (PlanStep& step : program.steps) {
    if (!pure_elementwise(step) || step.computation.program.steps.size() != 1) continue;
    for (std::size_t i = step.inputs.size(); i-- > 0;) {
      std::uint32_t& value = *step.inputs[i];
      while (program.values[value].source == ValueSource::kView && program.values[value].view->name == "expand") {
        value = program.values[value].index;
      }
      const auto number = constant_number(program, graph, value);
      if (number) use_as_scalar(step, i, *number);
    }
  }
}

}  // namespace alknet::compute
