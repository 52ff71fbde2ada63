#include <algorithm>
#include <cmath>

#include "alknet/compute/device_cpu/operation_kernel.h"
#include "alknet/compute/device_cpu/row_kernels.h"

namespace alknet::compute {
namespace {

/// An operand that is read row by row, contiguous and in the compute dtype: where it lies, or gathered.
class RowReader {
 public:
  RowReader(const Operand& operand, std::size_t row_dimensions)
      : operand_(operand), load_(load_function(operand.dtype)), storage_bytes_(graph::dtype_bytes(operand.dtype)) {
    const auto& [shape, strides, offset] = operand.layout;
    const auto split = to_signed(shape.size() - row_dimensions);
    Strided parts[2];
    parts[0].shape.assign(shape.begin(), shape.begin() + split);
    parts[0].strides.assign(strides.begin(), strides.begin() + split);
    parts[1].shape.assign(shape.begin() + split, shape.end());
    parts[1].strides.assign(strides.begin() + split, strides.end());
    rows_ = make_walk(parts[0].shape, std::span(&parts[0], 1));
    row_ = make_walk(parts[1].shape, std::span(&parts[1], 1));
    in_place_ = register_dtype(operand.dtype) == operand.dtype &&
                (row_.sizes.empty() || (row_.sizes.size() == 1 && row_.inner_stride(0) == 1));
  }

  std::int64_t rows() const { return rows_.count(); }
  std::int64_t length() const { return row_.count(); }

  /// The row, in `buffer` unless it can be read in place.
  template <typename T>
  const T* read(Slots slots, std::int64_t row, T* buffer) const {
    const std::int64_t origin = operand_.layout.offset + rows_.offset(0, row);
    if (in_place_) return reinterpret_cast<const T*>(address(slots, operand_.slot, origin, storage_bytes_));
    T* to = buffer;
    for_each_run(row_, 0, 0, length(), [&](std::int64_t offset, std::int64_t count) {
      load_(address(slots, operand_.slot, origin + offset, storage_bytes_), row_.inner_stride(0), to, to_size(count));
      to += count;
    });
    return buffer;
  }

 private:
  Operand operand_;
  ConvertFunction load_;
  std::size_t storage_bytes_;
  Walk rows_, row_;
  bool in_place_;
};

/// Layer norm, or without `centred` the RMS norm, which subtracts no mean and has no bias.
template <typename T>
class LayerNormLaunch final : public CpuLaunch {
 public:
  LayerNormLaunch(const OperationContext& context, const Binding& binding, bool centred)
      : resources_(context.resources),
        centred_(centred),
        eps_(epsilon(binding)),
        input_(binding.inputs[0].value(), binding.attrs.at("normalized_shape").as_array().size()),
        sink_(context.epilogue, context.op->inputs.size(), binding) {
    if (binding.inputs[1]) weight_.emplace(*binding.inputs[1], binding.inputs[1]->layout.shape.size());
    if (centred && binding.inputs[2]) bias_.emplace(*binding.inputs[2], binding.inputs[2]->layout.shape.size());
    const std::size_t row_bytes = to_size(input_.length()) * sizeof(T);
    ScratchLayout layout;
    row_at_ = layout.add(row_bytes);
    weight_at_ = layout.add(row_bytes);
    bias_at_ = layout.add(row_bytes);
    result_at_ = layout.add(row_bytes);
    sink_at_ = layout.add(sink_.scratch_bytes());
    scratch_bytes_ = layout.total();
    resources_->scratch.reserve(scratch_bytes_);
  }

  void run(Slots slots) const override {
    const std::int64_t length = input_.length();
    if (length == 0) return;
    const std::size_t grain = grain_of(to_size(length));
    resources_->pool.parallel_for(to_size(input_.rows()), grain, [&](std::size_t begin, std::size_t end) {
      const auto scratch = resources_->scratch.lease(scratch_bytes_);
      const auto buffer = [&](std::size_t at) { return reinterpret_cast<T*>(scratch.data() + at); };
      const T* weight = weight_ ? weight_->read(slots, 0, buffer(weight_at_)) : nullptr;
      const T* bias = bias_ ? bias_->read(slots, 0, buffer(bias_at_)) : nullptr;
      for (std::int64_t row = to_signed(begin); row < to_signed(end); ++row) {
        const T* from = input_.read(slots, row, buffer(row_at_));
        auto* result = reinterpret_cast<T*>(sink_.place(slots, row * length));
        if (!result) result = buffer(result_at_);
        const T mean = centred_ ? row_kernels<T>().mean(from, to_size(length)) : T{0};
        const T variance = row_kernels<T>().mean_square(from, to_size(length), mean);
        const T factor = T{1} / std::sqrt(variance + static_cast<T>(eps_));
        row_kernels<T>().normalize(from, to_size(length), mean, factor, weight, bias, result);
        sink_.store(slots, row * length, (row + 1) * length, result, scratch.data() + sink_at_);
      }
    });
  }

 private:
  static double epsilon(const Binding& binding) {
    const Json& eps = binding.attrs.at("eps");
    return eps.is_null() ? graph::dtype_epsilon(binding.inputs[0]->dtype) : eps.to_number<double>();
  }

  std::shared_ptr<CpuResources> resources_;
  bool centred_;
  double eps_;
  RowReader input_;
  std::optional<RowReader> weight_, bias_;
  ResultSink sink_;
  std::size_t row_at_, weight_at_, bias_at_, result_at_, sink_at_, scratch_bytes_;
};

std::unique_ptr<Launch> bind_norm(const OperationContext& context, const Binding& binding, bool centred) {
  if (context.epilogue.compute_dtype() == Dtype::kF64) {
    return std::make_unique<LayerNormLaunch<double>>(context, binding, centred);
  }
  return std::make_unique<LayerNormLaunch<float>>(context, binding, centred);
}

}  // namespace

std::unique_ptr<Launch> bind_layer_norm(const OperationContext& context, const Binding& binding) {
  return bind_norm(context, binding, true);
}

std::unique_ptr<Launch> bind_rms_norm(const OperationContext& context, const Binding& binding) {
  return bind_norm(context, binding, false);
}

}  // namespace alknet::compute
