#pragma once

#include <optional>
#include <span>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/graph/dtype.h"
#include "alknet/graph/graph.h"
#include "alknet/graph/op_table.h"

namespace alknet::graph {

/// An operand as promotion sees it.
struct DtypeOperand {
  Dtype dtype = Dtype::kF32;  ///< Of a tensor; unused for a scalar.
  bool rank_zero = false;     ///< As in PyTorch, such a tensor only raises the class (bool, integer, float) of others.
  std::optional<Scalar> scalar;  ///< A weak scalar.
};

/// The dtype that operands share after promotion by PyTorch's rules: tensors with dimensions decide, then rank-0
/// tensors, then scalars, each only by raising the class. At least one operand.
Dtype promoted_dtype(std::span<const DtypeOperand> operands);

/// dtypes of one call of an operation.
struct OpDtypes {
  /// Parallel to the op's inputs: what its kernel reads, after the implied cast; nothing for absent ones.
  std::vector<std::optional<Dtype>> inputs;
  std::vector<Dtype> outputs;
};

/// The dtypes of a call. `operands` is parallel to the op's inputs: none for an absent one, several for a variadic one.
/// `attrs` are complete. Throws Error `dtype_mismatch` ("[matmul] ...") or `bad_attribute`.
OpDtypes infer_dtypes(const OpSpec& op, std::span<const std::vector<DtypeOperand>> operands, const JsonObject& attrs);

}  // namespace alknet::graph
