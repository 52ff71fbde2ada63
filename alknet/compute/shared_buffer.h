#pragma once

#include <cstdint>
#include <memory>

#include "alknet/compute/tensor.h"
#include "alknet/gpu/buffer.h"

// Tensors and buffers of a WebGPU device, each as the other without a copy: for programs with kernels of their own.

namespace alknet::compute {

/// The elements of a tensor as a buffer, from its first byte. Keeps the memory, which nobody else gets as long as
/// anyone may use the buffer.
struct LentBuffer {
  std::shared_ptr<Buffer> owner;              ///< Whose version a writer must raise (Buffer::note_write).
  std::shared_ptr<const gpu::Buffer> buffer;  ///< Of the tensor's device.
  std::uint64_t bytes = 0;                    ///< Of the elements; the buffer has more.
};

/// Lends the memory of `tensor`; what it holds is what the operations called so far make of it, once the device has
/// done them. To `write` raises the version, so that a backward that needs the old elements is refused. On the thread
/// of the tensor's context. Throws Error `unsupported` naming the remedy for a tensor that is not on a GPU, is not
/// contiguous or starts inside a larger one.
LentBuffer lend_buffer(const Tensor& tensor, bool write);

/// Bytes of a buffer that elements need to be a tensor: whole vectors of 16, which kernels read.
std::uint64_t shared_bytes(Dtype dtype, const Shape& shape);

/// A lent buffer as a tensor again, of the same memory and version. Throws Error `shape_mismatch` when the elements
/// need more bytes than were lent.
Tensor tensor_over(const Context& context, const LentBuffer& lent, Dtype dtype, const Shape& shape);

/// A buffer of `device` as a tensor of `context`, whose backend of that device is `backend`. `writable`: whether it may
/// be copied to. Throws Error `invalid_argument` when `backend` is another device's, `shape_mismatch` when the elements
/// need more bytes (`shared_bytes`) than there are.
Tensor tensor_over(const Context& context, const std::shared_ptr<Backend>& backend, gpu::Buffer buffer, bool writable,
                   Dtype dtype, const Shape& shape);

}  // namespace alknet::compute
