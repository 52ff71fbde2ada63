#include <algorithm>
#include <cmath>

#include "alknet/compute/device_cpu/operation_kernel.h"
#include "alknet/compute/device_cpu/row_kernels.h"

namespace alknet::compute {
namespace {

/// Elements of a block of columns when the dimension is not the last.
constexpr std::int64_t kBlockElements = 16384;
constexpr std::int64_t kMaxColumns = 64;

/// The input as [outer][length][inner], the softmax running over `length`. A block is some columns of one outer index:
/// transposed to rows, computed, and transposed back. With inner = 1 it is a row. With `logarithm` its logarithm.
template <typename T>
class SoftmaxLaunch final : public CpuLaunch {
 public:
  SoftmaxLaunch(const OperationContext& context, const Binding& binding, bool logarithm)
      : resources_(context.resources),
        logarithm_(logarithm),
        input_(binding.inputs.front().value()),
        sink_(context.epilogue, 1, binding),
        load_(load_function(input_.dtype)),
        storage_bytes_(graph::dtype_bytes(input_.dtype)),
        in_place_readable_(register_dtype(input_.dtype) == input_.dtype) {
    const auto& [shape, strides, offset] = input_.layout;
    const auto rank = to_signed(shape.size());
    std::int64_t dim = binding.attrs.at("dim").to_number<std::int64_t>();
    if (dim < 0) dim += rank;
    Strided outer, inner;
    for (std::int64_t d = 0; d < rank; ++d) {
      Strided& part = d < dim ? outer : inner;
      if (d == dim) continue;
      part.shape.push_back(shape[to_size(d)]);
      part.strides.push_back(strides[to_size(d)]);
    }
    length_ = rank == 0 ? 1 : shape[to_size(dim)];
    stride_ = rank == 0 ? 0 : strides[to_size(dim)];
    outer_ = make_walk(outer.shape, std::span(&outer, 1));
    inner_ = make_walk(inner.shape, std::span(&inner, 1));
    columns_ = std::clamp<std::int64_t>(kBlockElements / std::max<std::int64_t>(length_, 1), 1, kMaxColumns);
    columns_ = std::min(columns_, std::max<std::int64_t>(inner_.count(), 1));
    blocks_ = (inner_.count() + columns_ - 1) / columns_;
    ScratchLayout layout;
    rows_at_ = layout.add(to_size(length_ * columns_) * sizeof(T));
    line_at_ = layout.add(to_size(columns_) * sizeof(T));
    powers_at_ = layout.add(logarithm_ ? to_size(length_) * sizeof(T) : 0);
    sink_at_ = layout.add(sink_.scratch_bytes());
    scratch_bytes_ = layout.total();
    resources_->scratch.reserve(scratch_bytes_);
  }

  void run(Slots slots) const override {
    if (length_ == 0) return;
    const std::size_t grain = grain_of(to_size(length_ * columns_) * 4);
    resources_->pool.parallel_for(to_size(outer_.count() * blocks_), grain, [&](std::size_t begin, std::size_t end) {
      const auto scratch = resources_->scratch.lease(scratch_bytes_);
      for (std::size_t block = begin; block < end; ++block) {
        const std::int64_t outer = to_signed(block) / blocks_;
        const std::int64_t column = to_signed(block) % blocks_ * columns_;
        if (inner_.count() == 1)
          run_row(slots, outer, scratch.data());
        else
          run_columns(slots, outer, column, std::min(columns_, inner_.count() - column), scratch.data());
      }
    });
  }

 private:
  const std::byte* element(Slots slots, std::int64_t offset) const {
    return address(slots, input_.slot, input_.layout.offset + offset, storage_bytes_);
  }

  /// result = softmax of a row; they may be the same.
  void softmax(const T* row, T* result, std::byte* scratch) const {
    const RowKernels<T>& kernels = row_kernels<T>();
    if (logarithm_) {
      const T largest = kernels.maximum(row, to_size(length_));
      const T total = kernels.exp_sum(row, to_size(length_), largest, reinterpret_cast<T*>(scratch + powers_at_));
      return kernels.subtract(row, to_size(length_), largest, std::log(total), result);
    }
    const T sum = kernels.exp_sum(row, to_size(length_), kernels.maximum(row, to_size(length_)), result);
    kernels.scale(result, to_size(length_), T{1} / sum);
  }

  void run_row(Slots slots, std::int64_t outer, std::byte* scratch) const {
    const std::byte* from = element(slots, outer_.offset(0, outer));
    const std::int64_t first = outer * length_;
    auto* result = reinterpret_cast<T*>(sink_.place(slots, first));
    if (!result) result = reinterpret_cast<T*>(scratch + rows_at_);
    if (stride_ == 1 && in_place_readable_) {
      softmax(reinterpret_cast<const T*>(from), result, scratch);
    } else {
      load_(from, stride_, result, to_size(length_));
      softmax(result, result, scratch);
    }
    sink_.store(slots, first, first + length_, result, scratch + sink_at_);
  }

  void run_columns(Slots slots, std::int64_t outer, std::int64_t column, std::int64_t columns,
                   std::byte* scratch) const {
    T* rows = reinterpret_cast<T*>(scratch + rows_at_);
    T* line = reinterpret_cast<T*>(scratch + line_at_);
    const std::int64_t origin = outer_.offset(0, outer);
    for (std::int64_t i = 0; i < length_; ++i) {
      T* to = line;
      for_each_run(inner_, 0, column, column + columns, [&](std::int64_t offset, std::int64_t count) {
        load_(element(slots, origin + i * stride_ + offset), inner_.inner_stride(0), to, to_size(count));
        to += count;
      });
      for (std::int64_t c = 0; c < columns; ++c) rows[c * length_ + i] = line[c];
    }
    for (std::int64_t c = 0; c < columns; ++c) softmax(rows + c * length_, rows + c * length_, scratch);
    for (std::int64_t i = 0; i < length_; ++i) {
      for (std::int64_t c = 0; c < columns; ++c) line[c] = rows[c * length_ + i];
      const std::int64_t first = (outer * length_ + i) * inner_.count() + column;
      sink_.store(slots, first, first + columns, line, scratch + sink_at_);
    }
  }

  std::shared_ptr<CpuResources> resources_;
  bool logarithm_;
  Operand input_;
  ResultSink sink_;
  ConvertFunction load_;
  std::size_t storage_bytes_;
  bool in_place_readable_;
  std::int64_t length_, stride_;
  Walk outer_, inner_;
  std::int64_t columns_, blocks_;
  std::size_t rows_at_, line_at_, powers_at_, sink_at_, scratch_bytes_;
};

std::unique_ptr<Launch> bind_rows(const OperationContext& context, const Binding& binding, bool logarithm) {
  if (context.epilogue.compute_dtype() == Dtype::kF64) {
    return std::make_unique<SoftmaxLaunch<double>>(context, binding, logarithm);
  }
  return std::make_unique<SoftmaxLaunch<float>>(context, binding, logarithm);
}

}  // namespace

std::unique_ptr<Launch> bind_softmax(const OperationContext& context, const Binding& binding) {
  return bind_rows(context, binding, false);
}

std::unique_ptr<Launch> bind_log_softmax(const OperationContext& context, const Binding& binding) {
  return bind_rows(context, binding, true);
}

}  // namespace alknet::compute
