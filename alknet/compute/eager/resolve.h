#pragma once

#include <memory>
#include <span>

#include "alknet/compute/eager/call_cache.h"
#include "alknet/compute/eager/tensor_state.h"

namespace alknet::compute {

/// One operand of a call: those of lists one by one, absent ones too.
struct CallOperand {
  std::uint32_t input;        ///< Of the operation.
  const TensorState* tensor;  ///< Neither this nor `scalar`: absent.
  const Scalar* scalar;

  bool absent() const { return tensor == nullptr && scalar == nullptr; }
};

/// Finds out how a call runs: types it, and compiles and binds its kernel. Fills all but `key` and `held`.
/// Throws Error `bad_attribute`, `dtype_mismatch`, `shape_mismatch`, `unsupported`, ...
std::unique_ptr<Call> resolve_call(ContextState& context, const std::shared_ptr<Backend>& backend, const OpSpec& op,
                                   std::span<const CallOperand> operands, const JsonObject& attributes);

/// The dtype in which a number is given to a kernel that reads `dtype`: kernels compute on halves in f32.
inline Dtype scalar_storage_dtype(Dtype dtype) { return graph::compute_dtype(dtype); }

/// A number as elements on a device, kept for the next time.
const Storage& scalar_storage(ContextState& context, const std::shared_ptr<Backend>& backend, const Scalar& scalar,
                              Dtype dtype);

/// A tensor whose elements are all one number; without memory for each.
Tensor filled(const std::shared_ptr<ContextState>& context, const std::shared_ptr<Backend>& backend,
              const Scalar& value, Dtype dtype, const Shape& shape);

}  // namespace alknet::compute
