#pragma once

#include <system_error>

namespace alknet::compute {

/// What can go wrong when tensors are computed.
enum class ComputeError {
  kUnsupported = 1,      ///< This device has no kernel for that dtype or shape.
  kOutOfMemory,          ///< The device's memory is exhausted; the device stays usable.
  kIndexOutOfRange,      ///< An index tensor points outside the indexed dimension.
  kShapeMismatch,        ///< A tensor's shape or dtype is not what the plan was compiled for.
  kMissingInput,         ///< A run lacks one of the graph's inputs.
  kMissingParameter,     ///< The store lacks a state that has no initial value.
  kStaleBuffer,          ///< The buffer was disposed, or never belonged to this device.
  kReadOnly,             ///< A write to mapped memory.
  kUnknownDevice,        ///< No device of that name.
  kContextMismatch,      ///< Tensors of two contexts in one operation.
  kTokenizerInvalid,     ///< tokenizer.json has a part that is unknown or wrong.
  kModelInvalid,         ///< A model folder lacks a file, or its configuration is not supported.
  kInvalidText,          ///< Text is not UTF-8.
  kNotFinite,            ///< A result that must be a number is infinite or NaN; of a watched run with `path` and `op`.
  kStaleVersion,         ///< A tensor that a gradient needs was written after it was saved.
  kGraphFreed,           ///< What a gradient needs was freed by an earlier backward.
  kSingularMatrix,       ///< A matrix to be inverted or solved with has no inverse.
  kNotPositiveDefinite,  ///< A matrix to be factored by cholesky is not.
  kKernelInvalid,        ///< A user's kernel is specified wrongly; details has `problems`.
  kUnknownKernel,        ///< No kernel of that name is registered.
  kUntrustedKernel,      ///< The device runs shader source only of programs that trust it.
};

const std::error_category& compute_category() noexcept;
inline std::error_code make_error_code(ComputeError error) noexcept {
  return {static_cast<int>(error), compute_category()};
}

}  // namespace alknet::compute

template <>
struct std::is_error_code_enum<alknet::compute::ComputeError> : std::true_type {};
