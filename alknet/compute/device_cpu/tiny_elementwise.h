#pragma once

#include <memory>
#include <span>

#include "alknet/compute/device_cpu/cpu_kernel.h"
#include "alknet/compute/device_cpu/vector_program.h"

namespace alknet::compute {

/// A launch without threads and scratch memory, for a few steps on at most 64 elements, where these would cost more
/// than the steps. Null when the binding is no such: inputs must be contiguous and of the output's size, or of one
/// element, and have in memory the dtypes that they are computed in.
std::unique_ptr<Launch> bind_tiny_elementwise(std::shared_ptr<const VectorProgram> program,
                                              std::span<const Operand> inputs, std::span<const Operand> outputs);

}  // namespace alknet::compute
