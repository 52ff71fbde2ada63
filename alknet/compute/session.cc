#include "alknet/compute/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <list>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"
#include "alknet/graph/validate.h"

namespace alknet::compute {
namespace {

/// Sets of layouts kept ready; the least recently used one goes first.
constexpr std::size_t kMaxBindings = 64;

[[noreturn]] void mismatch(std::string_view name, const graph::SymbolicShape& expected, const Shape& given) {
  throw Error(ComputeError::kShapeMismatch, fmt::format("input \"{}\" has shape {}, the plan takes {}", name,
                                                        graph::shape_text(given), graph::shape_text(expected)));
}

/// The name, when the dimension is nothing but one.
std::optional<std::string> lone_symbol(const graph::Dim& dim) {
  const auto names = dim.names();
  if (names.size() == 1 && dim == graph::Dim::symbol(names.front())) return names.front();
  return std::nullopt;
}

/// Reads the symbolic dimensions off the inputs' shapes and checks every shape against them.
graph::DimValues bind_dims(const graph::Graph& graph, std::span<const Tensor> inputs) {
  graph::DimValues values;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& expected = graph.inputs[i];
    if (inputs[i].shape().size() != expected.shape.size()) mismatch(expected.name, expected.shape, inputs[i].shape());
    for (std::size_t d = 0; d < expected.shape.size(); ++d) {
      if (const auto symbol = lone_symbol(expected.shape[d])) values.try_emplace(*symbol, inputs[i].shape()[d]);
    }
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& expected = graph.inputs[i];
    if (graph::evaluate(expected.shape, values) != inputs[i].shape()) {
      mismatch(expected.name, expected.shape, inputs[i].shape());
    }
  }
  graph::check_dim_values(graph, values);
  return values;
}

std::size_t bytes_of(Dtype dtype, const Shape& shape) {
  return static_cast<std::size_t>(graph::element_count(shape)) * graph::dtype_bytes(dtype);
}

}  // namespace

struct Session::Impl {
  /// All that depends on the inputs' layouts.
  struct Bound {
    std::vector<Strided> inputs;
    std::vector<std::size_t> arena_bytes;  ///< By arena slot.
    std::vector<Shape> outputs;
    std::vector<std::unique_ptr<Launch>> launches;
  };

  Impl(std::shared_ptr<const Plan> session_plan, Store session_store)
      : plan(std::move(session_plan)), store(std::move(session_store)), program(plan->program()) {
    find_states();
    for (const auto& constant : plan->graph().constants) {
      fixed.push_back(store.context().wrap(constant.dtype, constant.shape, constant.data, constant.name));
    }
    arena.resize(program.slots.arena);
    needs_contiguous.assign(program.slots.inputs, false);
    for (std::uint32_t i = 0; i < program.values.size(); ++i) {
      const PlanValue& value = program.values[i];
      if (value.source != ValueSource::kView || !graph::view_keeps_contiguous(*value.view)) continue;
      const PlanValue& base = program.values[program.base(i)];
      if (base.source == ValueSource::kInput) needs_contiguous[base.index] = true;
    }
  }

  void find_states() {
    std::string missing;
    for (const auto& state : plan->graph().states) {
      Tensor tensor = store.find(state.name);
      if (!tensor) {
        missing += (missing.empty() ? "" : ", ") + state.name;
        continue;
      }
      if (tensor.dtype() != state.dtype || graph::evaluate(state.shape, {}) != tensor.shape()) {
        throw Error(ComputeError::kShapeMismatch,
                    fmt::format("parameter {} is {} {}, the plan takes {} {}", state.name,
                                graph::dtype_name(tensor.dtype()), graph::shape_text(tensor.shape()),
                                graph::dtype_name(state.dtype), graph::shape_text(state.shape)));
      }
      fixed.push_back(store.context().contiguous(tensor));
    }
    if (!missing.empty()) {
      throw Error(ComputeError::kMissingParameter, fmt::format("the store lacks these parameters: {}", missing));
    }
  }

  Bound& bound_for(std::span<const Tensor> inputs) {
    const auto same = [&](const Bound& candidate) {
      return std::equal(inputs.begin(), inputs.end(), candidate.inputs.begin(),
                        [](const Tensor& tensor, const Strided& layout) { return tensor.layout() == layout; });
    };
    const auto found = std::find_if(bounds.begin(), bounds.end(), same);
    if (found != bounds.end()) {
      bounds.splice(bounds.begin(), bounds, found);
      return bounds.front();
    }
    bounds.push_front(bind(inputs));
    ++bindings_made;
    if (bounds.size() > kMaxBindings) bounds.pop_back();
    return bounds.front();
  }

