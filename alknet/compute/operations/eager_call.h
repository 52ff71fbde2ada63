#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alknet/compute/operations/handles.h"
#include "alknet/compute/operations/owner_state.h"
#include "alknet/graph/op_table.h"
#include "alknet/graph/shape.h"

namespace alknet::compute {

/// One operand of a call: tensors (a list where the operation takes one), a number, or nothing.
struct CallInput {
  std::vector<std::shared_ptr<TensorResource>> tensors;
  std::optional<Scalar> scalar;
  bool list = false;

  bool absent() const { return tensors.empty() && !scalar && !list; }
};

/// A call of an operation of the op table, as an input {operands and parameters by name} says it.
struct EagerCall {
  std::string op;
  std::vector<CallInput> inputs;  ///< Parallel to the operation's.
  JsonObject attributes;
  bool no_grad = false;
};

/// The input of random operations that callers may leave out: the context's next numbers.
inline constexpr std::string_view kRandomState = "rng";

/// Reads operands and parameters of `op`. On the dispatcher's executor. Throws as `tensor_of`, and `missing_input`.
EagerCall read_call(call::OperationContext& context, const OpSpec& op, const JsonObject& input);

/// A number as an operand: 2, 2.5, true, {scalar, kind}. Throws `bad_operand`.
Scalar scalar_of(const Json& value);

/// Runs it on the compute thread; results are null where the operation gives none. Throws `resource_exhausted` before
/// anything is computed when the results do not fit in `room`, else what compute::apply throws.
std::vector<std::shared_ptr<TensorResource>> run_call(ComputeService& service, OwnerState& owner, const EagerCall& call,
                                                      const Room& room);

/// What is known of an operand without its elements.
struct OperandType {
  std::vector<graph::ValueType> tensors;
  std::optional<Scalar> scalar;
};

/// dtypes and shapes of the results of a call; no kernels and no device. Throws what typing throws.
std::vector<graph::ValueType> infer_call(const graph::OpTable& ops, const OpSpec& op,
                                         std::span<const OperandType> operands, const JsonObject& attributes);

}  // namespace alknet::compute
