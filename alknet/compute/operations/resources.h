#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/base/task.h"
#include "alknet/call/resources.h"
#include "alknet/compute/operations/service.h"
#include "alknet/compute/operations/worker_kernels.h"
#include "alknet/compute/plan.h"
#include "alknet/compute/session.h"
#include "alknet/compute/store.h"
#include "alknet/compute/tensor.h"

namespace alknet::compute {

/// Something of the compute thread that an owner holds by handle. Facts that do not change may be read on any thread;
/// `held` only on the compute thread, where it is also destroyed.
template <typename Held>
class ComputeResource : public call::Resource {
 public:
  ComputeResource(ComputeService& service, Held held, std::uint64_t bytes)
      : service_(service), held_(std::make_unique<Held>(std::move(held))), bytes_(bytes) {}
  ~ComputeResource() override { service_.release(std::move(held_)); }
  ComputeResource(const ComputeResource&) = delete;
  ComputeResource& operator=(const ComputeResource&) = delete;

  Held& held() { return *held_; }
  std::uint64_t bytes() const override { return bytes_.load(std::memory_order_relaxed); }
  void set_bytes(std::uint64_t bytes) { bytes_.store(bytes, std::memory_order_relaxed); }

 private:
  ComputeService& service_;
  std::unique_ptr<Held> held_;
  std::atomic<std::uint64_t> bytes_;
};

/// A tensor. Counts its elements, also of a view that shares memory: so nobody holds a view over more elements than his
/// quota has bytes, however small the memory beneath.
///
/// The result of a kernel in a worker process lives there (`in_worker`) until another operation needs it: what
/// operations get of `guarded` (spec.h) has been moved here, unless they take it anywhere.
class TensorResource final : public ComputeResource<Tensor> {
 public:
  /// On the compute thread.
  TensorResource(ComputeService& service, const Tensor& tensor);

  /// One in a worker process: nothing is held here.
  TensorResource(ComputeService& service, Dtype dtype, const Shape& shape, std::shared_ptr<const WorkerTensor> tensor);

  std::string_view kind() const override { return "tensor"; }
  Dtype dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }

  /// Where it lives in a worker process; null when it is here. On the dispatcher's executor.
  const std::shared_ptr<const WorkerTensor>& in_worker() const { return in_worker_; }

  /// Moves it here, if it is not. Throws `device_lost` when its process has ended. On the dispatcher's executor.
  static Task<void> bring(ComputeService& service, std::shared_ptr<OwnerState> owner,
                          std::shared_ptr<TensorResource> tensor);

 private:
  Dtype dtype_;
  Shape shape_;
  std::shared_ptr<const WorkerTensor> in_worker_;
};

/// A compiled graph, with a session for runs that need no store. Counts its constants and that session's arena.
struct HeldPlan {
  Context context;  ///< Keeps operations alive that the owner registered.
  std::shared_ptr<const Plan> plan;
  std::optional<Session> session = {};
};
class PlanResource final : public ComputeResource<HeldPlan> {
 public:
  using ComputeResource::ComputeResource;
  std::string_view kind() const override { return "plan"; }
};

/// Named tensors that executions share. Counts the states that were made for it.
class StoreResource final : public ComputeResource<Store> {
 public:
  using ComputeResource::ComputeResource;
  std::string_view kind() const override { return "store"; }
};

/// A plan on a store. Counts its arena and its own states.
struct HeldExecution {
  Context context;
  Session session;
};
class ExecutionResource final : public ComputeResource<HeldExecution> {
 public:
  using ComputeResource::ComputeResource;
  std::string_view kind() const override { return "execution"; }
};

/// A kernel of the owner's, by its name.
class KernelResource final : public call::Resource {
 public:
  enum class Form {
    kExpression,  ///< an operation of the owner's context
    kSource,      ///< shader source in this process
    kInWorker,    ///< shader source in a worker process
  };
  KernelResource(std::string name, Form form) : name_(std::move(name)), form_(form) {}
  KernelResource(std::shared_ptr<const SourceKernel> kernel, std::shared_ptr<WorkerKernels> worker)
      : name_(kernel->name), form_(Form::kInWorker), kernel_(std::move(kernel)), worker_(std::move(worker)) {}

  std::uint64_t bytes() const override { return 0; }
  std::string_view kind() const override { return "kernel"; }
  const std::string& name() const { return name_; }
  Form form() const { return form_; }

  /// Of one in a worker process.
  const std::shared_ptr<const SourceKernel>& kernel() const { return kernel_; }
  const std::shared_ptr<WorkerKernels>& worker() const { return worker_; }

 private:
  std::string name_;
  Form form_;
  std::shared_ptr<const SourceKernel> kernel_;
  std::shared_ptr<WorkerKernels> worker_;
};

/// What stands for a result that was not made: whoever reads it gets the error.
class FailedResource final : public call::Resource {
 public:
  explicit FailedResource(Error error) : error_(std::move(error)) {}
  std::uint64_t bytes() const override { return 0; }
  std::string_view kind() const override { return "failed result"; }
  const Error& error() const { return error_; }

 private:
  Error error_;
};

}  // namespace alknet::compute
