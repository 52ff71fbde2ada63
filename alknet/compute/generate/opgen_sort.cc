#include "alknet/compute/generate/opgen_sort.h"

#include <fmt/format.h>

#include "alknet/compute/generate/wgsl_storage.h"

namespace alknet::compute {
namespace {

using graph::Dtype;

/// A word that rises with `x` of a dtype, NaN being the largest and the zeros equal.
std::string ascending_word(Dtype dtype) {
  if (graph::is_float(dtype)) return "float_key(x)";
  if (dtype == Dtype::kBool) return "select(0u, 1u, x)";
  if (dtype == Dtype::kI64) return "x ^ vec2<u32>(0u, 0x80000000u)";
  return wgsl_type(graph::compute_dtype(dtype)) == "i32" ? "bitcast<u32>(x) ^ 0x80000000u" : "x";
}

KernelSpec begin(std::string_view name, const SortKeys& keys) {
  constexpr std::uint32_t kSize = 64;
  KernelSpec spec;
  spec.name = spec.pattern = name;
  spec.stores_directly = true;
  const bool wide = keys.word() == Dtype::kI64;
  spec.values = {{"key", wide ? "vec2<u32>" : "u32"},
                 {"less", wide ? "(y.y < x.y || (y.y == x.y && y.x < x.x))" : "y < x"},
                 {"equal", wide ? "all(y == x)" : "y == x"}};
  spec.workgroup_size = {kSize, 1, 1};
  spec.workgroup_count = fmt::format("(count + {})//{}", kSize - 1, kSize);
  for (const char* parameter : {"count", "length"}) spec.parameters.push_back({parameter});
  return spec;
}

KernelSpec::Buffer scratch(std::string name, Dtype dtype) { return {std::move(name), dtype, false, {}, true}; }

void add_offsets(KernelSpec& spec) {
  for (const auto* list : {&spec.inputs, &spec.outputs}) {
    for (const auto& buffer : *list) spec.parameters.push_back({buffer.name + "_offset"});
  }
}

}  // namespace

Dtype SortKeys::word() const { return dtype == Dtype::kI64 && !places ? Dtype::kI64 : Dtype::kU32; }

KernelSpec sort_block_spec(const SortKeys& keys) {
  KernelSpec spec = begin("sort_block", keys);
  spec.values["places"] = keys.places;
  spec.values["descending"] = keys.descending;
  spec.values["ascending"] = ascending_word(keys.dtype);
  spec.values["block"] = keys.block;
  spec.inputs = {{"input", keys.dtype}};
  spec.outputs = {scratch("keys", keys.word()), scratch("places", Dtype::kU32)};
  for (const char* name : {"row", "along"}) {
    spec.maps.push_back({name, {"input"}});
    spec.parameters.push_back({std::string(name) + "_rank"});
    spec.parameters.push_back({std::string(name) + "_map", WordType::kU32, kMaxMapRank * map_stride(spec.maps.back())});
  }
  spec.checks_indices = keys.places;
  if (keys.places) {
    for (const char* parameter : {"limit", "error_id"}) spec.parameters.push_back({parameter});
  }
  add_offsets(spec);
  return spec;
}

KernelSpec sort_merge_spec(const SortKeys& keys) {
  KernelSpec spec = begin("sort_merge", keys);
  spec.parameters.push_back({"width"});
  spec.inputs = {scratch("keys", keys.word()), scratch("places", Dtype::kU32)};
  spec.outputs = {scratch("merged_keys", keys.word()), scratch("merged_places", Dtype::kU32)};
  add_offsets(spec);
  return spec;
}

}  // namespace alknet::compute
