#include "alknet/compute/shared_buffer.h"

#include <fmt/format.h>

#include "alknet/base/error.h"
#include "alknet/compute/device_gpu/gpu_backend.h"
#include "alknet/compute/eager/context_state.h"
#include "alknet/compute/eager/tensor_state.h"
#include "alknet/compute/error.h"
#include "alknet/gpu/device.h"

namespace alknet::compute {
namespace {

constexpr std::uint64_t kVector = 16;  // kernels read whole vec4s

[[noreturn]] void refuse(std::string_view why, std::string_view remedy) {
  throw Error(ComputeError::kUnsupported,
              fmt::format("[gpuBuffer] the tensor {}, so it is no buffer of its own: {}", why, remedy));
}

Tensor over(const Context& context, std::shared_ptr<Buffer> buffer, Dtype dtype, const Shape& shape) {
  if (!buffer->backend()->supports(dtype)) {
    throw Error(ComputeError::kUnsupported,
                fmt::format("[fromGpuBuffer] {} has no {} tensors", buffer->backend()->id(), graph::dtype_name(dtype)));
  }
  const auto& state = ContextAccess::state(context);
  auto layout = state->layouts.intern({shape, graph::contiguous_strides(shape), 0});
  return TensorAccess::make({std::move(buffer), std::move(layout), dtype}, state);
}

}  // namespace

std::uint64_t shared_bytes(Dtype dtype, const Shape& shape) {
  return (graph::storage_bytes(dtype, graph::element_count(shape)) + kVector - 1) / kVector * kVector;
}

LentBuffer lend_buffer(const Tensor& tensor, bool write) {
  const std::shared_ptr<Buffer>& owner = tensor.buffer();
  const std::shared_ptr<Memory> memory = owner->memory();
  const gpu::Buffer* const buffer = gpu_buffer(*memory);
  if (buffer == nullptr) refuse(fmt::format("is on {}", tensor.device()), "move it there first, with .to('gpu:0')");
  const std::uint64_t bytes = graph::storage_bytes(tensor.dtype(), tensor.element_count());
  if (!tensor.contiguous() || tensor.layout().offset != 0 || bytes != owner->bytes()) {
    refuse("is a view of another one", "use contiguous(), which copies it");
  }
  if (write) owner->note_write("gpuBuffer");
  owner->lend();
  buffer->lend();
  return {owner, std::shared_ptr<const gpu::Buffer>(memory, buffer), bytes};
}

Tensor tensor_over(const Context& context, const LentBuffer& lent, Dtype dtype, const Shape& shape) {
  const std::uint64_t needed = graph::storage_bytes(dtype, graph::element_count(shape));
  if (needed > lent.bytes) {
    throw Error(ComputeError::kShapeMismatch,
                fmt::format("[fromGpuBuffer] {} {} needs {} bytes; the tensor that the GPUBuffer shows has {}",
                            graph::dtype_name(dtype), graph::shape_text(shape), needed, lent.bytes));
  }
  return over(context, lent.owner, dtype, shape);
}

Tensor tensor_over(const Context& context, const std::shared_ptr<Backend>& backend, gpu::Buffer buffer, bool writable,
                   Dtype dtype, const Shape& shape) {
  const gpu::Device* const device = gpu_device(*backend);
  if (device == nullptr || device->state() != gpu::device_of(buffer)) {
    throw Error(
        BaseError::kInvalidArgument,
        "[fromGpuBuffer] the GPUBuffer is of another device than tensors are: one that was lost, or made apart");
  }
  const std::uint64_t bytes = buffer.size();
  if (const std::uint64_t needed = shared_bytes(dtype, shape); needed > bytes) {
    throw Error(ComputeError::kShapeMismatch,
                fmt::format("[fromGpuBuffer] {} {} needs {} bytes, whole vectors of {}; the GPUBuffer has {}",
                            graph::dtype_name(dtype), graph::shape_text(shape), needed, kVector, bytes));
  }
  auto memory = make_gpu_memory(*backend, std::move(buffer), bytes, writable);
  return over(context, context.buffers()->adopt(backend, std::move(memory), "GPUBuffer"), dtype, shape);
}

}  // namespace alknet::compute
