#include "alknet/compute/device_gpu/matmul_choice.h"

#include <algorithm>
#include <string_view>

#include "alknet/compute/device_gpu/bind_parameters.h"
#include "alknet/graph/dtype.h"

namespace alknet::compute {
namespace {

struct TunedAdapter {
  std::string_view vendor;  // empty: any
  MatmulTuning tuning;
};
constexpr MatmulTile kSmallTile = {64, 64, 16, 8, 4};
constexpr TunedAdapter kTuned[] = {
    {"nvidia", {{128, 128, 16, 16, 8}, kSmallTile, 100, 100, 40, 264}},  // H100
    {"", {{128, 128, 16, 8, 8}, kSmallTile, 100, 100, 40, 128}},
};

struct ProductSize {
  std::int64_t batch, rows, columns, inner;

  std::int64_t tiles(std::int64_t tile_rows, std::int64_t tile_columns) const {
    return batch * ((rows + tile_rows - 1) / tile_rows) * ((columns + tile_columns - 1) / tile_columns);
  }
};

ProductSize size_of(const Binding& binding) {
  const Shape &a = binding.inputs[0]->layout.shape, &b = binding.inputs[1]->layout.shape;
  ProductSize size{1, a.size() > 1 ? a[a.size() - 2] : 1, b.size() > 1 ? b.back() : 1, a.back()};
  const std::int64_t results = graph::element_count(binding.outputs.front().layout.shape);
  size.batch = results / std::max<std::int64_t>(1, size.rows * size.columns);
  return size;
}

struct TileSize {
  std::int64_t rows, columns, depth;
};
TileSize tile_size(const MatmulForm& form) {
  if (form.kind != MatmulForm::Kind::kMatrix) return {form.tile.rows, form.tile.columns, matmul_step(form)};
  return {form.matrix.rows(), form.matrix.columns(), matmul_step(form)};
}

/// Products of f16 or i8 that fill a good part of a tile.
bool fits_matrix_units(Dtype operand, const ProductSize& size, const MatrixTile& tile) {
  return (operand == Dtype::kF16 || operand == Dtype::kI8) && size.inner > 0 && size.rows >= 2 * tile.fragment_rows &&
         size.columns >= 2 * tile.fragment_columns;
}

}  // namespace

MatmulTuning matmul_tuning(const gpu::AdapterInfo& adapter) {
  return std::find_if(std::begin(kTuned), std::end(kTuned),
                      [&](const TunedAdapter& row) { return row.vendor.empty() || row.vendor == adapter.vendor; })
      ->tuning;
}

std::optional<MatrixTile> matrix_tile(const gpu::AdapterInfo& adapter, Dtype operand) {
  const bool bytes = operand == Dtype::kI8;
  if (adapter.subgroup_min_size == 0 || adapter.subgroup_min_size != adapter.subgroup_max_size) return std::nullopt;
  std::optional<MatrixTile> best;
  for (const gpu::MatrixConfig& config : adapter.matrix_configs) {
    const MatrixTile tile{config.rows, config.columns, config.depth, 4, adapter.subgroup_max_size};
    // Vectors of 4 of both operands' steps are shared out evenly.
    const auto even = [&](std::uint32_t elements) { return elements % (4 * tile.invocations()) == 0; };
    const bool listed = config.component == (bytes ? "i8" : "f16") && config.result == (bytes ? "i32" : "f32");
    if (!listed || tile.depth() % 4 != 0 || !even(tile.rows() * tile.depth() / 2) ||
        !even(tile.columns() * tile.depth() / 2)) {
      continue;
    }
    const auto work = [](const MatrixTile& t) { return t.fragment_rows * t.fragment_columns * t.fragment_depth; };
    if (!best || work(tile) > work(*best)) best = tile;
  }
  return best;
}

MatmulSlices matmul_slices(const Binding& binding, const MatmulForm& form, const MatmulTuning& tuning) {
  constexpr std::int64_t kMostSlices = 64, kLeastSteps = 4;  // of the tile's depth, in a slice
  const ProductSize size = size_of(binding);
  const TileSize tile = tile_size(form);
  const std::int64_t tiles = size.tiles(tile.rows, tile.columns);
  if (tiles == 0 || tiles >= tuning.few_tiles) return {1, size.inner};
  const std::int64_t count =
      std::min({tuning.workgroups / tiles, size.inner / (kLeastSteps * tile.depth), kMostSlices});
  if (count < 2) return {1, size.inner};
  const std::int64_t inner = (size.inner + count * tile.depth - 1) / (count * tile.depth) * tile.depth;
  return {(size.inner + inner - 1) / inner, inner};
}

MatmulForm choose_matmul(const Binding& binding, const MatmulTuning& tuning, const std::optional<MatrixTile>& matrix,
                         const std::optional<MatmulTile>& only) {
  constexpr std::int64_t kFewRows = 16;
  const ProductSize size = size_of(binding);
  const Dtype operand = binding.inputs[0]->dtype;
  MatmulForm form, split;
  split.kind = MatmulForm::Kind::kSplit;
  if (operand == Dtype::kI64) return split;
  std::tie(form.left, form.right) = matmul_readings(binding);
  form.bytes = operand == Dtype::kI8;
  if (only) {
    form.tile = *only;
  } else if (matrix && fits_matrix_units(operand, size, *matrix)) {
    form.kind = MatmulForm::Kind::kMatrix;
    form.matrix = *matrix;
    if (size.tiles(form.matrix.rows(), form.matrix.columns()) < tuning.many_matrix_tiles) form.matrix.parts = 2;
  } else {
    if (size.rows <= kFewRows || size.columns <= kFewRows) return split;
    const bool large = size.tiles(tuning.large.rows, tuning.large.columns) >= tuning.many_tiles;
    form.tile = large ? tuning.large : tuning.small;
  }
  const TileSize tile = tile_size(form);
  form.whole = size.rows % tile.rows == 0 && size.columns % tile.columns == 0 && size.inner % tile.depth == 0;
  if (!only && matmul_slices(binding, form, tuning).count > 1) form.stage = MatmulForm::Stage::kSlices;
  return form;
}

}  // namespace alknet::compute
