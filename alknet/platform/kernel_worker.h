#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "alknet/base/log.h"
#include "alknet/base/loop.h"
#include "alknet/compute/operations/kernel_workers.h"

namespace alknet::platform {

struct KernelWorkerOptions {
  std::filesystem::path program =
      {};                       ///< empty: `alknet-worker` beside this program, or what ALKNET_WORKER_PROGRAM names
  std::string device = "gpu";   ///< where kernels run: the first adapter, or "gpu:N"
  std::size_t max_workers = 8;  ///< processes at a time

  /// What the tensors of one process may take, copies of operands included, and what the process may grow by beside its
  /// driver. Outputs count against their owner's quota too.
  std::uint64_t memory = std::uint64_t{1} << 30;

  /// The longest that a kernel, or a copy of a tensor, may take.
  std::chrono::milliseconds dispatch_deadline{5'000};

  /// The longest that a process may take to open its device, or to compile a kernel.
  std::chrono::milliseconds setup_deadline{30'000};

  /// Whether what processes say on standard error is seen, for their developers.
  bool diagnostics = false;
  Logger logger = {};
};

/// Starts processes for kernels that strangers wrote (apps/worker): no secrets, no sockets, the rights of a filter that
/// GPU drivers run under, and a watchdog that kills one whose call overruns its deadline. Then all that was in it
/// answers `device_lost`, and nothing else is harmed.
///
/// Processes are started, watched and reaped on the loop's thread, which must live as long as they do; all functions
/// may be called on any thread.
class KernelWorkerHost final : public compute::KernelWorkers {
 public:
  /// Throws `sandbox_failed` when there is no program for them. Reads the environment: before threads change it.
  explicit KernelWorkerHost(Loop& loop, KernelWorkerOptions options = {});
  ~KernelWorkerHost() override;
  KernelWorkerHost(const KernelWorkerHost&) = delete;
  KernelWorkerHost& operator=(const KernelWorkerHost&) = delete;

  Task<std::shared_ptr<compute::KernelWorker>> start() override;

  /// Processes that run now, those that are about to end included.
  std::size_t workers() const;

  struct State;  ///< internal

 private:
  std::shared_ptr<State> state_;
};

}  // namespace alknet::platform
