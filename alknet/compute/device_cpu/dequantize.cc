#include <algorithm>
#include <array>
#include <optional>

#include "alknet/compute/device_cpu/block_kernels.h"
#include "alknet/compute/device_cpu/index_reader.h"
#include "alknet/compute/device_cpu/operation_kernel.h"

namespace alknet::compute {
namespace {

constexpr std::int64_t kMostValues = 256;  // of a block

/// Blocks decoded one by one: all in order, or those of the rows that indices name.
class DequantizeLaunch final : public CpuLaunch {
 public:
  DequantizeLaunch(const OperationContext& context, const Binding& binding, bool indexed)
      : resources_(context.resources),
        blocks_(binding.inputs[0].value()),
        sink_(context.epilogue, context.op->inputs.size(), binding),
        kernels_(block_kernels(blocks_.dtype)),
        values_(graph::block_values(blocks_.dtype)),
        row_blocks_(blocks_.layout.shape.back() / values_),
        count_(graph::element_count(binding.outputs.front().layout.shape) / values_) {
    if (indexed) {
      const Operand& indices = binding.inputs[1].value();
      rows_.emplace(Rows{{indices, blocks_.layout.shape.front(), context.op->name},
                         make_walk(indices.layout.shape, std::span(&indices.layout, 1))});
    }
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
  struct Rows {
    IndexReader reader;
    Walk walk;
  };

  /// Which block of the weight becomes `block` of the result.
  std::int64_t source(Slots slots, std::int64_t block) const {
    if (!rows_) return block;
    const std::int64_t row = rows_->reader.at(rows_->reader.begin(slots), rows_->walk.offset(0, block / row_blocks_));
    return row * row_blocks_ + block % row_blocks_;
  }

  void run_block(Slots slots, std::int64_t block, std::byte* scratch) const {
    const std::byte* from = address(slots, blocks_.slot, source(slots, block), graph::dtype_bytes(blocks_.dtype));
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
  std::int64_t values_, row_blocks_, count_;
  std::optional<Rows> rows_;
};

}  // namespace

std::unique_ptr<Launch> bind_dequantize(const OperationContext& context, const Binding& binding) {
  return std::make_unique<DequantizeLaunch>(context, binding, false);
}

std::unique_ptr<Launch> bind_quantized_embedding(const OperationContext& context, const Binding& binding) {
  return std::make_unique<DequantizeLaunch>(context, binding, true);
}

}  // namespace alknet::compute