  Bound bind(std::span<const Tensor> inputs) const {
    const graph::DimValues dims = bind_dims(plan->graph(), inputs);
    Bound bound;
    bound.arena_bytes.assign(program.slots.arena, 0);
    for (const Tensor& input : inputs) bound.inputs.push_back(input.layout());

    std::vector<Operand> operands;
    for (const PlanValue& value : program.values) operands.push_back(place(value, operands, inputs, dims));
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (program.values[i].source != ValueSource::kStep || operands[i].slot >= program.slots.arena) continue;
      auto& bytes = bound.arena_bytes[operands[i].slot];
      bytes = std::max(bytes, bytes_of(operands[i].dtype, operands[i].layout.shape));
    }
    for (const std::uint32_t output : program.outputs) bound.outputs.push_back(operands[output].layout.shape);
    for (const PlanStep& step : program.steps) bound.launches.push_back(launch(step, operands, dims));
    return bound;
  }

  Operand place(const PlanValue& value, const std::vector<Operand>& earlier, std::span<const Tensor> inputs,
                const graph::DimValues& dims) const {
    if (value.source == ValueSource::kInput) return {value.slot, value.dtype, inputs[value.index].layout()};
    if (value.source == ValueSource::kView) {
      const Operand& viewed = earlier[value.index];
      const Shape planned = graph::evaluate(value.shape, dims);
      auto layout = graph::apply_view(*value.view, viewed.layout,
                                      graph::bind_attributes(*value.view, value.view_attrs, dims), &planned);
      if (!layout) {
        throw Error(BaseError::kInternal, fmt::format("[{}] needs a copy that was not planned", value.view->name));
      }
      return {viewed.slot, value.dtype, std::move(*layout)};
    }
    Shape shape = graph::evaluate(value.shape, dims);
    Shape strides = graph::contiguous_strides(shape);
    return {value.slot, value.dtype, {std::move(shape), std::move(strides), 0}};
  }

  static std::unique_ptr<Launch> launch(const PlanStep& step, const std::vector<Operand>& operands,
                                        const graph::DimValues& dims) {
    Binding binding;
    for (const auto& input : step.inputs) {
      binding.inputs.push_back(input ? std::optional(operands[*input]) : std::nullopt);
    }
    for (const std::uint32_t output : step.outputs) binding.outputs.push_back(operands[output]);
    if (step.computation.op) {
      binding.attrs = graph::bind_attributes(*step.computation.op, step.computation.attrs, dims);
    }
    try {
      return step.kernel->bind(binding);
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("{}: {}", step.path, error.message()), error.details());
    }
  }

  void grow_arena(const Bound& bound) {
    for (std::size_t i = 0; i < arena.size(); ++i) {
      if (arena[i] && arena[i]->bytes() >= bound.arena_bytes[i]) continue;
      arena[i].reset();
      arena[i] = store.context().buffers()->allocate(plan->backend(), bound.arena_bytes[i], "arena");
    }
  }

  std::vector<Tensor> results(const Bound& bound, std::span<const Tensor> out) const {
    if (!out.empty() && out.size() != bound.outputs.size()) {
      throw Error(ComputeError::kShapeMismatch,
                  fmt::format("{} output tensors given, the plan has {}", out.size(), bound.outputs.size()));
    }
    std::vector<Tensor> tensors;
    for (std::size_t i = 0; i < bound.outputs.size(); ++i) {
      const Dtype dtype = program.values[program.outputs[i]].dtype;
      if (out.empty()) {
        tensors.push_back(store.context().empty(dtype, bound.outputs[i], plan->graph().outputs[i].name));
        continue;
      }
      if (out[i].dtype() != dtype || out[i].shape() != bound.outputs[i] || !out[i].contiguous() ||
          out[i].layout().offset != 0) {
        throw Error(ComputeError::kShapeMismatch,
                    fmt::format("output \"{}\" needs a contiguous {} tensor of shape {}", plan->graph().outputs[i].name,
                                graph::dtype_name(dtype), graph::shape_text(bound.outputs[i])));
      }
      tensors.push_back(out[i]);
    }
    return tensors;
  }

  std::shared_ptr<const Plan> plan;
  Store store;
  const PlanProgram& program;
  std::vector<Tensor> fixed;  ///< States, then constants.
  std::vector<std::shared_ptr<Buffer>> arena;
  std::vector<bool> needs_contiguous;
  std::list<Bound> bounds;  ///< Most recently used first.
  std::size_t bindings_made = 0;
};

Session::Session(std::shared_ptr<const Plan> plan, Store store)
    : impl_(std::make_unique<Impl>(std::move(plan), std::move(store))) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

std::vector<Tensor> Session::run(std::span<const Tensor> given, std::span<const Tensor> out) {
  Impl& self = *impl_;
  const auto& declared = self.plan->graph().inputs;
  if (given.size() != declared.size()) {
    throw Error(ComputeError::kMissingInput,
                fmt::format("the plan takes {} inputs, {} were given", declared.size(), given.size()));
  }
  std::vector<Tensor> inputs(given.begin(), given.end());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i]) {
      throw Error(ComputeError::kMissingInput, fmt::format("input \"{}\" was not given", declared[i].name));
    }
    if (inputs[i].dtype() != declared[i].dtype) {
      throw Error(ComputeError::kShapeMismatch,
                  fmt::format("input \"{}\" is {}, the plan takes {}", declared[i].name,
                              graph::dtype_name(inputs[i].dtype()), graph::dtype_name(declared[i].dtype)));
    }
    if (self.needs_contiguous[i]) inputs[i] = self.store.context().contiguous(inputs[i]);
  }
  Impl::Bound& bound = self.bound_for(inputs);
  self.grow_arena(bound);
  std::vector<Tensor> outputs = self.results(bound, out);

  std::vector<std::shared_ptr<Memory>> owners;
  owners.reserve(self.program.slots.count());
  for (const auto& buffer : self.arena) owners.push_back(buffer->memory());
  for (const Tensor& tensor : inputs) owners.push_back(tensor.buffer()->memory());
  for (const Tensor& tensor : self.fixed) owners.push_back(tensor.buffer()->memory());
  for (const Tensor& tensor : outputs) owners.push_back(tensor.buffer()->memory());
  std::vector<Memory*> slots;
  slots.reserve(owners.size());
  for (const auto& memory : owners) slots.push_back(memory.get());
  self.plan->backend()->run(bound.launches, slots);
  return outputs;
}

std::size_t Session::arena_bytes() const {
  std::size_t bytes = 0;
  for (const auto& buffer : impl_->arena) bytes += buffer ? buffer->bytes() : 0;
  return bytes;
}

std::size_t Session::bindings_made() const { return impl_->bindings_made; }

}  // namespace alknet::compute
