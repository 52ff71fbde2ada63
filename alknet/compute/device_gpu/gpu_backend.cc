#include "alknet/compute/device_gpu/gpu_backend.h"

#include <fmt/format.h>

#include <typeinfo>

#include "alknet/base/error.h"
#include "alknet/compute/device_gpu/gpu_context.h"
#include "alknet/compute/device_gpu/gpu_kernel.h"
#include "alknet/compute/device_gpu/gpu_memory.h"

namespace alknet::compute {
namespace {

class GpuBackend final : public Backend {
 public:
  GpuBackend(std::shared_ptr<gpu::Device> device, GpuBackendOptions options)
      : context_(std::make_shared<GpuContext>(std::move(device), std::move(options))) {}

  const std::string& id() const override { return context_->options().id; }
  bool supports(Dtype dtype) const override { return context_->supports(dtype); }
  std::size_t alignment() const override { return context_->device().limits().min_storage_offset_alignment; }

  std::unique_ptr<Memory> allocate(std::size_t bytes) override { return std::make_unique<GpuMemory>(context_, bytes); }

  std::unique_ptr<Memory> wrap(SharedBytes bytes) override {
    auto memory = std::make_unique<GpuMemory>(context_, bytes.size());
    memory->write(0, bytes.span());
    return memory;
  }

  void write(Memory& memory, std::size_t offset, std::span<const std::byte> bytes) override {
    own_memory(*context_, &memory).write(offset, bytes);
  }

  void read(const Memory& memory, std::size_t offset, std::span<std::byte> bytes) override {
    const GpuMemory& own = own_memory(*context_, &memory);
    ErrorCheck errors(*context_);
    own.read(offset, bytes);
    errors.finish();
  }

  std::shared_ptr<const Kernel> kernel(const Computation& computation) override {
    return std::make_shared<GpuKernel>(context_, computation);
  }

  void run(std::span<const std::unique_ptr<Launch>> launches, Slots slots) override {
    gpu::Encoder encoder = context_->device().encoder();
    bool checks_indices = false;
    for (const auto& launch : launches) {
      Launch* const any = launch.get();
      auto* own = any != nullptr && typeid(*any) == typeid(GpuLaunch) ? static_cast<GpuLaunch*>(any) : nullptr;
      if (!own || own->context() != context_.get()) {
        throw Error(BaseError::kInvalidArgument, fmt::format("a launch of another device was given to {}", id()));
      }
      own->record(encoder, slots);
      checks_indices |= own->checks_indices();
    }
    context_->device().submit(std::move(encoder));
    context_->count_launches(launches.size());
    if (checks_indices) context_->expect_errors();
  }

  void synchronize() override { context_->device().wait(); }
  BackendStatistics statistics() const override { return context_->statistics(); }

 private:
  std::shared_ptr<GpuContext> context_;
};

}  // namespace

std::shared_ptr<Backend> make_gpu_backend(std::shared_ptr<gpu::Device> device, GpuBackendOptions options) {
  return std::make_shared<GpuBackend>(std::move(device), std::move(options));
}

}  // namespace alknet::compute
