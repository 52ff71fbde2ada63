#include "alknet/compute/generate/matmul_tile.h"

#include <fmt/format.h>

#include <string>

namespace alknet::compute {

std::uint32_t matmul_left_vectors(const MatmulTile& tile) { return tile.depth * (tile.rows / 4 + 1); }
std::uint32_t matmul_right_vectors(const MatmulTile& tile) { return tile.depth * (tile.columns / 4 + 1); }

JsonObject matmul_values(const MatmulTile& tile) {
  const std::uint32_t size = tile.invocations();
  const std::uint32_t row_vectors = tile.thread_rows / 4, column_vectors = tile.thread_columns / 4;
  // Distance of an invocation's vectors: as many as lie side by side.
  const std::uint32_t row_step = tile.rows / tile.thread_rows, column_step = tile.columns / tile.thread_columns;
  std::string declare, fetch_first, fetch_next, put, multiply, sums;
  const auto load = [&](const char* operand, const char* origin, std::uint32_t elements) {
    for (std::uint32_t i = 0; i < elements / 4 / size; ++i) {
      const std::string next = fmt::format("next_{}{}", operand, i);
      const std::string item = fmt::format("local + {}u", i * size);
      declare += fmt::format("  var {}: vec4<f32>;\n", next);
      fetch_first += fmt::format("  {} = fetch_{}(base.{}, 0u, {});\n", next, operand, origin, item);
      fetch_next +=
          fmt::format("      {} = fetch_{}(base.{}, start + {}u, {});\n", next, operand, origin, tile.depth, item);
      put += fmt::format("    put_{}({}, {});\n", operand, item, next);
    }
  };
  load("a", "input, first_row", tile.rows * tile.depth);
  load("b", "other, first_column", tile.columns * tile.depth);
  for (std::uint32_t i = 0; i < row_vectors; ++i) {
    multiply += fmt::format("      let a{} = tile_a[a + {}u];\n", i, i * row_step);
  }
  for (std::uint32_t j = 0; j < column_vectors; ++j) {
    multiply += fmt::format("      let b{} = tile_b[b + {}u];\n", j, j * column_step);
  }
  for (std::uint32_t i = 0; i < tile.thread_rows; ++i) {
    for (std::uint32_t j = 0; j < column_vectors; ++j) {
      const std::string sum = fmt::format("c{}_{}", i, j);
      declare += fmt::format("  var {}: vec4<f32>;\n", sum);
      multiply += fmt::format("      {0} = fma(vec4<f32>(a{1}.{2}), b{3}, {0});\n", sum, i / 4, "xyzw"[i % 4], j);
      sums += fmt::format("{}{}", sums.empty() ? "" : ", ", sum);
    }
  }
  return {{"rows", tile.rows},
          {"columns", tile.columns},
          {"depth", tile.depth},
          {"rows4", tile.rows / 4},
          {"columns4", tile.columns / 4},
          {"depth4", tile.depth / 4},
          {"left_stride", tile.rows / 4 + 1},
          {"right_stride", tile.columns / 4 + 1},
          {"row_step", row_step},
          {"column_step", column_step},
          {"thread_rows", tile.thread_rows},
          {"column_vectors", column_vectors},
          {"sum_count", tile.thread_rows * column_vectors},
          {"declare", declare},
          {"fetch_first", fetch_first},
          {"fetch_next", fetch_next},
          {"put", put},
          {"multiply", multiply},
          {"sums", sums}};
}

}  // namespace alknet::compute
