#pragma once

#include "alknet/compute/backend.h"
#include "alknet/compute/device_gpu/parameter_block.h"

namespace alknet::compute {

/// Parameters of the patterns of convolutions: sizes, strides and windows of three spatial dimensions, of which those
/// that the tensors lack have the size 1.
void bind_convolution_parameters(const Computation& computation, const Binding& binding, ParameterBlock& block);
void bind_convolution_weight_parameters(const Binding& binding, ParameterBlock& block);

/// Parameters of the patterns of pools and interpolation.
void bind_max_pool_parameters(const Computation& computation, const Binding& binding, ParameterBlock& block);
void bind_resample_parameters(const Computation& computation, const Binding& binding, ParameterBlock& block);

}  // namespace alknet::compute
