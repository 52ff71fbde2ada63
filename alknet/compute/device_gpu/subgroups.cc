#include "alknet/compute/device_gpu/subgroups.h"

#include <array>
#include <bit>
#include <span>

#include "alknet/base/error.h"
#include "alknet/gpu/error.h"

namespace alknet::compute {
namespace {

/// Words: invocations out of order; the largest size; 256 less the smallest size.
constexpr std::string_view kProbe = R"(enable subgroups;
@group(0) @binding(0) var<storage, read_write> found: array<atomic<u32>, 4>;
@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) local: u32, @builtin(subgroup_invocation_id) lane: u32,
        @builtin(subgroup_size) size: u32) {
  let first = subgroupBroadcastFirst(local);
  if (local % size != lane || local - lane != first) { atomicAdd(&found[0], 1u); }
  atomicMax(&found[1], size);
  atomicMax(&found[2], 256u - min(size, 256u));
}
)";

}  // namespace

std::uint32_t probe_subgroups(const gpu::Device& device) {
  if (!device.has_feature("subgroups")) return 0;
  gpu::KernelSource source;
  source.name = "subgroups";
  source.code = kProbe;
  source.bindings = {gpu::BindingKind::kStorage};
  gpu::Pipeline pipeline;
  try {
    pipeline = device.compile_shader(source);
  } catch (const Error& error) {
    if (error.code() != make_error_code(gpu::GpuError::kShaderInvalid)) throw;
    return 0;  // another version of the extension
  }
  std::array<std::uint32_t, 4> found{};
  const gpu::Buffer words = device.create_buffer(sizeof found, gpu::BufferUsage::kStorage, "subgroups");
  const gpu::Binding binding{&words, 0, 0};
  device.dispatch(pipeline, std::span(&binding, 1), {});
  device.readback(words, 0, std::as_writable_bytes(std::span(found)));
  const std::uint32_t largest = found[1], smallest = 256 - found[2], told = device.adapter().subgroup_min_size;
  const auto fits = [](std::uint32_t size) { return std::has_single_bit(size) && size >= 4 && size <= 128; };
  if (found[0] != 0 || !fits(largest) || !fits(smallest)) return 0;
  // Another kernel may be compiled for smaller ones: without a word from the adapter, for the smallest of WebGPU.
  return told == 0 ? 4 : told;
}

}  // namespace alknet::compute
