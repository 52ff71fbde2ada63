#include "alknet/compute/operations/eager_call.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <map>

#include "alknet/compute/eager/apply.h"
#include "alknet/compute/error.h"
#include "alknet/graph/analysis.h"
#include "alknet/graph/error.h"

namespace alknet::compute {
namespace {

graph::SymbolicShape symbolic(const Shape& shape) { return {shape.begin(), shape.end()}; }

CallInput read_operand(call::OperationContext& context, const Json& value) {
  CallInput operand;
  if (const auto* list = value.if_array()) {
    operand.list = true;
    for (const Json& item : *list) operand.tensors.push_back(tensor_of(context, item));
  } else if (value.is_object() && value.get_object().contains("$tensor")) {
    operand.tensors.push_back(tensor_of(context, value));
  } else if (!value.is_null()) {
    operand.scalar = graph::scalar_operand(value);
  }
  return operand;
}

/// The operands of a call as compute::apply takes them.
class Operands {
 public:
  Operands(const Context& context, const OpSpec& op, const EagerCall& call) {
    for (const CallInput& input : call.inputs) {
      auto& list = tensors_.emplace_back();
      for (const auto& tensor : input.tensors) list.push_back(tensor->held());
    }
    for (std::size_t i = 0; i < call.inputs.size(); ++i) {
      const CallInput& input = call.inputs[i];
      if (input.absent() && op.inputs[i].name == graph::kRandomState && needs_random_state(op, call.attributes))
        tensors_[i].push_back(next_state(context));
      if (input.list) {
        arguments_.emplace_back(tensors_[i]);
      } else if (input.scalar) {
        arguments_.emplace_back(*input.scalar);
      } else {
        arguments_.push_back(tensors_[i].empty() ? Argument() : Argument(tensors_[i].front()));
      }
    }
  }

  std::span<const Argument> arguments() const { return arguments_; }

  std::vector<graph::OperandType> types() const {
    std::vector<graph::OperandType> types;
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      graph::OperandType& type = types.emplace_back();
      for (const Tensor& tensor : tensors_[i]) type.tensors.push_back({tensor.dtype(), symbolic(tensor.shape())});
      if (arguments_[i].kind() == Argument::Kind::kScalar) type.scalar = arguments_[i].scalar();
    }
    return types;
  }

 private:
  /// Beside the first operand, so that both are on one device.
  Tensor next_state(const Context& context) const {
    for (const auto& list : tensors_) {
      if (!list.empty()) return next_rng(list.front());
    }
    return next_rng(context);
  }

  std::vector<std::vector<Tensor>> tensors_;
  std::vector<Argument> arguments_;
};

void require_room(const Context& context, const OpSpec& op, const Operands& operands, const JsonObject& attributes,
                  const Room& room) {
  if (op.data_dependent()) return;
  std::uint64_t bytes = 0;
  const auto results = graph::infer_call(context.operations(), op, operands.types(), attributes);
  for (const auto& result : results) {
    const std::uint64_t size =
        graph::storage_bytes(result.dtype, graph::element_count(graph::evaluate(result.shape, {})));
    if (__builtin_add_overflow(bytes, size, &bytes)) bytes = std::numeric_limits<std::uint64_t>::max();
  }
  room.require(results.size(), bytes);
}

/// `assign` writes into the memory of its first operand, which is also its result.
std::vector<Tensor> assign(const Operands& operands, const JsonObject& attributes) {
  const Tensor& state = operands.arguments()[0].tensors().front();
  Tensor part = state;
  const Json* at = attributes.if_contains("at");
  const Argument& value = operands.arguments()[1];
  const Tensor given = value.tensors().front();
  if (at != nullptr && !at->is_null()) {
    const JsonArray& starts = at->as_array();
    if (std::ssize(starts) != state.rank() || given.rank() != state.rank()) {
      throw Error(graph::GraphError::kShapeMismatch,
                  fmt::format("[assign] `at` gives {} starts for a state of {} and a value of {} dimensions",
                              starts.size(), state.rank(), given.rank()));
    }
    for (std::int64_t dim = 0; dim < state.rank(); ++dim) {
      const auto start = integer_of<std::int64_t>(starts[static_cast<std::size_t>(dim)], "at");
      if (start < 0 || start > state.size(dim) - given.size(dim)) {
        throw Error(ComputeError::kIndexOutOfRange,
                    fmt::format("[assign] {} elements from {} on of dimension {} are outside the state's {}",
                                given.size(dim), start, dim, state.size(dim)));
      }
      part = part.view("slice", {{"dim", dim}, {"start", start}, {"end", start + given.size(dim)}});
    }
  }
  part.assign(given);
  return {state};
}

}  // namespace

EagerCall read_call(call::OperationContext& context, const OpSpec& op, const JsonObject& input) {
  EagerCall made{op.name, {}, {}, flag(input, "no_grad")};
  for (const graph::OpInput& each : op.inputs) {
    const Json* value = member(input, each.name);
    made.inputs.push_back(value == nullptr ? CallInput() : read_operand(context, *value));
    if (!made.inputs.back().absent() || each.optional || each.name == graph::kRandomState) continue;
    throw Error(graph::GraphError::kMissingInput, fmt::format("[{}] the input \"{}\" is missing", op.name, each.name));
  }
  for (const graph::OpParameter& each : op.parameters) {
    if (const Json* value = member(input, each.name)) made.attributes.emplace(each.name, *value);
  }
  return made;
}

std::vector<std::shared_ptr<TensorResource>> run_call(ComputeService& service, OwnerState& owner, const EagerCall& call,
                                                      const Room& room) {
  Context& context = owner.context();
  const OpSpec& op = context.operations().at(call.op);
  const Operands operands(context, op, call);
  std::vector<Tensor> results;
  if (op.name == graph::kAssign) {
    results = assign(operands, call.attributes);
  } else {
    require_room(context, op, operands, call.attributes, room);
    std::optional<NoGrad> guard;
    if (call.no_grad) guard.emplace(context);
    apply(*ContextAccess::state(context), op, operands.arguments(),
          {attributes_key(call.attributes), [&] { return call.attributes; }}, {{}, &results});
  }
  std::vector<std::shared_ptr<TensorResource>> made;
  for (const Tensor& result : results) {
    made.push_back(result ? std::make_shared<TensorResource>(service, result) : nullptr);
  }
  return made;
}

}  // namespace alknet::compute
