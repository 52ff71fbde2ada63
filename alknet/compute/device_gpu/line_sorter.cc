#include "alknet/compute/device_gpu/line_sorter.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace alknet::compute {
namespace {

/// Memory of a sort and the operand that it is in kernels' eyes.
GpuLaunch::Range bind_scratch(const GpuContext& context, const KernelSpec& spec, const KernelSpec::Buffer& buffer,
                              std::int64_t count, std::shared_ptr<const GpuMemory> memory, ParameterBlock& block) {
  const Operand operand{0, buffer.dtype, {{count}, {1}, 0}};
  GpuLaunch::Range range = place_operand(context, spec, buffer, operand, false, false, block);
  range.scratch = std::move(memory);
  return range;
}

Lines scatter_lines(const Binding& binding) {
  const Strided& index = binding.inputs[1]->layout;
  const Shape& shape = binding.outputs.front().layout.shape;
  Lines lines{*binding.inputs[1], {{}, {{}}}, {{}, {{}}}};
  const Json* given = binding.attrs.if_contains("dim");
  if (!given) {  // embedding: all indices are one line
    lines.limit = shape.front();
    lines.along = {index.shape, {index.strides}};
    return lines;
  }
  if (shape.empty()) return lines;
  const auto dim = given->to_number<std::int64_t>();
  const auto axis = static_cast<std::size_t>(dim < 0 ? dim + std::ssize(shape) : dim);
  lines.limit = shape[axis];
  lines.along = {{index.shape[axis]}, {{index.strides[axis]}}};
  for (std::size_t d = 0; d < index.shape.size(); ++d) {
    if (d == axis || index.strides[d] == 0) continue;
    lines.rows.sizes.push_back(index.shape[d]);
    lines.rows.strides[0].push_back(index.strides[d]);
  }
  return lines;
}

}  // namespace

GpuLaunch::Range SortedLines::bind(const KernelSpec& spec, const KernelSpec::Buffer& buffer,
                                   ParameterBlock& block) const {
  const auto& memory = buffer.name == "keys" ? keys : places;
  return bind_scratch(*memory->context(), spec, buffer, count, memory, block);
}

LineSorter::LineSorter(std::shared_ptr<GpuContext> context, SortKeys keys)
    : context_(std::move(context)),
      keys_(keys),
      block_(stage(sort_block_spec(keys_))),
      merge_(stage(sort_merge_spec(keys_))) {}

LineSorter::Stage LineSorter::stage(KernelSpec spec) const {
  gpu::Pipeline pipeline = context_->pipeline(spec, context_->source(spec));
  return {std::move(spec), std::move(pipeline)};
}

SortedLines LineSorter::sort(const Lines& lines) const {
  const std::int64_t length = graph::element_count(lines.along.sizes);
  SortedLines sorted;
  sorted.count = graph::element_count(lines.rows.sizes) * length;
  sorted.word = keys_.word();
  const auto scratch = [&](Dtype dtype) {
    const auto bytes = static_cast<std::size_t>(std::max<std::int64_t>(4, sorted.count)) * graph::dtype_bytes(dtype);
    return std::make_shared<const GpuMemory>(context_, bytes);
  };
  const auto bind = [&](const Stage& stage, const KernelSpec::Buffer& buffer, ParameterBlock& block,
                        const std::shared_ptr<const GpuMemory>& memory) {
    return bind_scratch(*context_, stage.spec, buffer, sorted.count, memory, block);
  };
  sorted.keys = scratch(sorted.word);
  sorted.places = scratch(Dtype::kU32);
  {
    ParameterBlock block(block_.spec);
    block.set("count", sorted.count);
    block.set("length", length);
    block.set_map("row", lines.rows);
    block.set_map("along", lines.along);
    if (keys_.places) {
      block.set("limit", lines.limit);
      block.set("error_id", lines.error_id);
    }
    std::vector<GpuLaunch::Range> ranges = {
        place_operand(*context_, block_.spec, block_.spec.inputs[0], lines.operand, false, false, block)};
    ranges.push_back(bind(block_, block_.spec.outputs[0], block, sorted.keys));
    ranges.push_back(bind(block_, block_.spec.outputs[1], block, sorted.places));
    sorted.launches.push_back(make_launch(context_, block_.spec, block_.pipeline, block, std::move(ranges)));
  }
  if (length <= keys_.block) return sorted;
  std::shared_ptr<const GpuMemory> other_keys = scratch(sorted.word), other_places = scratch(Dtype::kU32);
  for (std::int64_t width = keys_.block; width < length; width *= 2) {
    ParameterBlock block(merge_.spec);
    block.set("count", sorted.count);
    block.set("length", length);
    block.set("width", width);
    const std::vector<GpuLaunch::Range> ranges = {
        bind(merge_, merge_.spec.inputs[0], block, sorted.keys),
        bind(merge_, merge_.spec.inputs[1], block, sorted.places),
        bind(merge_, merge_.spec.outputs[0], block, other_keys),
        bind(merge_, merge_.spec.outputs[1], block, other_places),
    };
    sorted.launches.push_back(make_launch(context_, merge_.spec, merge_.pipeline, block, ranges));
    std::swap(sorted.keys, other_keys);
    std::swap(sorted.places, other_places);
  }
  return sorted;
}

bool has_long_lines(const Computation& computation, std::string_view pattern, const Binding& binding) {
  constexpr std::int64_t kLongSort = 256, kLongScatter = 64;
  if (pattern != "sort" && pattern != "scatter") return false;
  if (graph::element_count(binding.outputs.front().layout.shape) == 0) return false;
  const Lines lines = sorted_lines(computation, binding);
  return graph::element_count(lines.along.sizes) > (pattern == "sort" ? kLongSort : kLongScatter);
}

Shape line_strides(const Strided& index, std::optional<std::size_t> axis) {
  Shape strides(index.shape.size(), 0);
  std::int64_t lines = 1;
  for (std::size_t d = strides.size(); d-- > 0;) {
    if (d == axis || index.strides[d] == 0) continue;
    strides[d] = lines;
    lines *= index.shape[d];
  }
  return strides;
}

SortKeys sort_keys(const Computation& computation, const OpgenOptions& options) {
  // Blocks are sorted by comparing all with all, which suits a GPU longer.
  SortKeys keys{.block = options.software ? 64u : 256u};
  keys.places = !computation.attrs.contains("descending");
  keys.dtype = *computation.inputs[keys.places ? 1 : 0];
  keys.descending = !keys.places && computation.attrs.at("descending").as_bool();
  return keys;
}

Lines sorted_lines(const Computation& computation, const Binding& binding) {
  if (!computation.attrs.contains("descending")) return scatter_lines(binding);
  Lines lines{*binding.inputs[0], {{}, {{}}}, {{}, {{}}}};
  const Strided& input = lines.operand.layout;
  const auto dim = binding.attrs.at("dim").to_number<std::int64_t>();
  const auto rank = static_cast<std::int64_t>(input.shape.size());
  for (std::int64_t d = 0; d < rank; ++d) {
    DimensionTable& table = d == (dim < 0 ? dim + rank : dim) ? lines.along : lines.rows;
    table.sizes.push_back(input.shape[static_cast<std::size_t>(d)]);
    table.strides[0].push_back(input.strides[static_cast<std::size_t>(d)]);
  }
  return lines;
}

}  // namespace alknet::compute
