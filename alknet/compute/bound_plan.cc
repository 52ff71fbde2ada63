#include "alknet/compute/bound_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"
#include "alknet/compute/lone_symbol.h"
#include "alknet/graph/validate.h"

namespace alknet::compute {
namespace {

[[noreturn]] void mismatch(std::string_view name, const graph::SymbolicShape& expected, const Shape& given) {
  throw Error(ComputeError::kShapeMismatch, fmt::format("input \"{}\" has shape {}, the plan takes {}", name,
                                                        graph::shape_text(given), graph::shape_text(expected)));
}

std::size_t bytes_of(Dtype dtype, const Shape& shape) {
  return static_cast<std::size_t>(graph::element_count(shape)) * graph::dtype_bytes(dtype);
}

/// Works out layouts and launches under one set of sizes.
class Binder {
 public:
  Binder(const Plan& plan, const SessionLayouts& session, std::span<const Tensor* const> inputs, graph::DimValues dims,
         BoundPlan& bound)
      : plan_(plan),
        program_(plan.program()),
        session_(session),
        inputs_(inputs),
        dims_(std::move(dims)),
        bound_(bound) {}

  void place(std::uint32_t index) { bound_.operands[index] = placed(program_.values[index]); }

  void launch(std::size_t index) {
    const PlanStep& step = program_.steps[index];
    try {
      bound_.launches[index] = step.kernel->bind(binding(step));
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("{}: {}", step.path, error.message()), error.details());
    } catch (const std::bad_alloc&) {
      throw Error(ComputeError::kOutOfMemory,
                  fmt::format("{}: [{}] no memory is left for what the kernel needs beside its results: use smaller "
                              "batches",
                              step.path, step.computation.name()));
    }
  }

  /// Once all values are placed.
  void measure() {
    bound_.arena_bytes.assign(program_.slots.arena, 0);
    for (std::size_t i = 0; i < bound_.operands.size(); ++i) {
      const Operand& operand = bound_.operands[i];
      if (program_.values[i].source != ValueSource::kStep || operand.slot >= program_.slots.arena) continue;
      auto& bytes = bound_.arena_bytes[operand.slot];
      bytes = std::max(bytes, bytes_of(operand.dtype, operand.layout.shape));
    }
    bound_.outputs.clear();
    for (const std::uint32_t output : program_.outputs) bound_.outputs.push_back(bound_.operands[output].layout.shape);
  }

 private:
  Operand placed(const PlanValue& value) const {
    switch (value.source) {
      case ValueSource::kInput: return {value.slot, value.dtype, inputs_[value.index]->layout()};
      case ValueSource::kState:
        return {value.slot, value.dtype, session_.states[value.index], session_.lasting[value.index]};
      case ValueSource::kView: return viewed(value);
      case ValueSource::kVersion: {
        const PlanValue& written = program_.values[value.index];
        return {written.slot, value.dtype, session_.states[written.target->state]};
      }
      case ValueSource::kConstant:
      case ValueSource::kStep: break;
    }
    if (value.target) return {value.slot, value.dtype, part(value)};
    Shape shape = graph::evaluate(value.shape, dims_);
    Shape strides = value.memory_order.empty() ? graph::contiguous_strides(shape) : ordered(shape, value.memory_order);
    const bool lasting = value.source == ValueSource::kConstant;
    return {value.slot, value.dtype, {std::move(shape), std::move(strides), 0}, lasting};
  }

  /// Strides of a block of memory that has the dimensions in another order.
  static Shape ordered(const Shape& shape, const std::vector<std::size_t>& order) {
    Shape sizes, strides(shape.size());
    for (const std::size_t d : order) sizes.push_back(shape[d]);
    const Shape in_order = graph::contiguous_strides(sizes);
    for (std::size_t k = 0; k < order.size(); ++k) strides[order[k]] = in_order[k];
    return strides;
  }

  Operand viewed(const PlanValue& value) const {
    const Operand& from = bound_.operands[value.index];
    const Shape planned = graph::evaluate(value.shape, dims_);
    auto layout = graph::apply_view(*value.view, from.layout,
                                    graph::bind_attributes(*value.view, value.view_attrs, dims_), &planned);
    if (!layout) {
      throw Error(BaseError::kInternal, fmt::format("[{}] needs a copy that was not planned", value.view->name));
    }
    return {from.slot, value.dtype, std::move(*layout), from.lasting};
  }

