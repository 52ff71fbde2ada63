#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "alknet/gpu/adapter.h"

namespace alknet::platform::webgpu {

/// A limit of the standard.
struct StandardLimit {
  std::string_view name;
  std::uint64_t value;         ///< What a device has that asks for nothing.
  bool alignment = false;      ///< Smaller is better; a power of 2.
  std::string_view same_as{};  ///< Providers that do not know it have this one in its place.
};

/// All of GPUSupportedLimits.
std::span<const StandardLimit> standard_limits();

/// The value that an adapter has of a limit.
std::uint64_t adapter_limit(std::span<const gpu::Limit> limits, const StandardLimit& limit);

}  // namespace alknet::platform::webgpu
