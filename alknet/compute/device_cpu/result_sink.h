#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "alknet/compute/backend.h"
#include "alknet/compute/device_cpu/convert.h"
#include "alknet/compute/device_cpu/vector_program.h"

namespace alknet::compute {

/// The program that follows an operation, if there is one. Immutable, part of a kernel.
class Epilogue {
 public:
  /// Throws Error `unsupported`.
  explicit Epilogue(const Computation& computation);

  const VectorProgram* program() const { return program_ ? &*program_ : nullptr; }
  /// Of the operation's result, which the program reads.
  Dtype result_dtype() const { return result_dtype_; }
  /// In which the operation computes and hands over its result: f32 for f16 and bf16.
  Dtype compute_dtype() const { return compute_dtype_; }

 private:
  std::optional<VectorProgram> program_;
  Dtype result_dtype_, compute_dtype_;
};

/// Takes an operation's result range by range, in the compute dtype, and stores what the outputs are to be.
class ResultSink {
 public:
  /// `epilogue` must outlive this; `op_inputs` is how many of the binding's inputs are the operation's.
  ResultSink(const Epilogue& epilogue, std::size_t op_inputs, const Binding& binding);

  /// The output's memory at element `index`, when the operation may compute its result there; else null: then the
  /// result is handed over in memory of the operation's own.
  std::byte* place(Slots slots, std::int64_t index) const;

  /// Bytes of scratch for `store`.
  std::size_t scratch_bytes() const { return bound_ ? epilogue_.program()->scratch_bytes() : 0; }

  /// Elements [begin, end) of the operation's result, row-major, are at `result`.
  void store(Slots slots, std::int64_t begin, std::int64_t end, const void* result, std::byte* scratch) const;

  bool has_program() const { return bound_.has_value(); }
  Dtype result_dtype() const { return epilogue_.result_dtype(); }
  Dtype compute_dtype() const { return epilogue_.compute_dtype(); }
  std::size_t element_bytes() const { return graph::dtype_bytes(epilogue_.compute_dtype()); }

 private:
  const Epilogue& epilogue_;
  std::optional<BoundProgram> bound_;
  Operand output_;
  Walk walk_;  // of the output
  bool contiguous_, in_place_;
  ConvertFunction store_;
};

}  // namespace alknet::compute
