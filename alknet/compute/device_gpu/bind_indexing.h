#pragma once

#include "alknet/compute/backend.h"
#include "alknet/compute/device_gpu/parameter_block.h"
#include "alknet/compute/generate/kernel_spec.h"

namespace alknet::compute {

/// Parameters of the patterns that pick, place, order and scan elements (opgen_indexing.cc); false where `spec` has
/// another pattern.
bool bind_indexing_parameters(const Computation& computation, const KernelSpec& spec, const Binding& binding,
                              ParameterBlock& block);

}  // namespace alknet::compute
