#pragma once

#include <optional>

#include "alknet/compute/generate/matmul_form.h"
#include "alknet/gpu/device.h"

namespace alknet::compute {

/// What a device has for products of i8.
struct ByteProducts {
  bool dot4 = false;               ///< WGSL's dot4I8Packed (language feature `packed_4x8_integer_dot_product`).
  std::optional<MatrixTile> tile;  ///< On matrix units.
};

/// Looks by running kernels of which the result is known: not every library says what its WGSL has, and whether loads
/// of fragments of i8 count places in words or in elements has changed between versions of the extension. `tile` is
/// what the adapter lists, nothing where matrix units are not to be used; a tile that gives wrong numbers is left out.
ByteProducts probe_byte_products(const gpu::Device& device, std::optional<MatrixTile> tile);

}  // namespace alknet::compute
