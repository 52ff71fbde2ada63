#pragma once

#include <cstddef>
#include <cstdint>

#include "alknet/compute/device_cpu/kernel_table.h"

namespace alknet::compute {

/// Writes `count` elements to consecutive places from elements `stride` apart (also 0 and negative), converting.
using ConvertFunction = void (*)(const void* from, std::int64_t stride, void* to, std::size_t count);

/// Memory to tile: elements of `storage` as its register dtype.
ConvertFunction load_function(Dtype storage);

/// Tile to memory: elements of `storage`'s register dtype rounded or wrapped to `storage`. Stride is 1.
ConvertFunction store_function(Dtype storage);

/// Tile to tile: the operation `cast` from any dtype with the register dtype of `from` to `to`. Stride is 1.
ConvertFunction cast_function(Dtype from, Dtype to);

/// Memory to memory without conversion.
ConvertFunction copy_function(Dtype storage);

/// Copies past the caches, for large results: else memory would be read into the cache to be overwritten there. `to` is
/// a multiple of 64, as is `bytes`. Other threads see it after `finish_streams`.
void stream_bytes(const void* from, void* to, std::size_t bytes);
void finish_streams();

/// Whether a tile of `from` is one of `to` as it stands.
bool same_in_tile(Dtype from, Dtype to);

}  // namespace alknet::compute
