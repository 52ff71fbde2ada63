#include "alknet/compute/device_gpu/gpu_launch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"
#include "alknet/gpu/error.h"

namespace alknet::compute {
namespace {

/// What a buffer always has, for a binding that no element of is touched: one of any type.
constexpr std::uint64_t kEmptyBinding = 16;

/// Bytes of a binding of weights in blocks, which begin a memory: views of them do not exist.
std::uint64_t blocks_size(const KernelSpec& spec, const KernelSpec::Buffer& buffer, const Operand& operand,
                          const gpu::Limits& limits) {
  const std::uint64_t bytes = graph::storage_bytes(operand.dtype, graph::element_count(operand.layout.shape));
  if (operand.layout.offset != 0 || !graph::is_contiguous(operand.layout)) {
    throw Error(BaseError::kInternal, fmt::format("[{}] {} is a view of blocks", spec.name, buffer.name));
  }
  const std::uint64_t size = std::max<std::uint64_t>((bytes + 3) / 4 * 4, kEmptyBinding);
  if (size > limits.max_storage_binding_size) {
    exceed_limit(spec.name, buffer.name, "maxStorageBufferBindingSize", size, limits.max_storage_binding_size);
  }
  return size;
}

/// Folded into dimensions that the device has.
gpu::Workgroups workgroups(const GpuContext& context, const KernelSpec& spec, const ParameterBlock& block) {
  const graph::DimValues values = block.values();
  if (values.at("count") == 0) return {0, 0, 0};
  const auto total = static_cast<std::uint64_t>(graph::Dim::parse(spec.workgroup_count).evaluate(values));
  // Invocations are numbered in 32 bits, those of the last folded row that has nothing to do included.
  const std::uint64_t widest = context.device().limits().max_workgroups_per_dimension;
  const std::uint64_t per_group = spec.workgroup_size[0] * spec.elements_per_invocation;
  const std::uint64_t x = std::min(total, widest), y = x == 0 ? 0 : (total + x - 1) / x;
  const std::uint64_t maximum = (std::uint64_t{1} << 32) / per_group;
  if (x * y > maximum || y > widest)
    exceed_limit(spec.name, "its number of workgroups", "32-bit index range", x * y, maximum);
  return {static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), 1};
}

}  // namespace

GpuLaunch::GpuLaunch(std::shared_ptr<GpuContext> context, std::string name, gpu::Pipeline pipeline,
                     ParameterPlace parameters, std::vector<Range> ranges, gpu::Workgroups workgroups,
                     bool checks_indices)
    : context_(std::move(context)),
      name_(std::move(name)),
      pipeline_(std::move(pipeline)),
      parameters_(std::move(parameters)),
      ranges_(std::move(ranges)),
      workgroups_(workgroups),
      checks_indices_(checks_indices) {
  groups_.reserve(kBindGroups);
}

void GpuLaunch::record(gpu::Encoder& encoder, Slots slots) {
  for (const Range& range : ranges_) {
    if (range.clear) encoder.clear(memory_of(range, slots).buffer(), range.offset, range.size);
  }
  if (workgroups_.x != 0) encoder.dispatch(pipeline_, bind_group(slots), workgroups_, {}, name_);
  for (const auto& part : parts_) part->record(encoder, slots);
}

bool GpuLaunch::checks_indices() const {
  return checks_indices_ ||
         std::any_of(parts_.begin(), parts_.end(), [](const auto& part) { return part->checks_indices(); });
}

const GpuMemory& GpuLaunch::memory_of(const Range& range, Slots slots) const {
  return range.scratch ? *range.scratch : own_memory(*context_, slots[range.slot]);
}

const gpu::BindGroup& GpuLaunch::bind_group(Slots slots) {
  ++clock_;
  for (Group& group : groups_) {
    bool same = true;
    for (std::size_t i = 0; same && i < ranges_.size(); ++i) {
      same = memory_of(ranges_[i], slots).serial() == group.serials[i];
    }
    if (!same) continue;
    group.used = clock_;
    return group.bind_group;
  }
  std::vector<gpu::Binding> bindings = {{parameters_.buffer.get(), parameters_.offset, parameters_.bytes}};
  Group group;
  group.used = clock_;
  for (const Range& range : ranges_) {
    const GpuMemory& memory = memory_of(range, slots);
    group.serials.push_back(memory.serial());
    bindings.push_back({&memory.buffer(), range.offset, range.size});
  }
  if (checks_indices_) bindings.push_back({&context_->error_words(), 0, 0});
  group.bind_group = context_->device().create_bind_group(pipeline_, bindings);
  if (groups_.size() < kBindGroups) return groups_.emplace_back(std::move(group)).bind_group;
  auto& oldest =
      *std::min_element(groups_.begin(), groups_.end(), [](const Group& a, const Group& b) { return a.used < b.used; });
  oldest = std::move(group);
  return oldest.bind_group;
}

