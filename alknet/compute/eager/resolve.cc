#include "alknet/compute/eager/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "alknet/base/error.h"
#include "alknet/compute/eager/apply.h"
#include "alknet/compute/eager/context_state.h"
#include "alknet/compute/eager/step_program.h"
#include "alknet/compute/error.h"
#include "alknet/compute/passes/passes.h"
#include "alknet/graph/analysis.h"
#include "alknet/graph/composite.h"
#include "alknet/graph/error.h"

namespace alknet::compute {
namespace {

using Types = std::map<std::string, graph::ValueType, std::less<>>;

std::string operand_name(std::size_t index) { return fmt::format("operand{}", index); }

graph::SymbolicShape symbolic(const Shape& shape) { return {shape.begin(), shape.end()}; }

/// One call, resolved part by part.
class Resolution {
 public:
  Resolution(ContextState& context, const std::shared_ptr<Backend>& backend, const OpSpec& op,
             std::span<const CallOperand> operands)
      : context_(context), backend_(backend), op_(op), operands_(operands), call_(std::make_unique<Call>()) {}

  std::unique_ptr<Call> run(const JsonObject& attributes) {
    call_->op = &op_;
    call_->attrs = graph::complete_attributes(op_, attributes);
    type();
    if (call_->kind != Call::Kind::kCasts && op_.view()) view();
    if (call_->kind == Call::Kind::kCasts || call_->kind == Call::Kind::kCopy) {
      call_->attrs_key = attributes_key(call_->attrs);
    } else if (op_.composite()) {
      compose();
    } else if (!op_.view()) {
      call_->launch.push_back(op_.elementwise() ? elementwise() : structured());
    }
    return std::move(call_);
  }

 private:
  /// dtypes and shapes; says whether operands must be cast first.
  void type() {
    node_.id = "call";
    node_.op = op_.name;
    node_.attrs = call_->attrs;
    node_.inputs.resize(op_.inputs.size());
    for (std::size_t i = 0; i < operands_.size(); ++i) {
      const CallOperand& operand = operands_[i];
      call_->input_of.push_back(operand.input);
      if (operand.absent()) continue;
      if (operand.scalar != nullptr) {
        node_.inputs[operand.input].push_back({{}, 0, *operand.scalar});
        continue;
      }
      const Storage& storage = operand.tensor->storage;
      types_[operand_name(i)] = {storage.dtype, symbolic(storage.layout->strided.shape)};
      node_.inputs[operand.input].push_back({operand_name(i), 0, std::nullopt});
    }
    for (std::size_t i = 0; i < op_.inputs.size(); ++i) {
      if (!node_.inputs[i].empty() || op_.inputs[i].optional || op_.inputs[i].variadic) continue;
      throw Error(graph::GraphError::kMissingInput,
                  fmt::format("[{}] the input \"{}\" is missing", op_.name, op_.inputs[i].name),
                  JsonObject{{"op", op_.name}});
    }
    const auto typed = graph::type_call(op_, node_, types_, *context_.ops);
    for (const CallOperand& operand : operands_) {
      call_->read.push_back(operand.absent() ? Dtype::kF32 : typed->dtypes.inputs[operand.input].value());
      if (operand.tensor != nullptr && operand.tensor->storage.dtype != call_->read.back()) {
        call_->kind = Call::Kind::kCasts;
      }
    }
    call_->empty = true;
    bool floats = false;
    for (const auto& output : typed->outputs) {
      const Shape shape = graph::evaluate(output.shape, {});
      types_[graph::Ref{node_.id, call_->outputs.size(), std::nullopt}.text()] = output;
      Call::Output made{output.dtype, context_.layouts.intern({shape, graph::contiguous_strides(shape), 0}), 0};
      made.bytes = static_cast<std::size_t>(made.layout->elements) * graph::dtype_bytes(output.dtype);
      call_->empty = call_->empty && made.layout->elements == 0;
      floats = floats || graph::is_float(output.dtype);
      call_->outputs.push_back(std::move(made));
    }
    call_->passes_gradients = floats && std::any_of(op_.inputs.begin(), op_.inputs.end(),
                                                    [](const graph::OpInput& input) { return input.differentiable; });
  }

  void view() {
    const Storage& storage = operands_.front().tensor->storage;
    auto layout = graph::apply_view(op_, storage.layout->strided, call_->attrs);
    call_->kind = layout ? Call::Kind::kView : Call::Kind::kCopy;
    if (layout) call_->outputs.front().layout = context_.layouts.intern(std::move(*layout));
  }

  /// The operations that a composite stands for.
  void compose() {
    graph::Graph graph = one_node();
    std::vector<std::string> outputs;
    for (std::size_t k = 0; k < call_->outputs.size(); ++k) {
      outputs.push_back(fmt::format("y{}", k));
      graph.outputs.push_back({outputs.back(), {node_.id, k, std::nullopt}});
    }
    const graph::Graph expanded = graph::expand_composites(graph, *context_.ops).graph;
    call_->steps = std::make_shared<const StepProgram>(context_, backend_, expanded, outputs);
    call_->kind = Call::Kind::kSteps;
  }

