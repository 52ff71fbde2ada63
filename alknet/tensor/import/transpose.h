#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "alknet/base/function_ref.h"

namespace alknet::tensor {

/// Rewrites an array of items from Fortran order (first index fastest) to C order (last index fastest), in tiles of at
/// most `budget` bytes or one item, so that both sides see few and long accesses.
///
/// `read` fills bytes from an offset of the Fortran array, `write` takes bytes for an offset of the C array; every byte
/// is read and written once. The product of `shape` and `item_bytes` must fit 64 bits.
void fortran_to_c(std::span<const std::int64_t> shape, std::size_t item_bytes, std::size_t budget,
                  FunctionRef<void(std::uint64_t, std::span<std::byte>)> read,
                  FunctionRef<void(std::uint64_t, std::span<const std::byte>)> write);

/// The place in Fortran order of the item at place `index` in C order.
std::uint64_t fortran_index(std::uint64_t index, std::span<const std::int64_t> shape);

}  // namespace alknet::tensor
