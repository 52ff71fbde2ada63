#include "alknet/compute/device_cpu/cpu_backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <unordered_map>

#include "alknet/base/error.h"
#include "alknet/base/machine_memory.h"
#include "alknet/compute/device_cpu/cpu_kernel.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

constexpr std::align_val_t kMemoryAlignment{64};

struct Counters {
  std::uint64_t limit = 0;
  std::atomic<std::uint64_t> live{0}, peak{0}, allocations{0}, kernels{0}, launches{0};

  /// Whether that many bytes are still free; they then count as live.
  bool take(std::uint64_t bytes) {
    std::uint64_t before = live.load();
    do {
      if (bytes > limit || before > limit - bytes) return false;
    } while (!live.compare_exchange_weak(before, before + bytes));
    ++allocations;
    std::uint64_t highest = peak.load();
    while (highest < before + bytes && !peak.compare_exchange_weak(highest, before + bytes)) {
    }
    return true;
  }
};

class HeapMemory final : public Memory {
 public:
  HeapMemory(std::size_t bytes, std::shared_ptr<Counters> counters) : bytes_(bytes), counters_(std::move(counters)) {
    if (!counters_->take(bytes)) refuse();
    data_ = static_cast<std::byte*>(::operator new(std::max<std::size_t>(bytes, 1), kMemoryAlignment, std::nothrow));
    if (data_) return;
    counters_->live -= bytes;
    refuse();
  }
  ~HeapMemory() override {
    counters_->live -= bytes_;
    ::operator delete(data_, kMemoryAlignment);
  }
  HeapMemory(const HeapMemory&) = delete;
  HeapMemory& operator=(const HeapMemory&) = delete;

  std::size_t bytes() const override { return bytes_; }
  std::byte* data() override { return data_; }

 private:
  [[noreturn]] void refuse() const {
    const std::uint64_t live = counters_->live, limit = counters_->limit;
    throw Error(
        ComputeError::kOutOfMemory,
        fmt::format("cpu: cannot allocate {} bytes: {} of {} are in use; free tensors, use smaller batches or a "
                    "machine with more memory",
                    bytes_, live, limit),
        JsonObject{{"device", "cpu"}, {"bytes", bytes_}, {"live", live}, {"limit", limit}});
  }

  std::size_t bytes_;
  std::shared_ptr<Counters> counters_;
  std::byte* data_ = nullptr;
};

class WrappedMemory final : public Memory {
 public:
  explicit WrappedMemory(SharedBytes bytes) : bytes_(std::move(bytes)) {}
  std::size_t bytes() const override { return bytes_.size(); }
  bool read_only() const override { return true; }
  /// Kernels write only operands whose memory is not read-only.
  std::byte* data() override { return const_cast<std::byte*>(bytes_.data()); }

 private:
  SharedBytes bytes_;
};

void check_range(const Memory& memory, std::size_t offset, std::size_t bytes) {
  if (offset <= memory.bytes() && bytes <= memory.bytes() - offset) return;
  throw Error(BaseError::kInvalidArgument, fmt::format("cpu: bytes {}..{} are outside a memory of {} bytes", offset,
                                                       offset + bytes, memory.bytes()));
}

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(const CpuOptions& options)
      : resources_(std::make_shared<CpuResources>(options.threads)), counters_(std::make_shared<Counters>()) {
    counters_->limit = options.memory_limit > 0 ? options.memory_limit : machine_memory();
  }

  const std::string& id() const override { return id_; }
  bool supports(Dtype) const override { return true; }
  std::size_t alignment() const override { return 8; }
  KernelLimits kernel_limits() const override { return {.operands = 64, .in_place = true, .exact_steps = true}; }

  std::unique_ptr<Memory> allocate(std::size_t bytes) override {
    return std::make_unique<HeapMemory>(bytes, counters_);
  }
  std::unique_ptr<Memory> wrap(SharedBytes bytes) override { return std::make_unique<WrappedMemory>(std::move(bytes)); }

  void write(Memory& memory, std::size_t offset, std::span<const std::byte> bytes) override {
    check_range(memory, offset, bytes.size());
    if (memory.read_only()) {
      throw Error(ComputeError::kReadOnly, "cpu: mapped memory cannot be written: copy it first");
    }
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
  std::shared_ptr<CpuResources> resources_;
  std::shared_ptr<Counters> counters_;  // shared with memories, which may outlive the backend
  std::mutex kernels_mutex_;
  std::unordered_map<std::string, std::shared_ptr<const Kernel>> kernels_;
};

}  // namespace

std::shared_ptr<Backend> make_cpu_backend(const CpuOptions& options) { return std::make_shared<CpuBackend>(options); }

}  // namespace alknet::compute
