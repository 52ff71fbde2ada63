// Methods of encoders that take other arguments than their C functions.
#include <fmt/format.h>

#include <cstring>

#include "alknet/platform/webgpu/binding.h"
#include "alknet/platform/webgpu/buffer_object.h"
#include "alknet/platform/webgpu/errors.h"
#include "alknet/platform/webgpu/own_structs.h"
#include "alknet/platform/webgpu/script_bytes.h"

namespace alknet::platform::webgpu {

using runtime::Value;

namespace {

std::string function_name(const Call& call, std::string_view method) {
  return fmt::format("wgpu{}{}", call.object.interface().name.substr(3), method);
}

Value copy_buffer_to_buffer(Call& call) {
  // (source, destination, size) or (source, sourceOffset, destination, destinationOffset, size)
  const bool is_short = call.slots.size() == 4;
  const auto* source = dynamic_cast<const BufferObject*>(gpu_object(call.arguments[0]));
  const Slot from_start;
  const Slot& source_offset = is_short ? from_start : call.slots[2];
  const Slot& target_offset = is_short ? from_start : call.slots[4];
  Slot size = call.slots.back();
  if (size.u == WGPU_WHOLE_SIZE) {
    size.u = source != nullptr && source->size > source_offset.u ? source->size - source_offset.u : 0;
  }
  if (!call.binding.usable(call)) return {};
  Facade& facade = *call.object.facade();
  facade.run([&] {
    facade.native().functions().command_encoder_copy_buffer_to_buffer(
        call.pointer<WGPUCommandEncoderImpl>(0), call.pointer<WGPUBufferImpl>(1), source_offset.u,
        call.pointer<WGPUBufferImpl>(is_short ? 2 : 3), target_offset.u, size.u);
  });
  return {};
}

Value begin_render_pass(Call& call) {
  auto& descriptor = *call.pointer<OwnRenderPassDescriptor>(1);
  WGPURenderPassMaxDrawCount count = WGPU_RENDER_PASS_MAX_DRAW_COUNT_INIT;
  count.maxDrawCount = descriptor.maxDrawCount;
  descriptor.base.nextInChain = &count.chain;
  return call.binding.call_directly(call);
}

// setBindGroup(index, bindGroup, dynamicOffsetsData, dynamicOffsetsDataStart, dynamicOffsetsDataLength)
Value set_bind_group(Call& call) {
  if (call.row.symbol != nullptr) return call.binding.call_directly(call);
  const Value& offsets = *call.pointer<Value>(3);
  const Value type = call.realm.global().get("Uint32Array");
  if (!offsets.instance_of(type)) {
    throw call.realm.type_error(
        fmt::format("{}.setBindGroup: dynamicOffsetsData is no Uint32Array", call.object.interface().name));
  }
  const std::uint64_t start = call.slots[4].u;
  const std::uint64_t length = call.slots[5].u;
  const auto bytes = offsets.buffer();
  const std::uint64_t there = bytes.size() / sizeof(std::uint32_t);
  if (start > there || length > there - start) {
    throw call.realm.range_error(fmt::format("{}.setBindGroup: {} offsets from {} are not within the {} there are",
                                             call.object.interface().name, length, start, there));
  }
  std::vector<std::uint32_t> copied(length);
  if (length > 0) std::memcpy(copied.data(), bytes.data() + start * 4, length * 4);
  if (!call.binding.usable(call)) return {};
  Facade& facade = *call.object.facade();
  const auto set = reinterpret_cast<void (*)(void*, std::uint32_t, WGPUBindGroup, std::size_t, const std::uint32_t*)>(
      facade.native().function(function_name(call, "SetBindGroup").c_str()));
  facade.run([&] {
    set(call.object.handle(), static_cast<std::uint32_t>(call.slots[1].u), call.pointer<WGPUBindGroupImpl>(2), length,
        copied.data());
  });
  return {};
}

// setImmediates(rangeOffset, data, dataOffset = 0, dataSize)
Value set_immediates(Call& call) {
  const std::span<std::byte> bytes =
      script_bytes(call, *call.pointer<Value>(2), call.slots[3].u, call.slots[4].u, "setImmediates");
  if (!call.binding.usable(call)) return {};
  Facade& facade = *call.object.facade();
  void* function = facade.native().function(function_name(call, "SetImmediates").c_str());
  if (function == nullptr) function = facade.native().function(function_name(call, "SetImmediateData").c_str());
  const auto set = reinterpret_cast<void (*)(void*, std::uint32_t, const void*, std::size_t)>(function);
  if (set == nullptr) {
    facade.report({WGPUErrorFilter_Validation, "setImmediates: this WebGPU library has none"});
    return {};
  }
  facade.run(
      [&] { set(call.object.handle(), static_cast<std::uint32_t>(call.slots[1].u), bytes.data(), bytes.size()); });
  return {};
}

constexpr SpecialMethod kEncoderMethods[] = {
    {"GPUCommandEncoder.copyBufferToBuffer", copy_buffer_to_buffer},
    {"GPUCommandEncoder.beginRenderPass", begin_render_pass},
    {"GPUComputePassEncoder.setBindGroup", set_bind_group},
    {"GPURenderPassEncoder.setBindGroup", set_bind_group},
    {"GPURenderBundleEncoder.setBindGroup", set_bind_group},
    {"GPUComputePassEncoder.setImmediates", set_immediates},
    {"GPURenderPassEncoder.setImmediates", set_immediates},
    {"GPURenderBundleEncoder.setImmediates", set_immediates},
};

}  // namespace

std::span<const SpecialMethod> encoder_methods() { return kEncoderMethods; }

}  // namespace alknet::platform::webgpu