  /// The call as a graph, with an input for each operand that is there, numbers as well.
  graph::Graph one_node() const {
    graph::Graph graph;
    graph::Node node = node_;
    for (auto& refs : node.inputs) refs.clear();
    for (std::size_t i = 0; i < operands_.size(); ++i) {
      if (operands_[i].absent()) continue;
      const auto type = types_.find(operand_name(i));
      const graph::SymbolicShape shape = type == types_.end() ? graph::SymbolicShape() : type->second.shape;
      graph.inputs.push_back({operand_name(i), call_->read[i], shape});
      node.inputs[operands_[i].input].push_back({operand_name(i), 0, std::nullopt});
    }
    graph.nodes.push_back(std::move(node));
    return graph;
  }

  /// Slots are numbered by operands that are there, then outputs.
  std::vector<Operand> slots() const {
    std::vector<Operand> list;
    for (std::size_t i = 0; i < operands_.size(); ++i) {
      if (operands_[i].absent()) continue;
      const auto slot = static_cast<std::uint32_t>(list.size());
      if (operands_[i].scalar != nullptr) {
        list.push_back({slot, scalar_storage_dtype(call_->read[i]), {}});
      } else {
        list.push_back({slot, call_->read[i], operands_[i].tensor->storage.layout->strided});
      }
    }
    return list;
  }

  std::unique_ptr<Launch> bind(const Computation& computation, Binding binding, std::size_t given) const {
    for (std::size_t k = 0; k < call_->outputs.size(); ++k) {
      const auto& output = call_->outputs[k];
      binding.outputs.push_back({static_cast<std::uint32_t>(given + k), output.dtype, output.layout->strided});
    }
    if (computation.op != nullptr) binding.attrs = call_->attrs;
    std::vector<std::size_t> bytes;
    for (const auto& output : call_->outputs) bytes.push_back(output.bytes);
    context_.buffers->check_room(backend_, bytes);
    return backend_->kernel(computation)->bind(binding);
  }

  std::unique_ptr<Launch> elementwise() const {
    Computation computation;
    Binding binding;
    ElementwiseProgram& program = computation.program;
    std::vector<ElementwiseProgram::Argument> arguments;
    const auto operands = slots();
    for (const Operand& operand : operands) {
      arguments.push_back({operand.slot, {}});
      program.inputs.push_back(operand.dtype);
      computation.inputs.emplace_back(operand.dtype);
      binding.inputs.emplace_back(operand);
    }
    computation.outputs = {call_->outputs.front().dtype};
    program.steps = {{&op_, call_->attrs, std::move(arguments), computation.outputs.front()}};
    program.outputs = {static_cast<std::uint32_t>(operands.size())};
    return bind(computation, std::move(binding), operands.size());
  }

  /// As a graph of one node, so that plans and eager calls take kernels in one way.
  std::unique_ptr<Launch> structured() const {
    const auto operands = slots();
    const graph::Graph graph = one_node();
    const PlanProgram program = lower(graph, {types_, {0}}, *context_.ops);
    if (program.steps.size() != 1) {
      throw Error(BaseError::kInternal, fmt::format("[{}] takes {} kernels", op_.name, program.steps.size()));
    }
    const PlanStep& step = program.steps.front();
    Binding binding;
    for (const auto& input : step.inputs) {
      binding.inputs.push_back(input ? std::optional(operands[program.values[*input].index]) : std::nullopt);
    }
    return bind(step.computation, std::move(binding), operands.size());
  }

  ContextState& context_;
  const std::shared_ptr<Backend>& backend_;
  const OpSpec& op_;
  std::span<const CallOperand> operands_;
  std::unique_ptr<Call> call_;
  graph::Node node_;
  Types types_;
};

}  // namespace

std::unique_ptr<Call> resolve_call(ContextState& context, const std::shared_ptr<Backend>& backend, const OpSpec& op,
                                   std::span<const CallOperand> operands, const JsonObject& attributes) {
  return Resolution(context, backend, op, operands).run(attributes);
}

const Storage& scalar_storage(ContextState& context, const std::shared_ptr<Backend>& backend, const Scalar& scalar,
                              Dtype dtype) {
  if (const Storage* known = context.scalars.find(scalar, dtype, *backend)) return *known;
  const auto bytes = scalar_bytes(scalar, dtype);
  auto buffer = context.buffers->allocate(backend, bytes.size(), "number");
  backend->write(*buffer->memory(), 0, bytes);
  return context.scalars.add(scalar, dtype, *backend, {std::move(buffer), context.layouts.intern({}), dtype});
}

Tensor filled(const std::shared_ptr<ContextState>& context, const std::shared_ptr<Backend>& backend,
              const Scalar& value, Dtype dtype, const Shape& shape) {
  Storage storage = scalar_storage(*context, backend, value, scalar_storage_dtype(dtype));
  Tensor number = TensorAccess::make(std::move(storage), context);
  if (number.dtype() != dtype) {
    number = apply(context->ops->at("cast"), {number}, {dtype});
  }
  storage = TensorAccess::state(number)->storage;
  storage.layout = context->layouts.intern({shape, Shape(shape.size(), 0), 0});
  return TensorAccess::make(std::move(storage), context);
}

}  // namespace alknet::compute
