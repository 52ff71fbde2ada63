#include "alknet/compute/device_cpu/cpu_kernel.h"
#include "alknet/compute/device_cpu/tiny_elementwise.h"
#include "alknet/compute/device_cpu/vector_program.h"

namespace alknet::compute {
namespace {

/// One input copied to the output without conversion: each run goes straight to its place.
class CopyLaunch final : public CpuLaunch {
 public:
  CopyLaunch(std::shared_ptr<CpuResources> resources, const Operand& input, const Operand& output)
      : resources_(std::move(resources)),
        input_(input),
        output_(output),
        walk_(make_walk(output.layout.shape, std::span(&input.layout, 1))),
        copy_(copy_function(input.dtype)),
        bytes_(graph::dtype_bytes(input.dtype)) {}

  void run(Slots slots) const override {
    std::byte* const target = address(slots, output_);
    resources_->pool.parallel_for(to_size(walk_.count()), kGrain, [&](std::size_t begin, std::size_t end) {
      std::byte* to = target + begin * bytes_;
      for_each_run(walk_, 0, to_signed(begin), to_signed(end), [&](std::int64_t offset, std::int64_t length) {
        copy_(address(slots, input_.slot, input_.layout.offset + offset, bytes_), walk_.inner_stride(0), to,
              to_size(length));
        to += to_size(length) * bytes_;
      });
    });
  }

 private:
  std::shared_ptr<CpuResources> resources_;
  Operand input_, output_;
  Walk walk_;
  ConvertFunction copy_;
  std::size_t bytes_;
};

class ElementwiseLaunch final : public CpuLaunch {
 public:
  ElementwiseLaunch(std::shared_ptr<CpuResources> resources, std::shared_ptr<const VectorProgram> program,
                    std::span<const Operand> inputs, std::span<const Operand> outputs)
      : resources_(std::move(resources)), program_(std::move(program)), bound_(*program_, inputs, outputs, false) {
    resources_->scratch.reserve(program_->scratch_bytes());
  }

  void run(Slots slots) const override {
    const std::size_t count = to_size(bound_.count());
    const std::size_t tiles = (count + kTileElements - 1) / kTileElements;
    const std::size_t grain = grain_of(kTileElements * (1 + program_->steps().size() / 2));
    resources_->pool.parallel_for(tiles, grain, [&](std::size_t begin, std::size_t end) {
      const auto scratch = resources_->scratch.lease(program_->scratch_bytes());
      bound_.run(slots, to_signed(begin * kTileElements), to_signed(std::min(end * kTileElements, count)), nullptr,
                 scratch.data());
    });
  }

 private:
  std::shared_ptr<CpuResources> resources_;
  std::shared_ptr<const VectorProgram> program_;
  BoundProgram bound_;
};

class ElementwiseKernelOfCpu final : public Kernel {
 public:
  ElementwiseKernelOfCpu(std::shared_ptr<CpuResources> resources, const Computation& computation)
      : resources_(std::move(resources)), program_(std::make_shared<VectorProgram>(computation.program)) {}

  std::unique_ptr<Launch> bind(const Binding& binding) const override {
    std::vector<Operand> inputs;
    for (const auto& input : binding.inputs) inputs.push_back(input.value());
    const Operand& output = binding.outputs.front();
    if (is_copy() && inputs.front().dtype == output.dtype && graph::is_contiguous(output.layout)) {
      return std::make_unique<CopyLaunch>(resources_, inputs.front(), output);
    }
    if (auto tiny = bind_tiny_elementwise(program_, inputs, binding.outputs)) return tiny;
    return std::make_unique<ElementwiseLaunch>(resources_, program_, inputs, binding.outputs);
  }

 private:
  bool is_copy() const {
    return program_->input_count() == 1 && program_->outputs().size() == 1 && program_->outputs().front() == 0;
  }

  std::shared_ptr<CpuResources> resources_;
  std::shared_ptr<const VectorProgram> program_;
};

}  // namespace

std::shared_ptr<const Kernel> make_elementwise_kernel(std::shared_ptr<CpuResources> resources,
                                                      const Computation& computation) {
  return std::make_shared<ElementwiseKernelOfCpu>(std::move(resources), computation);
}

}  // namespace alknet::compute
