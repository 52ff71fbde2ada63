#pragma once

#include <optional>

#include "alknet/compute/backend.h"
#include "alknet/compute/generate/matmul_form.h"
#include "alknet/gpu/adapter.h"

namespace alknet::compute {

/// What decides the forms of matrix products on a class of adapters: the tuned table that is shipped (measured with
/// bench/, see docs/performance.md).
struct MatmulTuning {
  MatmulTile large, small;               ///< Small ones where the large ones are too few to fill the GPU.
  std::int64_t many_tiles = 100;         ///< Fewer large tiles than this: small ones.
  std::int64_t many_matrix_tiles = 100;  ///< The same on matrix units.
  std::int64_t few_tiles = 40;           ///< Fewer tiles than this over a long inner dimension: slices of it,
  std::int64_t workgroups = 264;         ///< so many that there are about as many workgroups as this.
};
MatmulTuning matmul_tuning(const gpu::AdapterInfo& adapter);

/// The tile of products of f16 (sums in f32) or i8 (sums in i32) on the adapter's matrix units; nothing where it lists
/// none that fit.
std::optional<MatrixTile> matrix_tile(const gpu::AdapterInfo& adapter, Dtype operand = Dtype::kF16);

/// How the inner dimension is shared out: `count` slices of `inner` steps, the last one perhaps shorter. One slice
/// where more would not pay.
struct MatmulSlices {
  std::int64_t count = 1, inner = 0;
};
MatmulSlices matmul_slices(const Binding& binding, const MatmulForm& form, const MatmulTuning& tuning);

/// The form of a product for the shapes bound. `matrix`: the tile on matrix units where they may be used for the
/// operands' dtype; `only`: the one tile for all products but those of i64, which pass through no tiles.
MatmulForm choose_matmul(const Binding& binding, const MatmulTuning& tuning, const std::optional<MatrixTile>& matrix,
                         const std::optional<MatmulTile>& only);

}  // namespace alknet::compute
