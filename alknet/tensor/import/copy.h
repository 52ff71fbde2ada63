#pragma once

#include <cstdint>

#include "alknet/base/function_ref.h"
#include "alknet/tensor/import/importer.h"

namespace alknet::tensor {

/// Writes the whole entry of a sink, `bytes` bytes that `read` fills from an offset, a piece at a time.
void copy_bytes(FunctionRef<void(std::uint64_t, std::span<std::byte>)> read, std::uint64_t bytes, EntrySink& sink);

}  // namespace alknet::tensor
