#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/base/shared_bytes.h"
#include "alknet/base/task.h"
#include "alknet/compute/kernels/source_call.h"
#include "alknet/compute/operations/kernel_workers.h"
#include "alknet/compute/tensor.h"

namespace alknet::compute {

class WorkerKernels;

/// A tensor in the process of an owner's kernels. It never changes: whoever writes it moves it here first. Destroying
/// it frees it there. Any thread.
class WorkerTensor {
 public:
  WorkerTensor(std::shared_ptr<WorkerKernels> kernels, std::string id, Dtype dtype, Shape shape);
  ~WorkerTensor();
  WorkerTensor(const WorkerTensor&) = delete;
  WorkerTensor& operator=(const WorkerTensor&) = delete;

  /// {"$tensor", "dtype", "shape"}, as the process knows it.
  Json handle() const;
  const WorkerKernels* kernels() const { return kernels_.get(); }
  const Shape& shape() const { return shape_; }

  /// Its elements, copied out. Throws `device_lost` when they are gone, with all that was in the process.
  static Task<SharedBytes> read(std::shared_ptr<const WorkerTensor> tensor);

 private:
  std::shared_ptr<WorkerKernels> kernels_;
  std::string id_;
  Dtype dtype_;
  Shape shape_;
};

/// An operand of a dispatch: a tensor that is there already, or elements to copy in.
struct WorkerOperand {
  std::shared_ptr<const WorkerTensor> there;
  Dtype dtype{};
  Shape shape = {};
  std::optional<std::size_t> same_as = {};  ///< an operand before it that is the same tensor, copied once
  SharedBytes bytes = {};
};

/// One run of a kernel.
struct WorkerDispatch {
  std::vector<WorkerOperand> operands = {};
  JsonObject parameters = {};                      ///< as the caller gave them
  std::optional<WorkgroupCounts> workgroups = {};  ///< as the caller gave them
  std::vector<Shape> outputs = {};                 ///< what the kernel's interface makes of the operands
};

/// What an owner's process has moved and run.
struct WorkerCounts {
  std::uint64_t dispatches = 0;
  std::uint64_t copied_in = 0;   ///< tensors
  std::uint64_t copied_out = 0;  ///< tensors
};

/// The shader source that one owner registered, in a process of its own. On the executor of the owner's calls;
/// destroyed on any thread.
class WorkerKernels {
 public:
  /// Starts the process and waits until its device is open.
  static Task<std::shared_ptr<WorkerKernels>> start(KernelWorkers& workers,
                                                    std::shared_ptr<const call::Operation> submit);
  ~WorkerKernels();
  WorkerKernels(const WorkerKernels&) = delete;
  WorkerKernels& operator=(const WorkerKernels&) = delete;

  /// Ends the process. Any thread.
  void end() { worker_->end("was ended"); }

  /// `device_lost` when it ended. Any thread.
  std::optional<Error> lost() const { return worker_->lost(); }

  const WorkerCounts& counts() const { return counts_; }

  /// Compiles a kernel, given as checked JSON, there. Throws what compute/register_kernel throws.
  static Task<void> add(std::shared_ptr<WorkerKernels> self, std::string name, Json kernel);

  /// From now on the name is free there.
  void remove(const std::string& name);

  /// Runs it; results, one for each output, stay there. Throws what compute/dispatch_kernel throws.
  static Task<std::vector<std::shared_ptr<WorkerTensor>>> dispatch(std::shared_ptr<WorkerKernels> self,
                                                                   std::shared_ptr<const SourceKernel> kernel,
                                                                   WorkerDispatch call);

 private:
  friend class WorkerTensor;
  class Handle;
  WorkerKernels(std::shared_ptr<KernelWorker> worker, std::shared_ptr<const call::Operation> submit)
      : worker_(std::move(worker)), submit_(std::move(submit)) {}

  /// Entries of `compute/submit`.
  struct Submission {
    JsonArray calls = {};
    std::vector<SharedBytes> bytes = {};  ///< what {"$bytes": i} in their inputs stands for
    WorkerDeadline deadline = WorkerDeadline::kDispatch;
    std::string what = {};
    std::uint64_t answer_bytes = 0;  ///< that the answer may have
  };

  /// Runs them there; the answer's `results` are one {"output"} for each. Throws the first error. A process that
  /// answers anything else is no longer the one that was started, and is ended.
  static Task<Message> submit(std::shared_ptr<WorkerKernels> self, Submission submission);

  /// What an entry's error says. One that says that the device is lost ends the process.
  Error failure_of(const Json& error) const;

  /// Ends the process for what it answered; the error that says so.
  Error end_because(std::string_view why) const;

  /// Disposes of a handle there. Any thread.
  void forget(std::string_view id) const;
  std::string next_id();

  const std::shared_ptr<KernelWorker> worker_;
  const std::shared_ptr<const call::Operation> submit_;
  std::map<std::string, std::string, std::less<>> handles_;  // of kernels, by name
  std::uint64_t last_id_ = 0;
  WorkerCounts counts_;
};

}  // namespace alknet::compute
