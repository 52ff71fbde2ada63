#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "alknet/compute/device_gpu/gpu_context.h"
#include "alknet/compute/device_gpu/gpu_memory.h"
#include "alknet/compute/device_gpu/matmul_choice.h"
#include "alknet/compute/device_gpu/parameter_block.h"
#include "alknet/compute/generate/opgen.h"

namespace alknet::compute {

/// A kernel bound to shapes, in as many dispatches as the device's bindings need. One dispatch: its parameter block on
/// the device, ranges and workgroup count.
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

  /// The slot of a launch's own memory.
  static constexpr std::uint32_t kScratch = UINT32_MAX;
  void set_scratch(std::shared_ptr<const GpuMemory> scratch) { scratch_ = std::move(scratch); }

  /// Part of a launch whose tensors are larger than a binding.
  void add_part(std::unique_ptr<GpuLaunch> part) { parts_.push_back(std::move(part)); }

  GpuLaunch(std::shared_ptr<GpuContext> context, std::string name, gpu::Pipeline pipeline, ParameterPlace parameters,
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
  const GpuMemory& memory(std::uint32_t slot, Slots slots) const;

  std::shared_ptr<GpuContext> context_;
  std::string name_;
  gpu::Pipeline pipeline_;
  ParameterPlace parameters_;
  std::vector<Range> ranges_;
  std::shared_ptr<const GpuMemory> scratch_;  // null: none
  gpu::Workgroups workgroups_;
  bool checks_indices_;
  std::vector<Group> groups_;
  std::uint64_t clock_ = 0;
  std::vector<std::unique_ptr<GpuLaunch>> parts_;  // run after this one
};

/// A computation compiled for the device, in the forms that the shapes bound so far asked for. Thread-safe.
class GpuKernel final : public Kernel {
 public:
  GpuKernel(std::shared_ptr<GpuContext> context, Computation computation);
  std::unique_ptr<Launch> bind(const Binding& binding) const override;

 private:
  std::unique_ptr<GpuLaunch> bind_whole(const Binding& binding) const;
  bool exceeds_binding(const Binding& binding) const;
  /// A form of the computation: its specification, compiled.
  struct Form {
    OpgenOptions options;
    GeneratedKernel generated;
    graph::Dim workgroup_count;
    std::uint32_t error_id = 0;
    gpu::Pipeline pipeline;  // null until it is bound
  };
  std::unique_ptr<Form> make_form(const OpgenOptions& options) const;
  OpgenOptions options_for(const Binding& binding) const;
  const Form& form_for(const Binding& binding) const;
  const Form& compiled(const OpgenOptions& options) const;
  std::unique_ptr<GpuLaunch> bind_form(const Form& form, const Binding& binding, const MatmulSlices& slices) const;
  std::unique_ptr<GpuLaunch> bind_slices(const Form& form, const Binding& binding) const;

  GpuLaunch::Range place(const KernelSpec& spec, const KernelSpec::Buffer& buffer, const Operand& operand, bool output,
                         ParameterBlock& block) const;
  gpu::Workgroups workgroups(const Form& form, const ParameterBlock& block) const;

  std::shared_ptr<GpuContext> context_;
  Computation computation_;
  mutable std::mutex mutex_;  // guards the list; a form never changes
  mutable std::vector<std::unique_ptr<Form>> forms_;
};

}  // namespace alknet::compute
