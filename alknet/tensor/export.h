#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "alknet/tensor/file.h"
#include "alknet/tensor/writer.h"

namespace alknet::tensor {

/// Called with bytes done since the last call.
using OnBytes = std::function<void(std::uint64_t)>;

/// The metadata of `file` that are not alknet's own; all of them without the `metatensor` key.
Metadata user_metadata(const File& file);

/// Writes `file` as a plain safetensors file: the same entries in the same order without pads, and all metadata but
/// alknet's own. Struct and blob tensors stay U8 entries. Atomic and streaming, as Writer; throws as Writer.
void export_safetensors(const File& file, const std::string& target, const OnBytes& on_bytes = {});

/// Writes `file`, of either kind, as a metatensor file with its schema and metadata, and checksums if asked. Throws as
/// Writer, and as File::check_schema.
void export_metatensor(const File& file, const std::string& target, bool checksums = false,
                       const OnBytes& on_bytes = {});

}  // namespace alknet::tensor
