#include "alknet/compute/device_gpu/byte_products.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "alknet/base/error.h"
#include "alknet/gpu/error.h"

namespace alknet::compute {
namespace {

/// What a kernel of one workgroup leaves in `count` words; nothing where it does not compile.
std::optional<std::vector<std::int32_t>> results_of(const gpu::Device& device, std::string code, std::size_t count) {
  gpu::KernelSource source;
  source.name = "byte products";
  source.code = std::move(code);
  source.bindings = {gpu::BindingKind::kStorage};
  gpu::Pipeline pipeline;
  try {
    pipeline = device.compile_shader(source);
  } catch (const Error& error) {
    if (error.code() != make_error_code(gpu::GpuError::kShaderInvalid)) throw;
    return std::nullopt;
  }
  std::vector<std::int32_t> found(count);
  const gpu::Buffer words = device.create_buffer(count * sizeof(std::int32_t), gpu::BufferUsage::kStorage, source.name);
  const gpu::Binding binding{&words, 0, 0};
  device.dispatch(pipeline, std::span(&binding, 1), {});
  device.readback(words, 0, std::as_writable_bytes(std::span(found)));
  return found;
}

bool has_dot4(const gpu::Device& device) {
  const auto found = results_of(device, R"(
@group(0) @binding(0) var<storage, read_write> found: array<i32, 4>;
@compute @workgroup_size(1)
fn main(@builtin(local_invocation_index) local: u32) { found[0] = dot4I8Packed(0x80ff017fu + local, 0x80020380u); }
)",
                                4);
  // 127 x -128, 1 x 3, -1 x 2, -128 x -128
  return found && found->front() == 127 * -128 + 3 - 2 + 128 * 128;
}

// Elements of the operands of a fragment's product.
int left_element(std::uint32_t row, std::uint32_t k) { return static_cast<int>((row * 37 + k * 11) % 256) - 128; }
int right_element(std::uint32_t column, std::uint32_t k) { return static_cast<int>((column * 53 + k * 7) % 256) - 128; }

/// One product of fragments, both operands along the inner dimension in memory, behind 16 elements.
bool multiplies(const gpu::Device& device, const MatrixTile& tile) {
  constexpr std::uint32_t kBefore = 16;
  const std::uint32_t rows = tile.fragment_rows, columns = tile.fragment_columns, depth = tile.fragment_depth;
  const std::uint32_t unit = tile.in_words ? 4 : 1;
  const auto fill = [&](const char* name, std::uint32_t count, int factor, int step) {
    return fmt::format(
        "  for (var word = local; word < {1}u; word += {2}u) {{\n    var bits = 0u;\n"
        "    for (var j = 0u; j < 4u; j += 1u) {{\n"
        "      let at = word * 4u + j;\n"
        "      bits |= ((((at / {3}u) * {4}u + (at % {3}u) * {5}u) + 128u) & 0xffu) << (j * 8u);\n    }}\n"
        "    {0}[{6}u + word] = bitcast<i32>(bits);\n  }}\n",
        name, count * depth / 4, tile.subgroup, depth, factor, step, kBefore / 4);
  };
  const std::string code = fmt::format(
      "enable subgroups;\nenable chromium_experimental_subgroup_matrix;\n"
      "@group(0) @binding(0) var<storage, read_write> found: array<i32, {0}>;\n"
      "var<workgroup> left: array<i32, {1}>;\nvar<workgroup> right: array<i32, {2}>;\n"
      "var<workgroup> sums: array<i32, {0}>;\n"
      "@compute @workgroup_size({3})\nfn main(@builtin(local_invocation_index) local: u32) {{\n"
      "{4}{5}  workgroupBarrier();\n"
      "  let a = subgroupMatrixLoad<subgroup_matrix_left<i8, {6}, {7}>>(&left, {8}u, false, {9}u);\n"
      "  let b = subgroupMatrixLoad<subgroup_matrix_right<i8, {10}, {6}>>(&right, {8}u, true, {9}u);\n"
      "  var c: subgroup_matrix_result<i32, {10}, {7}>;\n  c = subgroupMatrixMultiplyAccumulate(a, b, c);\n"
      "  subgroupMatrixStore(&sums, 0u, c, false, {10}u);\n  workgroupBarrier();\n"
      "  for (var i = local; i < {0}u; i += {3}u) {{ found[i] = sums[i]; }}\n}}\n",
      rows * columns, (kBefore + rows * depth) / 4, (kBefore + columns * depth) / 4, tile.subgroup,
      fill("left", rows, 37, 11), fill("right", columns, 53, 7), depth, rows, kBefore / unit, depth / unit, columns);
  const auto found = results_of(device, code, std::size_t{rows} * columns);
  if (!found) return false;
  for (std::uint32_t row = 0; row < rows; ++row) {
    for (std::uint32_t column = 0; column < columns; ++column) {
      int expected = 0;
      for (std::uint32_t k = 0; k < depth; ++k) expected += left_element(row, k) * right_element(column, k);
      if ((*found)[std::size_t{row} * columns + column] != expected) return false;
    }
  }
  return true;
}

}  // namespace

ByteProducts probe_byte_products(const gpu::Device& device, std::optional<MatrixTile> tile) {
  ByteProducts products{has_dot4(device), std::nullopt};
  for (const bool in_words : {false, true}) {
    if (!tile || products.tile) continue;
    tile->in_words = in_words;
    if (multiplies(device, *tile)) products.tile = tile;
  }
  return products;
}

}  // namespace alknet::compute
