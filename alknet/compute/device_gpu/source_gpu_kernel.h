#pragma once

#include <memory>

#include "alknet/compute/device_gpu/gpu_context.h"
#include "alknet/compute/device_gpu/gpu_launch.h"
#include "alknet/compute/kernels/source_kernel.h"

namespace alknet::compute {

/// A user's kernel compiled for the device. Immutable and thread-safe.
class SourceGpuKernel final : public Kernel {
 public:
  /// Throws what Backend::source_kernel throws.
  SourceGpuKernel(std::shared_ptr<GpuContext> context, const SourceKernel& kernel, bool trusted);

  /// The binding's attributes are those of SourceCall::attributes.
  std::unique_ptr<Launch> bind(const Binding& binding) const override;

 private:
  GpuLaunch::Range place(const KernelSpec::Buffer& buffer, const Operand& operand) const;
  gpu::Workgroups workgroups(const JsonArray& counts) const;

  std::shared_ptr<GpuContext> context_;
  KernelSpec spec_;
  bool folds_;
  bool reads_workgroup_count_;
  gpu::Pipeline pipeline_;
};

}  // namespace alknet::compute
