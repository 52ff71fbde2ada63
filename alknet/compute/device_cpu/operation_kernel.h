#pragma once

#include <memory>

#include "alknet/compute/device_cpu/cpu_kernel.h"
#include "alknet/compute/device_cpu/result_sink.h"

namespace alknet::compute {

/// What the kernel of an operation that is not element-wise gives its launches; it outlives them.
struct OperationContext {
  std::shared_ptr<CpuResources> resources;
  const OpSpec* op;
  const Epilogue& epilogue;
};

/// Reductions, from their generated parts.
std::unique_ptr<Launch> bind_reduction(const OperationContext& context, const Binding& binding);

// The templates that the op table names, one file each.
std::unique_ptr<Launch> bind_matmul(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_quantized_matmul(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_quantized_embedding(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_dequantize(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_convolution(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_convolution_backward_input(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_convolution_backward_weight(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_random_words(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_max_pool(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_max_pool_backward(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_max_pool_indices(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_resample(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_resample_backward(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_cholesky(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_det(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_inverse(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_solve(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_softmax(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_log_softmax(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_rms_norm(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_layer_norm(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_embedding(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_attention(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_gather(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_scatter(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_place(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_scan(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_sort(const OperationContext& context, const Binding& binding);
std::unique_ptr<Launch> bind_arg_reduce(const OperationContext& context, const Binding& binding);

}  // namespace alknet::compute
