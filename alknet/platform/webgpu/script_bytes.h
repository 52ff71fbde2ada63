#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "alknet/platform/webgpu/binding.h"

namespace alknet::platform::webgpu {

/// The part of a BufferSource that (offset, size) means: counted in elements of a typed array, in bytes of anything
/// else; a size of WGPU_WHOLE_SIZE is the rest. Throws an OperationError when it is not within. Valid until script
/// runs.
std::span<std::byte> script_bytes(const Call& call, const runtime::Value& data, std::uint64_t offset,
                                  std::uint64_t size, std::string_view method);

}  // namespace alknet::platform::webgpu
