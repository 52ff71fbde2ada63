// Device::create_bind_group: checks what WebGPU would refuse, with the kernel's and the buffer's name.
#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/json.h"
#include "alknet/gpu/device.h"
#include "alknet/gpu/device_state.h"
#include "alknet/gpu/padding.h"

namespace alknet::gpu {
namespace {

constexpr std::uint64_t kEmptyBinding = 16;

struct Range {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

bool is_uniform(BindingKind kind) { return kind == BindingKind::kUniform || kind == BindingKind::kDynamicUniform; }

// The limits that a kind of binding obeys.
struct KindRule {
  BufferUsage usage;
  std::uint64_t max_size;
  std::string_view limit;
  std::uint32_t alignment;
};

KindRule rule_of(BindingKind kind, const Limits& limits) {
  if (is_uniform(kind)) {
    return {BufferUsage::kUniform, limits.max_uniform_binding_size, "maxUniformBufferBindingSize",
            limits.min_uniform_offset_alignment};
  }
  return {BufferUsage::kStorage, limits.max_storage_binding_size, "maxStorageBufferBindingSize",
          limits.min_storage_offset_alignment};
}

Range range_of(const Binding& binding, const Buffer::State& buffer, const std::string& subject) {
  const std::uint64_t end = std::max(padded(buffer.size, 4), kEmptyBinding);
  const std::uint64_t size = binding.size != 0 ? binding.size : end - std::min(end, binding.offset);
  const bool inside = binding.offset <= buffer.allocated_size && size <= buffer.allocated_size - binding.offset;
  if (size == 0 || size % 4 != 0 || !inside) {
    throw Error(GpuError::kValidationFailed,
                fmt::format("{}: bytes {} to {} of {} cannot be bound: it has {} bytes, and sizes are multiples of 4",
                            subject, binding.offset, binding.offset + size, buffer.describe(), buffer.allocated_size),
                JsonObject{{"buffer", buffer.label}, {"offset", binding.offset}, {"size", size}});
  }
  return {binding.offset, size};
}

void check_kind(BindingKind kind, const Range& range, const Buffer::State& buffer, const DeviceState& device,
                const std::string& subject) {
  const KindRule rule = rule_of(kind, device.limits);
  if (!has_usage(buffer.usage, rule.usage)) {
    throw Error(GpuError::kValidationFailed,
                fmt::format("{}: {} was not created with the usage BufferUsage::{}", subject, buffer.describe(),
                            is_uniform(kind) ? "kUniform" : "kStorage"),
                JsonObject{{"buffer", buffer.label}});
  }
  if (range.offset % rule.alignment != 0) {
    throw Error(GpuError::kValidationFailed,
                fmt::format("{}: offset {} of {} is not a multiple of {}", subject, range.offset, buffer.describe(),
                            rule.alignment),
                JsonObject{{"buffer", buffer.label}, {"offset", range.offset}, {"alignment", rule.alignment}});
  }
  if (range.size > rule.max_size) {
    throw Error(GpuError::kLimitExceeded,
                fmt::format("{}: binding {} bytes of {} exceeds the {} bytes that the GPU device {} allows ({}). Bind "
                            "parts of it",
                            subject, range.size, buffer.describe(), rule.max_size, device.adapter.id, rule.limit),
                JsonObject{{"limit", rule.limit}, {"value", range.size}, {"maximum", rule.max_size}});
  }
}

}  // namespace

BindGroup Device::create_bind_group(const Pipeline& pipeline, std::span<const Binding> bindings) const {
  DeviceState& device = *state_;
  device.check_alive();
  if (!pipeline) throw Error(GpuError::kValidationFailed, "A bind group needs a compiled kernel");
  const std::string subject = fmt::format("Bindings of kernel \"{}\"", pipeline.name());
  if (pipeline.state()->device != device.sink) {
    throw Error(GpuError::kValidationFailed, fmt::format("{}: the kernel was compiled for another device", subject));
  }
  const auto& layout = pipeline.state()->layout;
  if (!layout->kinds.empty() && layout->kinds.size() != bindings.size()) {
    throw Error(
        GpuError::kValidationFailed,
        fmt::format("{}: the kernel has {} bindings, {} were given", subject, layout->kinds.size(), bindings.size()),
        JsonObject{{"kernel", pipeline.name()}, {"expected", layout->kinds.size()}, {"given", bindings.size()}});
  }

  auto state = std::make_shared<BindGroup::State>();
  state->layout = layout;
  state->device = device.sink;
  std::vector<WGPUBindGroupEntry> entries;
  for (std::size_t i = 0; i < bindings.size(); ++i) {
    const std::string place = fmt::format("{}, binding {}", subject, i);
    if (bindings[i].buffer == nullptr) throw Error(GpuError::kValidationFailed, fmt::format("{} is missing", place));
    const Buffer::State& buffer = usable_state(*bindings[i].buffer, device);
    const Range range = range_of(bindings[i], buffer, place);
    if (!layout->kinds.empty()) {
      check_kind(layout->kinds[i], range, buffer, device, place);
      if (layout->kinds[i] == BindingKind::kDynamicUniform) {
        state->dynamic.push_back({i, buffer.allocated_size - range.offset - range.size});
      }
    }
    WGPUBindGroupEntry entry{};
    entry.binding = static_cast<std::uint32_t>(i);
    entry.buffer = buffer.buffer.get();
    entry.offset = range.offset;
    entry.size = range.size;
    entries.push_back(entry);
    state->buffers.push_back(bindings[i].buffer->state());
  }

  const Functions& functions = device.functions();
  WGPUBindGroupDescriptor descriptor{};
  descriptor.label = view_of(pipeline.name());
  descriptor.layout = layout->group.get();
  descriptor.entryCount = entries.size();
  descriptor.entries = entries.data();
  const ProviderCall call(device);
  state->group = {functions.device_create_bind_group(device.device.get(), &descriptor), functions.bind_group_release};
  call.check(subject);
  return BindGroup(std::move(state));
}

}  // namespace alknet::gpu
