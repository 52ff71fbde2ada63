#include "alknet/compute/device_cpu/kernel_table.h"

#include <algorithm>

namespace alknet::compute {

// Defined by the files that alknet-opgen writes.
std::span<const ElementwiseKernel> elementwise_f32_kernels();
std::span<const ElementwiseKernel> elementwise_f64_kernels();
std::span<const ElementwiseKernel> elementwise_integer_kernels();
std::span<const ReductionKernel> reduction_kernels();

Dtype register_dtype(Dtype dtype) {
  if (dtype == Dtype::kI8 || dtype == Dtype::kU8) return Dtype::kI32;
  return graph::compute_dtype(dtype);
}

const ElementwiseKernel* find_elementwise_kernel(std::string_view op, std::string_view variant,
                                                 std::span<const Dtype> compute_dtypes) {
  for (const auto table : {elementwise_f32_kernels(), elementwise_f64_kernels(), elementwise_integer_kernels()}) {
    for (const ElementwiseKernel& kernel : table) {
      if (kernel.op == op && kernel.variant == variant && kernel.input_count == compute_dtypes.size() &&
          std::equal(compute_dtypes.begin(), compute_dtypes.end(), kernel.inputs.begin())) {
        return &kernel;
      }
    }
  }
  return nullptr;
}

const ReductionKernel* find_reduction_kernel(std::string_view op, Dtype input) {
  const Dtype accumulator = graph::compute_dtype(input);
  for (const ReductionKernel& kernel : reduction_kernels()) {
    if (kernel.op == op && kernel.accumulator == accumulator) return &kernel;
  }
  return nullptr;
}

}  // namespace alknet::compute
