#pragma once

#include <memory>

#include "alknet/tensor/byte_source.h"
#include "alknet/tensor/import/importer.h"

namespace alknet::tensor {

inline constexpr std::string_view kGgufMagic = "GGUF";

/// Opens a GGUF file, version 2 or 3, little-endian (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
///
/// Tensors get their dimensions slowest first, as everywhere here. F32, F16, BF16, F64 and integers are flat; the rows
/// of `block_formats()` are struct tensors with `block` along the last axis. Metadata become `gguf.<key>` with JSON
/// text as value (floats as the shortest text that reads back as the same 32 bits); an array of strings becomes a blob
/// tensor `gguf.<key>` of String, or of Bytes where one of them is not UTF-8. Throws as Importer; `duplicate_key`,
/// `offset_overlap` and `offset_out_of_range` where they apply.
std::unique_ptr<Importer> open_gguf(ByteSource source);

}  // namespace alknet::tensor
