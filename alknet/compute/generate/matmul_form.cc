#include "alknet/compute/generate/matmul_form.h"

#include <fmt/format.h>

#include <string>

#include "alknet/compute/generate/wgsl_storage.h"

namespace alknet::compute {
namespace {

/// Elements that a row in workgroup memory is longer by, against bank conflicts.
std::uint32_t padding(const MatmulForm& form) { return form.bytes ? 16 : 8; }

constexpr std::uint32_t kWord = 4;  // elements of i8

/// What both templates are told about an operand: `left_inner`, `left_outer`, `left_elements`.
void add_readings(const MatmulForm& form, JsonObject& values) {
  for (const auto& [name, reading] : {std::pair("left", form.left), std::pair("right", form.right)}) {
    values[fmt::format("{}_inner", name)] = reading == MatmulReading::kInner;
    values[fmt::format("{}_outer", name)] = reading == MatmulReading::kOuter;
    values[fmt::format("{}_elements", name)] = reading == MatmulReading::kElements;
  }
  values["whole"] = form.whole;
  values["sliced"] = form.stage == MatmulForm::Stage::kSlices;
}

/// Declares the registers that hold an operand's next step, and writes how they are filled and put into workgroup
/// memory. `vectors` of them an invocation, `size` invocations.
struct Staging {
  std::string declare, fetch_first, fetch_next, put;

