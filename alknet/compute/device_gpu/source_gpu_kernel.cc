#include "alknet/compute/device_gpu/source_gpu_kernel.h"

#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"
#include "alknet/compute/kernels/source_scan.h"
#include "alknet/gpu/error.h"

namespace alknet::compute {
namespace {

void require_trust(const gpu::Device& device, const SourceKernel& kernel) {
  const bool returns_errors = device.provider() == "dawn";
  if (device.robust() && returns_errors) return;
  throw Error(
      ComputeError::kUntrustedKernel,
      fmt::format("[{}] {} runs shader source only of programs that trust it: {}. Set `trusted` for your own "
                  "source, or {}",
                  kernel.name, device.adapter().id,
                  device.robust() ? fmt::format("the provider {} may end the process on bad source", device.provider())
                                  : "the device was acquired without bounds checks",
                  device.robust() ? "use the provider dawn" : "acquire the device with `robust`"),
      JsonObject{{"kernel", kernel.name}, {"robust", device.robust()}, {"provider", device.provider()}});
}

[[noreturn]] void refuse_workgroups(const std::string& kernel, std::int64_t count, std::int64_t maximum,
                                    std::string_view remedy) {
  throw Error(
      gpu::GpuError::kLimitExceeded,
      fmt::format("[{}] needs {} workgroups in one dimension, but the device's maxComputeWorkgroupsPerDimension is "
                  "{}; {}",
                  kernel, count, maximum, remedy),
      JsonObject{
          {"kernel", kernel}, {"limit", "maxComputeWorkgroupsPerDimension"}, {"value", count}, {"maximum", maximum}});
}

gpu::KernelSource provider_source(const SourceKernel& kernel) {
  gpu::KernelSource source;
  source.name = kernel.name;
  source.code = kernel.source;
  source.entry = kernel.entry;
  source.language = kernel.language;
  source.bindings = {gpu::BindingKind::kUniform};
  source.bindings.insert(source.bindings.end(), kernel.inputs.size(), gpu::BindingKind::kReadOnly);
  source.bindings.insert(source.bindings.end(), kernel.outputs.size(), gpu::BindingKind::kStorage);
  return source;
}

}  // namespace

SourceGpuKernel::SourceGpuKernel(std::shared_ptr<GpuContext> context, const SourceKernel& kernel, bool trusted)
    : context_(std::move(context)), spec_(interface_of(kernel)), folds_(kernel.folds) {
  const gpu::Device& device = context_->device();
  if (!trusted) require_trust(device, kernel);
  const std::size_t buffers = kernel.inputs.size() + kernel.outputs.size();
  if (buffers > device.limits().max_storage_buffers) {
    exceed_limit(kernel.name, "the number of its tensors", "maxStorageBuffersPerShaderStage", buffers,
                 device.limits().max_storage_buffers);
  }
  reads_workgroup_count_ = scan_source(kernel.language, kernel.source, kernel.entry).reads_workgroup_count;
  pipeline_ = device.compile_shader(provider_source(kernel));
}

std::unique_ptr<Launch> SourceGpuKernel::bind(const Binding& binding) const {
  ParameterBlock block(spec_);
  for (const auto& member : binding.attrs.at("parameters").as_object()) {
    block.set_number(member.key(), member.value().to_number<double>());
  }
  std::vector<GpuLaunch::Range> ranges;
  for (std::size_t i = 0; i < spec_.inputs.size(); ++i) ranges.push_back(place(spec_.inputs[i], *binding.inputs.at(i)));
  for (std::size_t k = 0; k < spec_.outputs.size(); ++k) {
    ranges.push_back(place(spec_.outputs[k], binding.outputs.at(k)));
    ranges.back().clear = true;
  }
  // A block without parameters is bound as well, so that bindings keep their numbers.
  constexpr std::size_t kSmallestBlock = 16;
  std::vector<std::byte> bytes(std::max(kSmallestBlock, block.bytes().size()));
  std::copy(block.bytes().begin(), block.bytes().end(), bytes.begin());
  return std::make_unique<GpuLaunch>(context_, spec_.name, pipeline_, context_->place_parameters(bytes),
                                     std::move(ranges), workgroups(binding.attrs.at("workgroups").as_array()), false);
}

GpuLaunch::Range SourceGpuKernel::place(const KernelSpec::Buffer& buffer, const Operand& operand) const {
  const gpu::Limits& limits = context_->device().limits();
  const std::size_t element = graph::dtype_bytes(buffer.dtype);
  const std::size_t start = static_cast<std::size_t>(operand.layout.offset) * element;
  if (operand.dtype != buffer.dtype || !graph::is_contiguous(operand.layout) ||
      start % limits.min_storage_offset_alignment != 0) {
    throw Error(BaseError::kInvalidArgument,
                fmt::format("[{}] {} must be contiguous {} from a multiple of {} bytes", spec_.name, buffer.name,
                            graph::dtype_name(buffer.dtype), limits.min_storage_offset_alignment));
  }
  const auto elements = static_cast<std::size_t>(graph::element_count(operand.layout.shape));
  constexpr std::size_t kEmptyBinding = 16;  // what an empty buffer has
  if (elements == 0) return {operand.slot, 0, kEmptyBinding};
  const std::uint64_t size = (elements * element + 3) / 4 * 4;
  if (size > limits.max_storage_binding_size) {
    exceed_limit(spec_.name, buffer.name, "maxStorageBufferBindingSize", size, limits.max_storage_binding_size);
  }
  return {operand.slot, start, size};
}

gpu::Workgroups SourceGpuKernel::workgroups(const JsonArray& counts) const {
  const std::int64_t widest = context_->device().limits().max_workgroups_per_dimension;
  std::array<std::int64_t, 3> groups{};
  for (std::size_t d = 0; d < groups.size(); ++d) groups[d] = counts.at(d).to_number<std::int64_t>();
  if (folds_ && groups[0] > widest && groups[1] == 1 && groups[2] == 1) {
    if (!reads_workgroup_count_) {
      refuse_workgroups(spec_.name, groups[0], widest,
                        "they would be folded if the source found its place by num_workgroups (gl_NumWorkGroups)");
    }
    groups[1] = (groups[0] + widest - 1) / widest;
    groups[0] = widest;
  }
  for (const std::int64_t count : groups) {
    if (count <= widest) continue;
    refuse_workgroups(
        spec_.name, count, widest,
        folds_ ? "it is folded into two dimensions already: do more in a workgroup" : "a single total would be folded");
  }
  const bool none = std::find(groups.begin(), groups.end(), 0) != groups.end();
  if (none) return {0, 0, 0};
  return {static_cast<std::uint32_t>(groups[0]), static_cast<std::uint32_t>(groups[1]),
          static_cast<std::uint32_t>(groups[2])};
}

}  // namespace alknet::compute
