#pragma once

#include <functional>
#include <vector>

#include "alknet/call/registry.h"
#include "alknet/call/resources.h"
#include "alknet/compute/operations/service.h"
#include "alknet/runtime/native.h"

namespace alknet::platform {

/// `gpu/lend_buffer` and `gpu/adopt_buffer`, by which the package @alknet/tensor shows a tensor's memory as a GPUBuffer
/// and a GPUBuffer as a tensor, in the order of its other calls. Only for the program that has the module `alknet:gpu`:
/// what they answer and take stands for memory of this process.
std::vector<call::Registration> gpu_buffer_operations(compute::ComputeService& service);

/// The module `alknet:gpu`, the other half of these operations:
///
///   view(device, handle)    the GPUBuffer, of a GPUDevice, over memory that `gpu/lend_buffer` answered
///   revoke(buffer)          ends that view: the tensor was disposed of
///   handOver(buffer)        a handle of a GPUBuffer for `gpu/adopt_buffer`. Throws TypeError for one that is not as a
///                           tensor needs it
///
/// `resources` is the table that the operations use; called when the functions are. navigator.gpu must be installed.
runtime::NativeModule gpu_module(std::function<call::ResourceTable&()> resources);

}  // namespace alknet::platform
