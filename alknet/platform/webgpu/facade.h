#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "alknet/gpu/native_device.h"
#include "alknet/platform/webgpu/waiter.h"

namespace alknet::platform::webgpu {

class Binding;
class GpuObject;

/// An error as script sees it: which GPUErrorFilter catches it, and its text.
struct GpuFailure {
  WGPUErrorFilter filter{};
  std::string message;
};

/// What one requestDevice gave a script: a view of a device that others share. Its error scopes catch what its own
/// calls cause, destroying it ends what was made through it and nothing else. On the isolate's thread only.
class Facade {
 public:
  explicit Facade(gpu::NativeDevice native) : native_(std::move(native)) {}
  Facade(const Facade&) = delete;
  Facade& operator=(const Facade&) = delete;

  const gpu::NativeDevice& native() const { return native_; }

  /// The function of webgpu.h with this name, or null. `symbol` is a literal: equal pointers are looked up once.
  void* function(const char* symbol);
  template <typename F>
  F typed_function(const char* symbol) {
    return reinterpret_cast<F>(function(symbol));
  }

  /// Makes provider calls; what they report goes to the error scopes.
  void run(FunctionRef<void()> calls);

  /// Hands an error to the innermost scope that catches its kind, or to `uncaptured`. None after the end.
  void report(GpuFailure failure);

  void push_scope(WGPUErrorFilter filter) { scopes_.push_back({filter, std::nullopt}); }

  /// Ends the innermost scope. `had_scope` tells whether there was one.
  std::optional<GpuFailure> pop_scope(bool& had_scope);

  /// Told of errors that no scope catches.
  std::function<void(const GpuFailure&)> uncaptured;

  /// Sees to it that the loss of the device below is heard of.
  gpu::LostSubscription loss;

  /// Of the realm that it was made in; gone with the isolate.
  std::weak_ptr<Binding> binding;

  /// The GPUDevice; null when it is gone.
  GpuObject* device = nullptr;

  /// Whether it was destroyed or lost: calls then do nothing and report nothing.
  bool ended() const { return ended_; }
  void end() { ended_ = true; }

  /// Objects with memory of their own, which `destroy` ends.
  std::set<GpuObject*>& resources() { return resources_; }

  Waiter& waiter() { return waiter_; }

 private:
  struct Scope {
    WGPUErrorFilter filter;
    std::optional<GpuFailure> first;
  };

  gpu::NativeDevice native_;
  std::vector<std::pair<const char*, void*>> functions_;
  std::vector<Scope> scopes_;
  std::set<GpuObject*> resources_;
  bool ended_ = false;
  Waiter waiter_;
};

}  // namespace alknet::platform::webgpu
