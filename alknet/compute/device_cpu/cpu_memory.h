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
  std::atomic<std::uint64_t> live{0}, peak{0}, allocations{0}, kernels{0}, launches{0};
  std::atomic<std::uint64_t> packed{0};  ///< Bytes of packed matrices, part of `live`.

  void add(std::uint64_t bytes);
};

/// Memory of the CPU, with what kernels keep beside its elements.
class CpuMemory : public Memory {
 public:
  void note_write() override { packed_.clear(); }
  PackedWeights& packed() { return packed_; }

 private:
  PackedWeights packed_;
};

/// Uninitialised memory. Throws Error `out_of_memory`.
std::unique_ptr<CpuMemory> make_heap_memory(std::size_t bytes, std::shared_ptr<CpuCounters> counters);

/// The very bytes, read-only.
std::unique_ptr<CpuMemory> make_wrapped_memory(SharedBytes bytes);

}  // namespace alknet::compute