Extent extent(const Strided& layout) {
  if (graph::element_count(layout.shape) == 0) return {layout.offset, layout.offset - 1};
  Extent result{layout.offset, layout.offset};
  for (std::size_t d = 0; d < layout.shape.size(); ++d) {
    const std::int64_t reach = (layout.shape[d] - 1) * layout.strides[d];
    (reach < 0 ? result.first : result.last) += reach;
  }
  return result;
}

GpuLaunch::Range place_operand(const GpuContext& context, const KernelSpec& spec, const KernelSpec::Buffer& buffer,
                               const Operand& operand, bool output, bool strided, ParameterBlock& block) {
  const gpu::Limits& limits = context.device().limits();
  const auto element = static_cast<std::int64_t>(graph::dtype_bytes(buffer.dtype));
  const auto alignment = static_cast<std::int64_t>(limits.min_storage_offset_alignment);
  if (operand.dtype != buffer.dtype || (output && !strided && !graph::is_contiguous(operand.layout))) {
    throw Error(
        ComputeError::kShapeMismatch,
        fmt::format("[{}] {} is {} where the kernel has {}{}", spec.name, buffer.name, graph::dtype_name(operand.dtype),
                    graph::dtype_name(buffer.dtype), output ? ", contiguous" : ""));
  }
  if (output && (operand.layout.offset * element) % 4 != 0) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("[{}] output {} starts inside a word (element {}); copy to a fresh tensor instead",
                            spec.name, buffer.name, operand.layout.offset));
  }
  if (graph::is_block(operand.dtype)) {
    block.set(buffer.name + "_offset", 0);
    return {operand.slot, 0, blocks_size(spec, buffer, operand, limits)};
  }
  const Extent used = extent(operand.layout);
  if (used.last < used.first) {
    block.set(buffer.name + "_offset", 0);
    return {operand.slot, 0, kEmptyBinding};
  }
  const std::int64_t start = used.first * element / alignment * alignment;
  const std::int64_t end = (used.last + 1) * element;
  // Whole vectors of 4 where the kernel reads such: buffers end with one.
  const std::int64_t granularity = buffer.vectors ? std::max<std::int64_t>(4, 4 * element) : 4;
  const auto size = static_cast<std::uint64_t>((end - start + granularity - 1) / granularity * granularity);
  if (size > limits.max_storage_binding_size) {
    exceed_limit(spec.name, buffer.name, "maxStorageBufferBindingSize", size, limits.max_storage_binding_size);
  }
  block.set(buffer.name + "_offset", operand.layout.offset - start / element);
  return {operand.slot, static_cast<std::uint64_t>(start), size};
}

void exceed_limit(const std::string& name, std::string_view what, std::string_view limit, std::uint64_t value,
                  std::uint64_t maximum) {
  throw Error(gpu::GpuError::kLimitExceeded,
              fmt::format("[{}] {} needs {}, but the device's {} is {}; use smaller tensors or .to('cpu')", name, what,
                          value, limit, maximum),
              {{"op", name}, {"limit", limit}, {"value", value}, {"maximum", maximum}});
}

std::unique_ptr<GpuLaunch> make_launch(const std::shared_ptr<GpuContext>& context, const KernelSpec& spec,
                                       const gpu::Pipeline& pipeline, const ParameterBlock& block,
                                       std::vector<GpuLaunch::Range> ranges) {
  const gpu::Workgroups groups = workgroups(*context, spec, block);
  return std::make_unique<GpuLaunch>(context, spec.name, pipeline, context->place_parameters(block.bytes()),
                                     std::move(ranges), groups, spec.checks_indices);
}

}  // namespace alknet::compute
