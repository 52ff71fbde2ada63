#include "alknet/compute/generate/wgsl_storage.h"

#include <fmt/format.h>

#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

using graph::Dtype;

constexpr WgslStorage kStorageRows[] = {
    {Dtype::kF32, "f32", "f32", 0, {}, {}},
    {Dtype::kI32, "i32", "i32", 0, {}, {}},
    {Dtype::kU32, "u32", "u32", 0, {}, {}},
    {Dtype::kI64, "vec2<u32>", "vec2<u32>", 0, {}, {}},
    {Dtype::kF16, "f16", "f32", 0, {}, {}},
    {Dtype::kBool, "u32", "bool", 8, "raw != 0u", "select(0u, 1u, value)"},
    {Dtype::kI8, "u32", "i32", 8, "bitcast<i32>(raw << 24u) >> 24u", "bitcast<u32>(value) & 0xffu"},
    {Dtype::kU8, "u32", "u32", 8, "raw", "value & 0xffu"},
    {Dtype::kBF16, "u32", "f32", 16, "bf16_unpack(raw)", "bf16_pack(value)"},
};
constexpr WgslStorage kPackedF16 = {Dtype::kF16, "u32", "f32", 16, "f16_unpack(raw)", "f16_pack(value)"};

}  // namespace

const WgslStorage* wgsl_storage(Dtype dtype, bool shader_f16) {
  if (dtype == Dtype::kF16 && !shader_f16) return &kPackedF16;
  for (const auto& row : kStorageRows) {
    if (row.dtype == dtype) return &row;
  }
  return nullptr;
}

std::string_view wgsl_type(Dtype dtype) {
  const WgslStorage* row = wgsl_storage(dtype, false);
  if (row != nullptr) return row->computed;
  throw Error(ComputeError::kUnsupported,
              fmt::format("WGSL does not compute on {}; use .to('cpu')", graph::dtype_name(dtype)),
              {{"dtype", graph::dtype_name(dtype)}});
}

std::string wgsl_load(std::string_view name, const WgslStorage& storage, std::string_view in_place) {
  const std::string_view buffer = in_place.empty() ? name : in_place;
  if (storage.packed()) {
    const std::uint32_t per_word = storage.per_word();
    return fmt::format(
        "fn load_{0}(k: u32) -> {1} {{\n  let i = p.{0}_offset + k;\n"
        "  let raw = (b_{6}[i / {2}u] >> ((i % {2}u) * {3}u)) & {4:#x}u;\n  return {5};\n}}\n",
        name, storage.computed, per_word, storage.bits, (1u << storage.bits) - 1, storage.unpack, buffer);
  }
  const std::string element = fmt::format("b_{}[p.{}_offset + k]", buffer, name);
  return fmt::format("fn load_{}(k: u32) -> {} {{ return {}; }}\n", name, storage.computed,
                     storage.element == storage.computed ? element : fmt::format("{}({})", storage.computed, element));
}

std::string wgsl_vector_load(std::string_view name, const WgslStorage& storage) {
  return fmt::format(
      "fn load_{0}(k: u32) -> {1} {{\n  let i = p.{0}_offset + k;\n  return {1}(b_{0}[i / 4u][i % 4u]);\n}}\n"
      "fn load4_{0}(k: u32) -> vec4<{1}> {{ return vec4<{1}>(b_{0}[(p.{0}_offset + k) / 4u]); }}\n",
      name, storage.computed);
}

std::string wgsl_store(std::string_view name, const WgslStorage& storage) {
  if (storage.packed()) {
    return fmt::format(
        "fn store_{0}(k: u32, value: {1}) {{\n  let i = p.{0}_offset + k;\n  let shift = (i % {2}u) * {3}u;\n"
        "  atomicAnd(&b_{0}[i / {2}u], ~({4:#x}u << shift));\n"
        "  atomicOr(&b_{0}[i / {2}u], ({5}) << shift);\n}}\n",
        name, storage.computed, storage.per_word(), storage.bits, (1u << storage.bits) - 1, storage.pack);
  }
  return fmt::format("fn store_{0}(k: u32, value: {1}) {{ b_{0}[p.{0}_offset + k] = {2}; }}\n", name, storage.computed,
                     storage.element == storage.computed ? "value" : fmt::format("{}(value)", storage.element));
}

}  // namespace alknet::compute
