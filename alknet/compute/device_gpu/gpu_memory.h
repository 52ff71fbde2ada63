#pragma once

#include <cstdint>
#include <memory>

#include "alknet/compute/backend.h"
#include "alknet/compute/device_gpu/gpu_context.h"

namespace alknet::compute {

/// A buffer of the device as a backend's memory.
class GpuMemory final : public Memory {
 public:
  /// Throws what gpu::Device::create_buffer throws.
  GpuMemory(std::shared_ptr<GpuContext> context, std::size_t bytes);

  /// Over a buffer of the context's device. One that is not `writable` was made without WebGPU's COPY_DST.
  GpuMemory(std::shared_ptr<GpuContext> context, gpu::Buffer buffer, std::size_t bytes, bool writable);
  ~GpuMemory() override;
  GpuMemory(const GpuMemory&) = delete;
  GpuMemory& operator=(const GpuMemory&) = delete;

  std::size_t bytes() const override { return bytes_; }
  bool read_only() const override { return !writable_; }
  const gpu::Buffer& buffer() const { return buffer_; }

  /// Never used twice in one backend, unlike addresses.
  std::uint64_t serial() const { return serial_; }

  const GpuContext* context() const { return context_.get(); }

  /// Any offset and size within `bytes`; see Backend.
  void write(std::size_t offset, std::span<const std::byte> bytes) const;
  void read(std::size_t offset, std::span<std::byte> bytes) const;

 private:
  std::shared_ptr<GpuContext> context_;
  std::size_t bytes_;
  gpu::Buffer buffer_;
  std::uint64_t serial_;
  bool writable_ = true;
};

/// The memory as this backend's own. Throws Error `stale_buffer` for null or foreign memory.
const GpuMemory& own_memory(const GpuContext& context, const Memory* memory);

}  // namespace alknet::compute
