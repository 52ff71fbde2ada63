#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "alknet/compute/device_gpu/gpu_context.h"
#include "alknet/compute/device_gpu/gpu_memory.h"
#include "alknet/compute/device_gpu/parameter_block.h"
#include "alknet/compute/generate/opgen.h"

namespace alknet::compute {

/// A kernel bound to shapes: its parameter block on the device, ranges and workgroup count.
class GpuLaunch final : public Launch {
 public:
  /// Bind groups kept, one for each set of memories, the least recently used leaves.
  static constexpr std::size_t kBindGroups = 64;

  /// A buffer binding of the kernel, in binding order after the parameter block.
  struct Range {
    std::uint32_t slot = 0;
    std::uint64_t offset = 0;  ///< Bytes, aligned for the device.
    std::uint64_t size = 0;    ///< Bytes, a multiple of 4.
  };

  GpuLaunch(std::shared_ptr<GpuContext> context, std::string name, gpu::Pipeline pipeline, gpu::Buffer parameters,
            std::vector<Range> ranges, gpu::Workgroups workgroups, bool checks_indices);

  /// Adds the dispatch to `encoder`; nothing when an output has no elements.
  void record(gpu::Encoder& encoder, Slots slots);

  const GpuContext* context() const { return context_.get(); }
  bool checks_indices() const { return checks_indices_; }

 private:
  struct Group {
    std::vector<std::uint64_t> serials;  // of the memories, parallel to ranges_
    std::uint64_t used = 0;
    gpu::BindGroup bind_group;
  };
  const gpu::BindGroup& bind_group(Slots slots);

  std::shared_ptr<GpuContext> context_;
  std::string name_;
  gpu::Pipeline pipeline_;
  gpu::Buffer parameters_;
  std::vector<Range> ranges_;
  gpu::Workgroups workgroups_;
  bool checks_indices_;
  std::vector<Group> groups_;
  std::uint64_t clock_ = 0;
};

/// A computation compiled for the device. Immutable.
class GpuKernel final : public Kernel {
 public:
  GpuKernel(std::shared_ptr<GpuContext> context, Computation computation);
  std::unique_ptr<Launch> bind(const Binding& binding) const override;

 private:
  GpuLaunch::Range place(const KernelSpec::Buffer& buffer, const Operand& operand, bool output,
                         ParameterBlock& block) const;
  gpu::Workgroups workgroups(const ParameterBlock& block) const;

  std::shared_ptr<GpuContext> context_;
  Computation computation_;
  GeneratedKernel generated_;
  graph::Dim workgroup_count_;
  std::uint32_t error_id_ = 0;
  gpu::Pipeline pipeline_;
};

}  // namespace alknet::compute