  /// The state, or the part of it, that a step writes.
  Strided part(const PlanValue& value) const {
    Strided layout = session_.states[value.target->state];
    if (value.target->start.empty()) return layout;
    const Shape size = graph::evaluate(value.shape, dims_);
    for (std::size_t d = 0; d < size.size(); ++d) {
      const std::int64_t start = value.target->start[d].evaluate(dims_);
      if (start < 0 || size[d] > layout.shape[d] || start > layout.shape[d] - size[d]) {
        throw Error(ComputeError::kIndexOutOfRange,
                    fmt::format("{}: [assign] writes {} .. {} of dimension {} of the state \"{}\", whose size is {}",
                                program_.steps[value.index].path, start, start + size[d] - 1, d,
                                plan_.graph().states[value.target->state].name, layout.shape[d]),
                    JsonObject{{"op", "assign"}, {"index", start}, {"size", layout.shape[d]}});
      }
      layout.offset += start * layout.strides[d];
    }
    layout.shape = size;
    return layout;
  }

  Binding binding(const PlanStep& step) const {
    Binding binding;
    for (const auto& input : step.inputs) {
      binding.inputs.push_back(input ? std::optional(bound_.operands[*input]) : std::nullopt);
    }
    for (const std::uint32_t output : step.outputs) binding.outputs.push_back(bound_.operands[output]);
    if (step.computation.op) {
      binding.attrs = graph::bind_attributes(*step.computation.op, step.computation.attrs, dims_);
    }
    return binding;
  }

  const Plan& plan_;
  const PlanProgram& program_;
  const SessionLayouts& session_;
  std::span<const Tensor* const> inputs_;
  const graph::DimValues dims_;
  BoundPlan& bound_;
};

}  // namespace

graph::DimValues bind_dims(const Plan& plan, std::span<const Tensor* const> inputs, std::span<const std::int64_t> sizes,
                           const graph::DimValues& known) {
  const graph::Graph& graph = plan.graph();
  graph::DimValues values = known;
  for (std::size_t i = 0; i < sizes.size(); ++i) values[graph.inputs[plan.size_inputs()[i]].name] = sizes[i];
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& expected = graph.inputs[i];
    const Shape& shape = inputs[i]->shape();
    if (shape.size() != expected.shape.size()) mismatch(expected.name, expected.shape, shape);
    for (std::size_t d = 0; d < expected.shape.size(); ++d) {
      if (const auto symbol = lone_symbol(expected.shape[d])) values.try_emplace(*symbol, shape[d]);
    }
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& expected = graph.inputs[i];
    if (graph::evaluate(expected.shape, values) != inputs[i]->shape()) {
      mismatch(expected.name, expected.shape, inputs[i]->shape());
    }
  }
  graph::check_dim_values(graph, values);
  return values;
}

BoundPlan bind_plan(const Plan& plan, const SessionLayouts& session, std::span<const Tensor* const> inputs,
                    std::span<const std::int64_t> sizes, FunctionRef<void(const BoundPlan&)> measured) {
  BoundPlan bound;
  for (const Tensor* input : inputs) bound.inputs.push_back(input->layout());
  bound.sizes.assign(sizes.begin(), sizes.end());
  bound.operands.resize(plan.program().values.size());
  bound.launches.resize(plan.program().steps.size());
  Binder binder(plan, session, inputs, bind_dims(plan, inputs, sizes, session.dims), bound);
  for (std::uint32_t value = 0; value < bound.operands.size(); ++value) binder.place(value);
  binder.measure();
  measured(bound);
  for (std::size_t step = 0; step < bound.launches.size(); ++step) binder.launch(step);
  return bound;
}

void rebind_sizes(const Plan& plan, const SessionLayouts& session, std::span<const Tensor* const> inputs,
                  std::span<const std::int64_t> sizes, BoundPlan& bound, FunctionRef<void(const BoundPlan&)> measured) {
  bound.sizes.clear();  // while it is half done, it is for no sizes
  Binder binder(plan, session, inputs, bind_dims(plan, inputs, sizes, session.dims), bound);
  const SizedParts& sized = plan.sized();
  for (const std::uint32_t value : sized.values) binder.place(value);
  binder.measure();
  measured(bound);
  for (const std::uint32_t step : sized.steps) binder.launch(step);
  bound.sizes.assign(sizes.begin(), sizes.end());
}

}  // namespace alknet::compute
