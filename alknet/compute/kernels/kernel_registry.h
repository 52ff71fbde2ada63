#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/base/json.h"
#include "alknet/compute/kernels/source_call.h"
#include "alknet/compute/kernels/source_kernel.h"
#include "alknet/compute/tensor.h"

namespace alknet::compute {

/// Kernels that users wrote in WGSL, GLSL or SPIR-V, run by name on tensors of one context.
///
/// A kernel runs where its tensors are. On a machine without a GPU, tensors of the device `cpu` go to the software
/// adapter for the call, and the results come back; nothing else migrates. Kernels have no gradient: an operation
/// that needs one is an expression (Context::register_operation). Used by one thread at a time, as its context.
class KernelRegistry {
 public:
  struct Options {
    /// The sources are this program's own. Needed on a device without bounds checks (see gpu::DeviceOptions::robust)
    /// and on a provider that ends the process where Dawn returns an error. A loop that does not end can be stopped
    /// nowhere, so sources of strangers belong into a process of their own.
    bool trusted = false;
  };

  explicit KernelRegistry(Context context) : KernelRegistry(std::move(context), Options()) {}
  KernelRegistry(Context context, Options options);

  /// Compiles the kernel for the context's device (for `cpu`: the first adapter) and keeps it. Throws Error
  /// `kernel_invalid` that lists what is wrong with the specification, or for a name that is taken; `shader_invalid`
  /// with the compiler's message and line, `feature_missing` for a language that the provider does not read,
  /// `untrusted_kernel`, `unknown_device` when there is no adapter.
  void add(SourceKernel kernel);
  /// The same from JSON.
  void add(const Json& kernel) { add(source_kernel_from_json(kernel)); }

  /// Forgets a kernel; false when there was none of that name.
  bool remove(std::string_view name);

  std::vector<std::string> names() const;  ///< Sorted.

  /// Throws Error `unknown_kernel`, naming near misses.
  const SourceKernel& at(std::string_view name) const;

  struct Call {
    JsonObject parameters = {};
    std::optional<WorkgroupCounts> workgroups = {};  ///< Instead of what the specification says.
  };

  /// Runs a kernel on `inputs` in the order of its inputs and returns its outputs in order. Inputs of any strides;
  /// elements that a kernel does not write are 0. Throws Error `unknown_kernel`, `dtype_mismatch`, what `resolve_call`
  /// throws, `context_mismatch` for tensors of several devices or contexts, or on `cpu` where there is a GPU,
  /// `not_differentiable` for one that needs a gradient, `limit_exceeded` beyond a limit of the device.
  std::vector<Tensor> dispatch(std::string_view name, std::span<const Tensor> inputs, const Call& call) const;
  std::vector<Tensor> dispatch(std::string_view name, std::span<const Tensor> inputs) const {
    return dispatch(name, inputs, Call());
  }

 private:
  struct Entry {
    SourceKernel kernel;
    /// By device: made when a call first needs it.
    mutable std::vector<std::pair<std::weak_ptr<Backend>, std::shared_ptr<const Kernel>>> compiled;
  };

  const Entry& find(std::string_view name) const;
  std::shared_ptr<const Kernel> compiled(const Entry& entry, const std::shared_ptr<Backend>& backend) const;
  /// Where sources run for tensors of that device: itself, or for `cpu` an adapter.
  std::shared_ptr<Backend> shader_device(const std::shared_ptr<Backend>& backend) const;
  std::shared_ptr<Backend> device_of(const Entry& entry, std::span<const Tensor> inputs) const;

  Context context_;
  Options options_;
  std::map<std::string, Entry, std::less<>> kernels_;
};

}  // namespace alknet::compute
