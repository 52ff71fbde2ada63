#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "alknet/compute/backend.h"

namespace alknet::compute {

/// How the CPU is used.
struct CpuOptions {
  /// Threads that compute, the caller of `run` included; 0 takes the machine's hardware concurrency.
  std::size_t threads = 0;
  /// Bytes that its memories may have together; 0 takes what the machine or its container has. Systems hand out more
  /// than they have and end the process when it is used.
  std::uint64_t memory_limit = 0;
};

/// The device `cpu`: kernels generated from the op table for several instruction sets, matrix products by loops of our
/// own.
///
/// Every dtype is supported. Operands may start at any element (`alignment()` is that of the widest dtype); memory from
/// `allocate` starts at a multiple of 64 bytes, `wrap` keeps the given bytes and copies nothing. `run` computes on the
/// calling thread and the backend's own pool and returns when all is done; runs of several threads wait for each
/// other's loops only where they share workers. A kernel that reads an index outside the indexed dimension makes `run`
/// throw Error `index_out_of_range` that names the op. `allocate` throws `out_of_memory` when the system or the limit
/// gives no more.
///
/// Launches keep their scratch memory: it is allocated by `bind`, and counts as no memory of the backend.
std::shared_ptr<Backend> make_cpu_backend(const CpuOptions& options = {});

}  // namespace alknet::compute
