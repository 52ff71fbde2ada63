#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "alknet/base/error.h"
#include "alknet/base/message.h"
#include "alknet/base/task.h"

namespace alknet::call {
class Operation;
}

namespace alknet::compute {

/// How long a process with kernels may take for one call before it is ended.
enum class WorkerDeadline : std::uint8_t {
  kSetup,     ///< it starts, opens its device or compiles
  kDispatch,  ///< it runs a kernel or moves bytes
};

/// A call of an operation in such a process.
struct WorkerCall {
  std::shared_ptr<const call::Operation> operation;
  Message input;
  WorkerDeadline deadline = WorkerDeadline::kDispatch;
  std::string what;                ///< for messages: "running the kernel k"
  std::uint64_t answer_bytes = 0;  ///< the most that the answer may hold beside its JSON
};

/// A process of its own that serves the operations of a ComputeService to one owner of this process, for kernels that
/// this process does not trust. It takes one call at a time, in the order in which they came. Thread-safe.
class KernelWorker {
 public:
  /// Ends the process.
  virtual ~KernelWorker() = default;

  /// Calls an operation there. A call goes on to its end when the task is dropped. Throws what the process answers;
  /// when it ended or overran the deadline, which ends it, the error of `lost`; and `resource_exhausted` (limit
  /// "kernel_worker_queue") when too many bytes wait already.
  virtual Task<Message> call(WorkerCall call) = 0;

  /// The same, and nobody hears what becomes of it.
  virtual void tell(WorkerCall call) = 0;

  /// Ends it now: from here on `lost` says that it `why`. What runs fails. Idempotent.
  virtual void end(std::string_view why) = 0;

  /// `device_lost`, saying why, when the process has ended: then nothing of it is left.
  virtual std::optional<Error> lost() const = 0;
};

/// Who starts such processes: apps/worker's host, which the program passes to the service.
class KernelWorkers {
 public:
  virtual ~KernelWorkers() = default;

  /// A new one. Throws `resource_exhausted` (limit "kernel_workers"), and what starting a process throws.
  virtual Task<std::shared_ptr<KernelWorker>> start() = 0;
};

}  // namespace alknet::compute
