#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "alknet/base/shared_bytes.h"
#include "alknet/compute/backend.h"
#include "alknet/compute/device_cpu/memory_block.h"
#include "alknet/compute/device_cpu/packed_weights.h"

namespace alknet::compute {

/// What a backend counts; memories share it, since they may outlive the backend.
struct CpuCounters {
  explicit CpuCounters(std::uint64_t memory_limit) : limit(memory_limit) {}

  const std::uint64_t limit;  ///< Of `live`, for memories.
  std::atomic<std::uint64_t> live{0}, peak{0}, allocations{0}, kernels{0}, launches{0};
  std::atomic<std::uint64_t> packed{0};  ///< Bytes of packed matrices, part of `live`.

  void add(std::uint64_t bytes);
  /// As `add` where that many bytes are left; else changes nothing and says no.
  bool take(std::uint64_t bytes);

 private:
  void count(std::uint64_t now);  ///< An allocation, after which `now` bytes are live.
};

/// Memory of the CPU, with what kernels keep beside its elements.
class CpuMemory : public Memory {
 public:
  void note_write() override { packed_.clear(); }
  PackedWeights& packed() { return packed_; }

 private:
  PackedWeights packed_;
};

/// Uninitialised memory. Throws Error `out_of_memory` when the system or the limit gives no more.
std::unique_ptr<CpuMemory> make_heap_memory(std::size_t bytes, std::shared_ptr<CpuCounters> counters);

/// The very bytes, read-only.
std::unique_ptr<CpuMemory> make_wrapped_memory(SharedBytes bytes);

}  // namespace alknet::compute
