#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "alknet/base/error.h"
#include "alknet/call/resources.h"
#include "alknet/compute/operations/service.h"
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
class TensorResource final : public ComputeResource<Tensor> {
 public:
  /// On the compute thread.
  TensorResource(ComputeService& service, const Tensor& tensor);

  std::string_view kind() const override { return "tensor"; }
  Dtype dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }

 private:
  Dtype dtype_;
  Shape shape_;
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
  KernelResource(std::string name, bool source) : name_(std::move(name)), source_(source) {}
  std::uint64_t bytes() const override { return 0; }
  std::string_view kind() const override { return "kernel"; }
  const std::string& name() const { return name_; }
  /// In shader source, not an expression.
  bool source() const { return source_; }

 private:
  std::string name_;
  bool source_;
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
