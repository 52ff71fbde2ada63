#include <algorithm>
#include <array>

#include "alknet/compute/device_cpu/block_kernels.h"
#include "alknet/compute/device_cpu/operation_kernel.h"

namespace alknet::compute {
namespace {

constexpr std::int64_t kMostValues = 256;  // of a block

class DequantizeLaunch final : public CpuLaunch {
 public:
  DequantizeLaunch(const OperationContext& context, const Binding& binding)
      : resources_(context.resources),
        blocks_(binding.inputs[0].value()),
        sink_(context.epilogue, 1, binding),
        kernels_(block_kernels(blocks_.dtype)),
        values_(graph::block_values(blocks_.dtype)),
        count_(graph::element_count(blocks_.layout.shape) / values_) {
    resources_->scratch.reserve(sink_.scratch_bytes());
  }

  void run(Slots slots) const override {
    const std::size_t grain = grain_of(to_size(values_));
    resources_->pool.parallel_for(to_size(count_), grain, [&](std::size_t begin, std::size_t end) {
      const auto scratch = resources_->scratch.lease(sink_.scratch_bytes());
      for (std::size_t block = begin; block < end; ++block) run_block(slots, to_signed(block), scratch.data());
    });
  }

 private:
  void run_block(Slots slots, std::int64_t block, std::byte* scratch) const {
    const std::byte* from = address(slots, blocks_.slot, block, graph::dtype_bytes(blocks_.dtype));
    const std::int64_t first = block * values_;
    std::array<float, kMostValues> values;
    std::array<double, kMostValues> wide;
    kernels_.dequantize(from, 1, values.data());
    const void* result = values.data();
    if (sink_.compute_dtype() == Dtype::kF64) {
      std::copy_n(values.begin(), values_, wide.begin());
      result = wide.data();
    }
    sink_.store(slots, first, first + values_, result, scratch);
  }

  std::shared_ptr<CpuResources> resources_;
  Operand blocks_;
  ResultSink sink_;
  const BlockKernels& kernels_;
  std::int64_t values_, count_;
};

}  // namespace

std::unique_ptr<Launch> bind_dequantize(const OperationContext& context, const Binding& binding) {
  return std::make_unique<DequantizeLaunch>(context, binding);
}

}  // namespace alknet::compute
