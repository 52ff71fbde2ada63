#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alknet/compute/operations/handles.h"
#include "alknet/compute/operations/owner_state.h"
#include "alknet/graph/call_types.h"
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

/// Reads operands and parameters of `op`. On the dispatcher's executor. Throws as `tensor_of`, and `missing_input`.
EagerCall read_call(call::OperationContext& context, const OpSpec& op, const JsonObject& input);

/// Runs it on the compute thread; results are null where the operation gives none. Throws `resource_exhausted` before
/// anything is computed when the results do not fit in `room`, else what compute::apply throws.
std::vector<std::shared_ptr<TensorResource>> run_call(ComputeService& service, OwnerState& owner, const EagerCall& call,
                                                      const Room& room);

}  // namespace alknet::compute
