#include "alknet/compute/device_cpu/kernel_table.h"

#include "alknet/graph/op_program.h"

namespace alknet::compute {

// Defined by the files that alknet-opgen writes.
std::span<const OpcodeKernel> opcodes_f32_kernels();
std::span<const OpcodeKernel> opcodes_f64_kernels();
std::span<const OpcodeKernel> opcodes_integer_kernels();
std::span<const PairKernel> pairs_kernels();
std::span<const ReductionKernel> reduction_kernels();

Dtype register_dtype(Dtype dtype) {
  if (dtype == Dtype::kI8 || dtype == Dtype::kU8) return Dtype::kI32;
  return graph::compute_dtype(dtype);
}

const OpcodeKernel* find_opcode_kernel(graph::expr::Opcode opcode, Dtype dtype) {
  for (const auto table : {opcodes_f32_kernels(), opcodes_f64_kernels(), opcodes_integer_kernels()}) {
    for (const OpcodeKernel& kernel : table) {
      if (kernel.opcode == opcode && kernel.dtype == dtype) return &kernel;
    }
  }
  return nullptr;
}

const PairKernel* find_pair_kernel(graph::expr::Opcode outer, graph::expr::Opcode inner, std::size_t place) {
  using graph::expr::Opcode;
  const bool ordered = outer != Opcode::kAdd && outer != Opcode::kMultiply;
  for (const PairKernel& kernel : pairs_kernels()) {
    const bool fits = !ordered || kernel.inner_first == (place == 0);
    if (kernel.outer == outer && kernel.inner == inner && fits) return &kernel;
  }
  return nullptr;
}

const ReductionKernel* find_reduction_kernel(const graph::OpSpec& op, Dtype input) {
  const Dtype accumulator = graph::reduction_dtype(op, input);
  for (const ReductionKernel& kernel : reduction_kernels()) {
    if (kernel.op == op.name && kernel.accumulator == accumulator) return &kernel;
  }
  return nullptr;
}

}  // namespace alknet::compute
