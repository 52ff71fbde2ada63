#pragma once

#include <cstdint>

#include "alknet/gpu/device.h"

namespace alknet::compute {

/// Invocations of the device's smallest subgroup, when a workgroup's invocations fill its subgroups in their order, as
/// "join_lanes" takes for granted and WGSL leaves open: a kernel looks. 0 when they do not, when sizes are no powers of
/// two from 4 to 128, or without the feature.
std::uint32_t probe_subgroups(const gpu::Device& device);

}  // namespace alknet::compute
