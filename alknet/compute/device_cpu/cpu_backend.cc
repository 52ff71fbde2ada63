#include "alknet/compute/device_cpu/cpu_backend.h"

#include <fmt/format.h>

#include <cstring>
#include <mutex>
#include <string>
#include <unordered_map>

#include "alknet/base/error.h"
#include "alknet/base/machine_memory.h"
#include "alknet/compute/device_cpu/cpu_kernel.h"
#include "alknet/compute/device_cpu/cpu_memory.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

void check_range(const Memory& memory, std::size_t offset, std::size_t bytes) {
  if (offset <= memory.bytes() && bytes <= memory.bytes() - offset) return;
  throw Error(BaseError::kInvalidArgument, fmt::format("cpu: bytes {}..{} are outside a memory of {} bytes", offset,
                                                       offset + bytes, memory.bytes()));
}

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(const CpuOptions& options)
      : counters_(std::make_shared<CpuCounters>(options.memory_limit > 0 ? options.memory_limit : machine_memory())),
        resources_(std::make_shared<CpuResources>(options.threads, counters_)) {}

  const std::string& id() const override { return id_; }
  bool supports(Dtype) const override { return true; }
  std::size_t alignment() const override { return 8; }
  KernelLimits kernel_limits() const override { return {.operands = 64, .in_place = true, .exact_steps = true}; }

  std::unique_ptr<Memory> allocate(std::size_t bytes) override { return make_heap_memory(bytes, counters_); }
  std::unique_ptr<Memory> wrap(SharedBytes bytes) override { return make_wrapped_memory(std::move(bytes)); }

  void write(Memory& memory, std::size_t offset, std::span<const std::byte> bytes) override {
    check_range(memory, offset, bytes.size());
    if (memory.read_only()) {
      throw Error(ComputeError::kReadOnly, "cpu: mapped memory cannot be written: copy it first");
    }
    memory.note_write();
    if (!bytes.empty()) std::memcpy(memory.data() + offset, bytes.data(), bytes.size());
  }

  void read(const Memory& memory, std::size_t offset, std::span<std::byte> bytes) override {
    check_range(memory, offset, bytes.size());
    if (!bytes.empty()) std::memcpy(bytes.data(), memory.data() + offset, bytes.size());
  }

  std::shared_ptr<const Kernel> kernel(const Computation& computation) override {
    const std::lock_guard lock(kernels_mutex_);
    auto& kernel = kernels_[computation.key()];  // stays null when making it throws
    if (!kernel) {
      kernel = computation.op ? make_operation_kernel(resources_, computation)
                              : make_elementwise_kernel(resources_, computation);
      ++counters_->kernels;
    }
    return kernel;
  }

  void run(std::span<const std::unique_ptr<Launch>> launches, Slots slots) override {
    for (const auto& launch : launches) static_cast<const CpuLaunch&>(*launch).run(slots);
    counters_->launches += launches.size();
  }

  void synchronize() override {}

  BackendStatistics statistics() const override {
    BackendStatistics statistics;
    statistics.live_bytes = counters_->live;
    statistics.peak_bytes = counters_->peak;
    statistics.allocations = counters_->allocations;
    statistics.kernels_compiled = counters_->kernels;
    statistics.launches = counters_->launches;
    return statistics;
  }

 private:
  const std::string id_ = "cpu";
  std::shared_ptr<CpuCounters> counters_;
  std::shared_ptr<CpuResources> resources_;
  std::mutex kernels_mutex_;
  std::unordered_map<std::string, std::shared_ptr<const Kernel>> kernels_;
};

}  // namespace

std::shared_ptr<Backend> make_cpu_backend(const CpuOptions& options) { return std::make_shared<CpuBackend>(options); }

}  // namespace alknet::compute
