#pragma once

#include <memory>

#include "alknet/tensor/byte_source.h"
#include "alknet/tensor/import/importer.h"

namespace alknet::tensor {

/// Opens a .npz file (numpy.savez, numpy.savez_compressed): a zip archive of .npy files, each an entry with its name
/// less `.npy`. What an array becomes: NpyArray. Throws as Importer; `duplicate_key` for two members of one name.
std::unique_ptr<Importer> open_npz(ByteSource source);

}  // namespace alknet::tensor
