#include "alknet/compute/device_cpu/cpu_memory.h"

#include <fmt/format.h>

#include <utility>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

class HeapMemory final : public CpuMemory {
 public:
  HeapMemory(std::size_t bytes, std::shared_ptr<CpuCounters> counters)
      : bytes_(bytes), counters_(std::move(counters)), data_(allocate_block(bytes)) {
    if (!data_) {
      throw Error(ComputeError::kOutOfMemory,
                  fmt::format("cpu: cannot allocate {} bytes: dispose tensors or use smaller batches", bytes),
                  JsonObject{{"device", "cpu"}, {"bytes", bytes}});
    }
    counters_->add(bytes);
  }
  ~HeapMemory() override { counters_->live -= bytes_; }
  HeapMemory(const HeapMemory&) = delete;
  HeapMemory& operator=(const HeapMemory&) = delete;

  std::size_t bytes() const override { return bytes_; }
  std::byte* data() override { return data_.get(); }

 private:
  std::size_t bytes_;
  std::shared_ptr<CpuCounters> counters_;
  MemoryBlock data_;
};

class WrappedMemory final : public CpuMemory {
 public:
  explicit WrappedMemory(SharedBytes bytes) : bytes_(std::move(bytes)) {}
  std::size_t bytes() const override { return bytes_.size(); }
  bool read_only() const override { return true; }
  /// Kernels write only operands whose memory is not read-only.
  std::byte* data() override { return const_cast<std::byte*>(bytes_.data()); }

 private:
  SharedBytes bytes_;
};

}  // namespace

void CpuCounters::add(std::uint64_t bytes) {
  const std::uint64_t now = live += bytes;
  ++allocations;
  std::uint64_t highest = peak.load();
  while (highest < now && !peak.compare_exchange_weak(highest, now)) {
  }
}

std::unique_ptr<CpuMemory> make_heap_memory(std::size_t bytes, std::shared_ptr<CpuCounters> counters) {
  return std::make_unique<HeapMemory>(bytes, std::move(counters));
}

std::unique_ptr<CpuMemory> make_wrapped_memory(SharedBytes bytes) {
  return std::make_unique<WrappedMemory>(std::move(bytes));
}

}  // namespace alknet::compute