  void add(const char* operand, const char* origin, const char* type, std::uint32_t vectors, std::uint32_t size,
           std::uint32_t depth) {
    for (std::uint32_t i = 0; i < vectors; ++i) {
      const std::string next = fmt::format("next_{}{}", operand, i);
      const std::string item = fmt::format("local + {}u", i * size);
      declare += fmt::format("  var {}: {};\n", next, type);
      fetch_first += fmt::format("  {} = fetch_{}(base.{}, begin, {});\n", next, operand, origin, item);
      fetch_next += fmt::format("      {} = fetch_{}(base.{}, start + {}u, {});\n", next, operand, origin, depth, item);
      put += fmt::format("    put_{}({}, {});\n", operand, item, next);
    }
  }
};

/// Rows of an operand's step in workgroup memory run along the inner dimension (columns of the right operand, rows of
/// the left one, lie one below the other) or along the other.
struct Rows {
  bool inner;
  std::uint32_t count, stride;
};
Rows left_rows(const MatmulForm& form) {
  const MatrixTile& tile = form.matrix;
  return form.left == MatmulReading::kOuter ? Rows{false, tile.depth(), tile.rows() + padding(form)}
                                            : Rows{true, tile.rows(), tile.depth() + padding(form)};
}
Rows right_rows(const MatmulForm& form) {
  const MatrixTile& tile = form.matrix;
  return form.right == MatmulReading::kInner ? Rows{true, tile.columns(), tile.depth() + padding(form)}
                                             : Rows{false, tile.depth(), tile.columns() + padding(form)};
}

/// A fragment's load: `outer` and `k` are its place in the step, `by_columns` whether memory's rows are its columns.
std::string load(const char* type, const char* tile, const Rows& rows, const std::string& outer, std::uint32_t k,
                 bool by_columns, std::uint32_t unit) {
  const std::string at = rows.inner ? fmt::format("(({}) * {}u + {}u) / {}u", outer, rows.stride, k, unit)
                                    : fmt::format("({}u + {}) / {}u", k * rows.stride, outer, unit);
  return fmt::format("subgroupMatrixLoad<{}>(&{}, {}, {}, {}u)", type, tile, at, by_columns, rows.stride / unit);
}

}  // namespace

graph::Dtype matmul_sum_dtype(graph::Dtype operand) {
  using graph::Dtype;
  if (graph::is_float(operand)) return Dtype::kF32;
  if (operand == Dtype::kI8) return Dtype::kI32;
  return operand == Dtype::kU8 ? Dtype::kU32 : operand;
}

std::uint32_t matmul_step(const MatmulForm& form) {
  if (form.kind == MatmulForm::Kind::kMatrix) return form.matrix.depth();
  return form.bytes ? kWord * form.tile.depth : form.tile.depth;
}

std::uint32_t matmul_left_vectors(const MatmulTile& tile) { return tile.depth * (tile.rows / 4 + 1); }
std::uint32_t matmul_right_vectors(const MatmulTile& tile) { return tile.depth * (tile.columns / 4 + 1); }
std::uint32_t matmul_left_elements(const MatmulForm& form) { return left_rows(form).count * left_rows(form).stride; }
std::uint32_t matmul_right_elements(const MatmulForm& form) { return right_rows(form).count * right_rows(form).stride; }

JsonObject matmul_tiled_values(const MatmulForm& form, graph::Dtype operand) {
  const MatmulTile& tile = form.tile;
  const std::uint32_t size = tile.invocations();
  const std::uint32_t row_vectors = tile.thread_rows / 4, column_vectors = tile.thread_columns / 4;
  // Distance of an invocation's vectors: as many as lie side by side.
  const std::uint32_t row_step = tile.rows / tile.thread_rows, column_step = tile.columns / tile.thread_columns;
  const std::uint32_t step = matmul_step(form);
  const std::string scalar(wgsl_type(matmul_sum_dtype(operand))), sums = fmt::format("vec4<{}>", scalar);
  const std::string vector = form.bytes ? "vec4<u32>" : sums;
  Staging staging;
  staging.add("a", "input, first_row", vector.c_str(), tile.rows * tile.depth / 4 / size, size, step);
  staging.add("b", "other, first_column", vector.c_str(), tile.columns * tile.depth / 4 / size, size, step);
  std::string multiply, store;
  for (std::uint32_t i = 0; i < row_vectors; ++i) {
    multiply += fmt::format("      let a{} = tile_a[a + {}u];\n", i, i * row_step);
  }
  for (std::uint32_t j = 0; j < column_vectors; ++j) {
    multiply += fmt::format("      let b{} = tile_b[b + {}u];\n", j, j * column_step);
  }
  for (std::uint32_t i = 0; i < tile.thread_rows; ++i) {
    for (std::uint32_t j = 0; j < column_vectors; ++j) {
      const std::string sum = fmt::format("c{}_{}", i, j);
      staging.declare += fmt::format("  var {}: {};\n", sum, sums);
      multiply +=
          fmt::format(fmt::runtime(form.bytes                 ? "      {0} += dot_words(a{1}.{2}, b{3});\n"
                                   : graph::is_float(operand) ? "      {0} = fma(vec4<f32>(a{1}.{2}), b{3}, {0});\n"
                                                              : "      {0} += a{1}.{2} * b{3};\n"),
                      sum, i / 4, "xyzw"[i % 4], j);
      store += fmt::format(
          "  store_part(result, first_row + own_row * 4u + {}u, first_column + own_column * 4u + {}u, {});\n",
          i / 4 * row_step * 4 + i % 4, j * column_step * 4, sum);
    }
  }
  JsonObject values{{"rows", tile.rows},
                    {"columns", tile.columns},
                    {"depth", tile.depth},
                    {"rows4", tile.rows / 4},
                    {"columns4", tile.columns / 4},
                    {"depth4", tile.depth / 4},
                    {"left_stride", tile.rows / 4 + 1},
                    {"right_stride", tile.columns / 4 + 1},
                    {"column_step", column_step},
                    {"step", step},
                    {"scalar", scalar},
                    {"vector", vector},
                    {"bytes", form.bytes},
                    {"dot4", form.dot4},
                    {"declare", staging.declare},
                    {"fetch_first", staging.fetch_first},
                    {"fetch_next", staging.fetch_next},
                    {"put", staging.put},
                    {"multiply", multiply},
                    {"store", store}};
  add_readings(form, values);
  return values;
}

JsonObject matmul_matrix_values(const MatmulForm& form) {
  const MatrixTile& tile = form.matrix;
  const std::uint32_t size = tile.invocations(), depth = tile.depth(), parts = tile.parts;
  const std::uint32_t fragment_rows = tile.fragment_rows, fragment_columns = tile.fragment_columns;
  const Rows left = left_rows(form), right = right_rows(form);
  Staging staging;
  const char* const item = form.bytes ? "i32" : "vec4<f16>";
  const std::uint32_t unit = tile.in_words ? kWord : 1;
  staging.add("a", "input, first_row", item, tile.rows() * depth / 4 / size, size, depth);
  staging.add("b", "other, first_column", item, tile.columns() * depth / 4 / size, size, depth);
  std::string multiply, store;
  for (std::uint32_t k = 0; k < depth; k += tile.fragment_depth) {
    multiply += "    {\n";
    for (std::uint32_t j = 0; j < parts; ++j) {
      const std::string outer = fmt::format("part_column + {}u", j * fragment_columns);
      multiply += fmt::format("      let b{} = {};\n", j, load("Right", "tile_b", right, outer, k, right.inner, unit));
    }
    for (std::uint32_t i = 0; i < parts; ++i) {
      const std::string outer = fmt::format("part_row + {}u", i * fragment_rows);
      multiply += fmt::format("      let a{} = {};\n", i, load("Left", "tile_a", left, outer, k, !left.inner, unit));
      for (std::uint32_t j = 0; j < parts; ++j) {
        multiply += fmt::format("      c{0}_{1} = subgroupMatrixMultiplyAccumulate(a{0}, b{1}, c{0}_{1});\n", i, j);
      }
    }
    multiply += "    }\n";
  }
  const std::uint32_t fragment = fragment_rows * fragment_columns;
  for (std::uint32_t i = 0; i < parts; ++i) {
    for (std::uint32_t j = 0; j < parts; ++j) {
      staging.declare += fmt::format("  var c{}_{}: Sums;\n", i, j);
      store += fmt::format(
          "  subgroupMatrixStore(&results, part * {0}u, c{1}_{2}, false, {3}u);\n  workgroupBarrier();\n"
          "  store_fragment(result, first_row + part_row + {4}u, first_column + part_column + {5}u, local);\n"
          "  workgroupBarrier();\n",
          fragment, i, j, fragment_columns, i * fragment_rows, j * fragment_columns);
    }
  }
  JsonObject values{{"subgroup_matrix", true},
                    {"rows", tile.rows()},
                    {"columns", tile.columns()},
                    {"depth", depth},
                    {"rows4", tile.rows() / 4},
                    {"columns4", tile.columns() / 4},
                    {"depth4", depth / 4},
                    {"component", form.bytes ? "i8" : "f16"},
                    {"result", form.bytes ? "i32" : "f32"},
                    {"item", item},
                    {"bytes", form.bytes},
                    {"fragment_rows", fragment_rows},
                    {"fragment_columns", fragment_columns},
                    {"fragment_depth", tile.fragment_depth},
                    {"fragment", fragment},
                    {"subgroup", tile.subgroup},
                    {"part_rows", parts * fragment_rows},
                    {"part_columns", parts * fragment_columns},
                    {"left_stride", left.stride},
                    {"right_stride", right.stride},
                    {"declare", staging.declare},
                    {"fetch_first", staging.fetch_first},
                    {"fetch_next", staging.fetch_next},
                    {"put", staging.put},
                    {"multiply", multiply},
                    {"store", store}};
  add_readings(form, values);
  return values;
}

}  // namespace alknet::compute
