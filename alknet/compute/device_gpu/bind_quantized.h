#pragma once

#include "alknet/compute/backend.h"
#include "alknet/compute/device_gpu/parameter_block.h"

namespace alknet::compute {

/// Sets the parameters of the patterns "quantized_matmul_*".
void bind_quantized_matmul_parameters(const Binding& binding, ParameterBlock& block);

/// Sets those of the pattern "dequantize" where it reads rows by indices.
void bind_quantized_rows_parameters(const Binding& binding, ParameterBlock& block);

}  // namespace alknet::compute
