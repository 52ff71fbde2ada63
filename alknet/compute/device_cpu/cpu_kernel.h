#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "alknet/base/thread_pool.h"
#include "alknet/compute/backend.h"
#include "alknet/compute/device_cpu/scratch.h"

namespace alknet::compute {

struct CpuCounters;

/// What launches of one backend share.
struct CpuResources {
  CpuResources(std::size_t threads, std::shared_ptr<CpuCounters> backend_counters)
      : pool(threads), scratch(pool.threads()), counters(std::move(backend_counters)) {}
  ThreadPool pool;
  Scratch scratch;
  std::shared_ptr<CpuCounters> counters;
};

/// A launch of the CPU: `run` computes and returns when it is done.
class CpuLaunch : public Launch {
 public:
  virtual void run(Slots slots) const = 0;
};

/// The address of element `offset` of an operand's memory.
inline const std::byte* address(Slots slots, std::uint32_t slot, std::int64_t offset, std::size_t element_bytes) {
  return static_cast<const Memory*>(slots[slot])->data() + offset * static_cast<std::int64_t>(element_bytes);
}
inline std::byte* address(Slots slots, const Operand& operand) {
  return slots[operand.slot]->data() +
         operand.layout.offset * static_cast<std::int64_t>(graph::dtype_bytes(operand.dtype));
}

/// Work, in elementary steps, that is worth waking a thread for.
inline constexpr std::size_t kGrain = 32768;

/// How many items of `cost` steps each make a chunk that is worth a thread.
inline std::size_t grain_of(std::size_t cost) { return cost >= kGrain ? 1 : kGrain / (cost == 0 ? 1 : cost); }

inline std::size_t to_size(std::int64_t value) { return static_cast<std::size_t>(value); }
inline std::int64_t to_signed(std::size_t value) { return static_cast<std::int64_t>(value); }

/// The kernel of a program alone. Throws Error `unsupported`.
std::shared_ptr<const Kernel> make_elementwise_kernel(std::shared_ptr<CpuResources> resources,
                                                      const Computation& computation);

/// The kernel of an operation that is not element-wise, and of the program after it. Throws Error `unsupported`.
std::shared_ptr<const Kernel> make_operation_kernel(std::shared_ptr<CpuResources> resources,
                                                    const Computation& computation);

}  // namespace alknet::compute
