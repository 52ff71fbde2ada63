#include "alknet/compute/device_cpu/cpu_memory.h"

#include <fmt/format.h>

#include <utility>

#include "alknet/base/error.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

class HeapMemory final : public CpuMemory {
 public:
  HeapMemory(std::size_t bytes, std::shared_ptr<CpuCounters> counters) : bytes_(bytes), counters_(std::move(counters)) {
    if (!counters_->take(bytes)) refuse();
    data_ = allocate_block(bytes);
    if (data_) return;
    counters_->live -= bytes;
    refuse();
  }
  ~HeapMemory() override { counters_->live -= bytes_; }
  HeapMemory(const HeapMemory&) = delete;
  HeapMemory& operator=(const HeapMemory&) = delete;

  std::size_t bytes() const override { return bytes_; }
  std::byte* data() override { return data_.get(); }

 private:
  [[noreturn]] void refuse() const {
    const std::uint64_t live = counters_->live;
    throw Error(
        ComputeError::kOutOfMemory,
        fmt::format("cpu: cannot allocate {} bytes: {} of {} are in use; free tensors, use smaller batches or a "
                    "machine with more memory",
                    bytes_, live, counters_->limit),
        JsonObject{{"device", "cpu"}, {"bytes", bytes_}, {"live", live}, {"limit", counters_->limit}});
  }

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

void CpuCounters::add(std::uint64_t bytes) { count(live += bytes); }

bool CpuCounters::take(std::uint64_t bytes) {
  std::uint64_t before = live.load();
  do {
    if (bytes > limit || before > limit - bytes) return false;
  } while (!live.compare_exchange_weak(before, before + bytes));
  count(before + bytes);
  return true;
}

void CpuCounters::count(std::uint64_t now) {
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
