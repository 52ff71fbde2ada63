#pragma once

#include <memory>
#include <string>

#include "alknet/tensor/import/importer.h"

namespace alknet::tensor {

/// The file that makes a folder a sharded model.
inline constexpr std::string_view kShardIndexSuffix = ".safetensors.index.json";
inline constexpr std::string_view kShardIndexName = "model.safetensors.index.json";

/// Opens a sharded model as Hugging Face stores it: a folder with `model.safetensors.index.json`, or the path of such
/// an index. Its `weight_map` says which file of the same folder holds which tensor.
///
/// The entries are the tensors of the index, in its order. Shards must hold exactly those that the index gives them:
/// `entry_missing`, `entry_extra`, `duplicate_key` otherwise. Files outside the folder are refused (`bad_path`). The
/// metadata of all shards are merged, one value a key (`duplicate_key`). Throws as Importer and File::open.
std::unique_ptr<Importer> open_shards(const std::string& path);

/// Whether `path` is such a folder or index.
bool is_sharded(const std::string& path, bool is_folder);

}  // namespace alknet::tensor
