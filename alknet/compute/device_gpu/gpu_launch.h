#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alknet/compute/device_gpu/gpu_context.h"
#include "alknet/compute/device_gpu/gpu_memory.h"
#include "alknet/compute/device_gpu/parameter_block.h"

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
    std::uint64_t offset = 0;                       ///< Bytes, aligned for the device.
    std::uint64_t size = 0;                         ///< Bytes, a multiple of 4.
    std::shared_ptr<const GpuMemory> scratch = {};  ///< Instead of a slot: memory of the kernel's own.
    bool clear = false;                             ///< Filled with zeros before the dispatch.
  };

  /// A dispatch that follows: of a kernel of several, or of tensors larger than a binding.
  void add_part(std::unique_ptr<GpuLaunch> part) { parts_.push_back(std::move(part)); }

  GpuLaunch(std::shared_ptr<GpuContext> context, std::string name, gpu::Pipeline pipeline, ParameterPlace parameters,
            std::vector<Range> ranges, gpu::Workgroups workgroups, bool checks_indices);

  /// Adds the dispatch to `encoder`; nothing when an output has no elements.
  void record(gpu::Encoder& encoder, Slots slots);

  const GpuContext* context() const { return context_.get(); }
  const std::string& name() const { return name_; }
  bool checks_indices() const;

 private:
  struct Group {
    std::vector<std::uint64_t> serials;  // of the memories, parallel to ranges_
    std::uint64_t used = 0;
    gpu::BindGroup bind_group;
  };
  const gpu::BindGroup& bind_group(Slots slots);
  const GpuMemory& memory_of(const Range& range, Slots slots) const;

  std::shared_ptr<GpuContext> context_;
  std::string name_;
  gpu::Pipeline pipeline_;
  ParameterPlace parameters_;
  std::vector<Range> ranges_;
  gpu::Workgroups workgroups_;
  bool checks_indices_;
  std::vector<Group> groups_;
  std::uint64_t clock_ = 0;
  std::vector<std::unique_ptr<GpuLaunch>> parts_;  // run after this one
};

/// Elements that a layout touches, from its own offset: [first, last]. Empty layouts touch none.
struct Extent {
  std::int64_t first = 0, last = -1;
};
Extent extent(const Strided& layout);

/// Binds an operand to a buffer of `spec` and sets its offset in `block`. Throws Error `shape_mismatch` for another
/// dtype, or for an output that is neither contiguous nor one of a `strided` computation; `invalid_argument` for one
/// that starts inside a word; `limit_exceeded` for more than the device binds.
GpuLaunch::Range place_operand(const GpuContext& context, const KernelSpec& spec, const KernelSpec::Buffer& buffer,
                               const Operand& operand, bool output, bool strided, ParameterBlock& block);

/// A launch of a kernel whose parameters and buffers are set: as many workgroups as they ask for, none when `count` is
/// 0. Throws Error `limit_exceeded`.
std::unique_ptr<GpuLaunch> make_launch(const std::shared_ptr<GpuContext>& context, const KernelSpec& spec,
                                       const gpu::Pipeline& pipeline, const ParameterBlock& block,
                                       std::vector<GpuLaunch::Range> ranges);

/// Throws Error `limit_exceeded`: `what` of the kernel `name` needs `value`, the device's `limit` is `maximum`.
[[noreturn]] void exceed_limit(const std::string& name, std::string_view what, std::string_view limit,
                               std::uint64_t value, std::uint64_t maximum);

}  // namespace alknet::compute
