#include <fmt/format.h>

#include <algorithm>

#include "alknet/base/bytes.h"
#include "alknet/base/error.h"
#include "alknet/base/json.h"
#include "alknet/compute/device_cpu/operation_kernel.h"
#include "alknet/compute/error.h"

namespace alknet::compute {
namespace {

class EmbeddingLaunch final : public CpuLaunch {
 public:
  EmbeddingLaunch(const OperationContext& context, const Binding& binding)
      : resources_(context.resources),
        op_(context.op->name),
        weight_(binding.inputs[0].value()),
        indices_(binding.inputs[1].value()),
        output_(binding.outputs.front()),
        sink_(context.epilogue, 2, binding),
        index_walk_(make_walk(indices_.layout.shape, std::span(&indices_.layout, 1))),
        rows_(weight_.layout.shape[0]),
        width_(weight_.layout.shape[1]),
        plain_copy_(!context.epilogue.program() && weight_.dtype == output_.dtype),
        convert_(plain_copy_ ? copy_function(weight_.dtype) : load_function(weight_.dtype)) {
    ScratchLayout layout;
    row_at_ = layout.add(to_size(width_) * sink_.element_bytes());
    sink_at_ = layout.add(sink_.scratch_bytes());
    scratch_bytes_ = layout.total();
    resources_->scratch.reserve(scratch_bytes_);
  }

  void run(Slots slots) const override {
    const std::size_t grain = grain_of(to_size(width_));
    resources_->pool.parallel_for(to_size(index_walk_.count()), grain, [&](std::size_t begin, std::size_t end) {
      const auto scratch = resources_->scratch.lease(scratch_bytes_);
      for (std::int64_t i = to_signed(begin); i < to_signed(end); ++i) copy_row(slots, i, scratch.data());
    });
  }

 private:
  std::int64_t index_at(Slots slots, std::int64_t i) const {
    const std::byte* at = address(slots, indices_.slot, indices_.layout.offset + index_walk_.offset(0, i),
                                  graph::dtype_bytes(indices_.dtype));
    const std::int64_t index =
        indices_.dtype == Dtype::kI32 ? std::int64_t{load_le<std::int32_t>(at)} : load_le<std::int64_t>(at);
    if (index < 0 || index >= rows_) {
      throw Error(ComputeError::kIndexOutOfRange,
                  fmt::format("[{}] index {} at position {} is outside 0..{}: check the indices against the rows of "
                              "the weight",
                              op_, index, i, rows_ - 1),
                  JsonObject{{"op", op_}, {"index", index}, {"position", i}, {"rows", rows_}});
    }
    return index;
  }

  void copy_row(Slots slots, std::int64_t i, std::byte* scratch) const {
    const std::int64_t row = weight_.layout.offset + index_at(slots, i) * weight_.layout.strides[0];
    const std::byte* from = address(slots, weight_.slot, row, graph::dtype_bytes(weight_.dtype));
    const std::int64_t stride = weight_.layout.strides[1];
    const std::int64_t first = i * width_;
    if (plain_copy_) {
      convert_(from, stride, address(slots, output_) + to_size(first) * graph::dtype_bytes(output_.dtype),
               to_size(width_));
      return;
    }
    std::byte* result = sink_.place(slots, first);
    if (!result) result = scratch + row_at_;
    convert_(from, stride, result, to_size(width_));
    sink_.store(slots, first, first + width_, result, scratch + sink_at_);
  }

  std::shared_ptr<CpuResources> resources_;
  std::string op_;
  Operand weight_, indices_, output_;
  ResultSink sink_;
  Walk index_walk_;
  std::int64_t rows_, width_;
  bool plain_copy_;
  ConvertFunction convert_;
  std::size_t row_at_, sink_at_, scratch_bytes_;
};

}  // namespace

std::unique_ptr<Launch> bind_embedding(const OperationContext& context, const Binding& binding) {
  return std::make_unique<EmbeddingLaunch>(context, binding);
}

}  // namespace alknet::compute
