#include "alknet/compute/device_gpu/gpu_kernel.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/error.h"
#include "alknet/compute/device_gpu/bind_parameters.h"
#include "alknet/compute/error.h"
#include "alknet/gpu/error.h"

namespace alknet::compute {
namespace {

/// Elements that a layout touches, from its own offset: [first, last]. Empty layouts touch none.
struct Extent {
  std::int64_t first = 0, last = -1;
};
Extent extent(const Strided& layout) {
  if (graph::element_count(layout.shape) == 0) return {layout.offset, layout.offset - 1};
  Extent result{layout.offset, layout.offset};
  for (std::size_t d = 0; d < layout.shape.size(); ++d) {
    const std::int64_t reach = (layout.shape[d] - 1) * layout.strides[d];
    (reach < 0 ? result.first : result.last) += reach;
  }
  return result;
}

[[noreturn]] void exceed(const std::string& name, std::string_view what, std::string_view limit, std::uint64_t value,
                         std::uint64_t maximum) {
  throw Error(gpu::GpuError::kLimitExceeded,
              fmt::format("[{}] {} needs {}, but the device's {} is {}; use smaller tensors or .to('cpu')", name, what,
                          value, limit, maximum),
              {{"op", name}, {"limit", limit}, {"value", value}, {"maximum", maximum}});
}

}  // namespace

GpuLaunch::GpuLaunch(std::shared_ptr<GpuContext> context, std::string name, gpu::Pipeline pipeline,
                     gpu::Buffer parameters, std::vector<Range> ranges, gpu::Workgroups workgroups, bool checks_indices)
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
  if (workgroups_.x == 0) return;
  encoder.dispatch(pipeline_, bind_group(slots), workgroups_, {}, name_);
}

const gpu::BindGroup& GpuLaunch::bind_group(Slots slots) {
  ++clock_;
  for (Group& group : groups_) {
    bool same = true;
    for (std::size_t i = 0; same && i < ranges_.size(); ++i) {
      same = own_memory(*context_, slots[ranges_[i].slot]).serial() == group.serials[i];
    }
    if (!same) continue;
    group.used = clock_;
    return group.bind_group;
  }
  std::vector<gpu::Binding> bindings = {{&parameters_, 0, 0}};
  Group group;
  group.used = clock_;
  for (const Range& range : ranges_) {
    const GpuMemory& memory = own_memory(*context_, slots[range.slot]);
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

GpuKernel::GpuKernel(std::shared_ptr<GpuContext> context, Computation computation)
    : context_(std::move(context)), computation_(std::move(computation)) {
  context_->check_dtypes(computation_);
  generated_ = opgen(computation_, {context_->software()});
  const KernelSpec& spec = generated_.spec;
  const std::size_t storage = spec.inputs.size() + spec.outputs.size() + (spec.checks_indices ? 1 : 0);
  if (storage > context_->device().limits().max_storage_buffers) {
    exceed(spec.name, "the number of its tensors", "maxStorageBuffersPerShaderStage", storage,
           context_->device().limits().max_storage_buffers);
  }
  workgroup_count_ = graph::Dim::parse(spec.workgroup_count);
  if (spec.checks_indices) error_id_ = context_->register_error_source(computation_.op->name);
  pipeline_ = context_->pipeline(spec);
}

std::unique_ptr<Launch> GpuKernel::bind(const Binding& binding) const {
  const KernelSpec& spec = generated_.spec;
  ParameterBlock block(spec);
  for (const auto& [name, value] : generated_.constants) block.set_number(name, value);
  bind_parameters(computation_, spec, binding, block);
  if (spec.checks_indices) block.set("error_id", error_id_);

  std::vector<GpuLaunch::Range> ranges;
  std::size_t buffer = 0;
  for (const auto& input : binding.inputs) {
    if (input) ranges.push_back(place(spec.inputs.at(buffer++), *input, false, block));
  }
  for (std::size_t k = 0; k < binding.outputs.size(); ++k) {
    for (const auto& input : binding.inputs) {
      if (!input || input->slot != binding.outputs[k].slot) continue;
      throw Error(
          BaseError::kInvalidArgument,
          fmt::format("[{}] output {} lies in the memory of an input; give it memory of its own", spec.name, k));
    }
    ranges.push_back(place(spec.outputs.at(k), binding.outputs[k], true, block));
  }
  const gpu::Workgroups groups = workgroups(block);
  gpu::Buffer parameters = context_->device().create_buffer(block.bytes(), gpu::BufferUsage::kUniform, spec.name);
  return std::make_unique<GpuLaunch>(context_, spec.name, pipeline_, std::move(parameters), std::move(ranges), groups,
                                     spec.checks_indices);
}

GpuLaunch::Range GpuKernel::place(const KernelSpec::Buffer& buffer, const Operand& operand, bool output,
                                  ParameterBlock& block) const {
  const KernelSpec& spec = generated_.spec;
  const gpu::Limits& limits = context_->device().limits();
  const auto element = static_cast<std::int64_t>(graph::dtype_bytes(buffer.dtype));
  const auto alignment = static_cast<std::int64_t>(limits.min_storage_offset_alignment);
  if (operand.dtype != buffer.dtype || (output && !graph::is_contiguous(operand.layout))) {
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
  const Extent used = extent(operand.layout);
  const std::int64_t start = used.first * element / alignment * alignment;
  const std::int64_t end = std::max((used.last + 1) * element, start + std::max<std::int64_t>(element, 4));
  const auto size = static_cast<std::uint64_t>((end - start + 3) / 4 * 4);
  if (size > limits.max_storage_binding_size) {
    exceed(spec.name, buffer.name, "maxStorageBufferBindingSize", size, limits.max_storage_binding_size);
  }
  block.set(buffer.name + "_offset", operand.layout.offset - start / element);
  return {operand.slot, static_cast<std::uint64_t>(start), size};
}

gpu::Workgroups GpuKernel::workgroups(const ParameterBlock& block) const {
  const KernelSpec& spec = generated_.spec;
  const graph::DimValues values = block.values();
  if (values.at("count") == 0) return {0, 0, 0};
  const auto total = static_cast<std::uint64_t>(workgroup_count_.evaluate(values));
  // Invocations are numbered in 32 bits, those of the last folded row that has nothing to do included.
  const std::uint64_t widest = context_->device().limits().max_workgroups_per_dimension;
  const std::uint64_t per_group = spec.workgroup_size[0] * spec.elements_per_invocation;
  const std::uint64_t x = std::min(total, widest), y = x == 0 ? 0 : (total + x - 1) / x;
  const std::uint64_t maximum = (std::uint64_t{1} << 32) / per_group;
  if (x * y > maximum || y > widest)
    exceed(spec.name, "its number of workgroups", "32-bit index range", x * y, maximum);
  return {static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), 1};
}

}  // namespace alknet::compute
