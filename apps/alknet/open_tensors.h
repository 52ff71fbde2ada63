#pragma once

#include <string>

#include "alknet/tensor/file.h"

namespace alknet::app {

/// Opens a metatensor or safetensors file. Throws as File::open; of a file of another format, and of a sharded model,
/// the error says how to convert it.
tensor::File open_tensors(const std::string& path, const tensor::OpenOptions& options = {});

}  // namespace alknet::app
