#include "alknet/compute/device_gpu/gpu_backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <typeinfo>

#include "alknet/base/error.h"
#include "alknet/compute/device_gpu/gpu_context.h"
#include "alknet/compute/device_gpu/gpu_kernel.h"
#include "alknet/compute/device_gpu/gpu_memory.h"
#include "alknet/compute/device_gpu/source_gpu_kernel.h"
#include "alknet/gpu/error.h"

namespace alknet::compute {
namespace {

class GpuBackend final : public Backend {
 public:
  GpuBackend(std::shared_ptr<gpu::Device> device, GpuBackendOptions options)
      : context_(std::make_shared<GpuContext>(std::move(device), std::move(options))) {}

  const std::string& id() const override { return context_->options().id; }
  bool supports(Dtype dtype) const override { return context_->supports(dtype); }
  std::size_t alignment() const override { return context_->device().limits().min_storage_offset_alignment; }
  KernelLimits kernel_limits() const override {
    constexpr std::uint32_t kMost = 31;  // the parameter block holds strides of all
    // Kernels that check indices bind the error words as well.
    return {.operands = std::min(context_->device().limits().max_storage_buffers - 1, kMost), .in_place = true};
  }

  std::unique_ptr<Memory> allocate(std::size_t bytes) override {
    return naming_loss([&] { return std::make_unique<GpuMemory>(context_, bytes); });
  }

  std::unique_ptr<Memory> wrap(SharedBytes bytes) override {
    return naming_loss([&] {
      auto memory = std::make_unique<GpuMemory>(context_, bytes.size());
      memory->write(0, bytes.span());
      return memory;
    });
  }

  void write(Memory& memory, std::size_t offset, std::span<const std::byte> bytes) override {
    naming_loss([&] { own_memory(*context_, &memory).write(offset, bytes); });
  }

  void read(const Memory& memory, std::size_t offset, std::span<std::byte> bytes) override {
    naming_loss([&] {
      const GpuMemory& own = own_memory(*context_, &memory);
      ErrorCheck errors(*context_);
      own.read(offset, bytes);
      errors.finish();
    });
  }

  std::shared_ptr<const Kernel> kernel(const Computation& computation) override {
    return naming_loss([&] { return std::make_shared<GpuKernel>(context_, computation); });
  }

  bool runs_shaders() const override { return true; }
  bool software() const override { return context_->device().adapter().type == gpu::AdapterType::kSoftware; }
  bool lost() const override { return context_->device().lost(); }
  void lose(std::string_view message) override { context_->device().lose(message); }

  std::shared_ptr<const Kernel> source_kernel(const SourceKernel& kernel, bool trusted) override {
    return naming_loss([&] { return std::make_shared<SourceGpuKernel>(context_, kernel, trusted); });
  }

  void run(std::span<const std::unique_ptr<Launch>> launches, Slots slots) override {
    naming_loss([&] { submit(launches, slots); });
  }

  void synchronize() override {
    naming_loss([&] { context_->device().wait(); });
  }
  BackendStatistics statistics() const override { return context_->statistics(); }

  const std::shared_ptr<GpuContext>& context() const { return context_; }

 private:
  void submit(std::span<const std::unique_ptr<Launch>> launches, Slots slots) {
    gpu::Encoder encoder = context_->device().encoder();
    bool checks_indices = false;
    const GpuLaunch *first = nullptr, *last = nullptr;
    for (const auto& launch : launches) {
      Launch* const any = launch.get();
      auto* own = any != nullptr && typeid(*any) == typeid(GpuLaunch) ? static_cast<GpuLaunch*>(any) : nullptr;
      if (!own || own->context() != context_.get()) {
        throw Error(BaseError::kInvalidArgument, fmt::format("a launch of another device was given to {}", id()));
      }
      own->record(encoder, slots);
      checks_indices |= own->checks_indices();
      first = first ? first : own;
      last = own;
    }
    if (last) context_->note_work(first->name(), last->name(), launches.size());
    context_->device().submit(std::move(encoder));
    context_->count_launches(launches.size());
    if (checks_indices) context_->expect_errors();
  }

  /// The result of `work`; the error of a lost device gets told what was running.
  template <typename Work>
  auto naming_loss(const Work& work) const -> decltype(work()) {
    try {
      return work();
    } catch (const Error& error) {
      const std::string running = context_->last_work();
      if (error.code() != make_error_code(gpu::GpuError::kDeviceLost) || running.empty()) throw;
      JsonObject details = error.details().is_object() ? error.details().get_object() : JsonObject();
      details["running"] = running;
      throw Error(error.code(), fmt::format("{}. The last work it was given: {}", error.message(), running),
                  std::move(details));
    }
  }

  std::shared_ptr<GpuContext> context_;
};

}  // namespace

std::shared_ptr<Backend> make_gpu_backend(std::shared_ptr<gpu::Device> device, GpuBackendOptions options) {
  return std::make_shared<GpuBackend>(std::move(device), std::move(options));
}

const gpu::Device* gpu_device(const Backend& backend) {
  const auto* own = dynamic_cast<const GpuBackend*>(&backend);
  return own == nullptr ? nullptr : &own->context()->device();
}

const gpu::Buffer* gpu_buffer(const Memory& memory) {
  const auto* own = dynamic_cast<const GpuMemory*>(&memory);
  return own == nullptr ? nullptr : &own->buffer();
}

std::unique_ptr<Memory> make_gpu_memory(const Backend& backend, gpu::Buffer buffer, std::size_t bytes, bool writable) {
  const auto* own = dynamic_cast<const GpuBackend*>(&backend);
  if (own == nullptr) {
    throw Error(BaseError::kInvalidArgument, fmt::format("{} has no memory in WebGPU's buffers", backend.id()));
  }
  return std::make_unique<GpuMemory>(own->context(), std::move(buffer), bytes, writable);
}

}  // namespace alknet::compute
