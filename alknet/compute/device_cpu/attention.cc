#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "alknet/compute/device_cpu/gemm.h"
#include "alknet/compute/device_cpu/operation_kernel.h"
#include "alknet/compute/device_cpu/row_kernels.h"

namespace alknet::compute {
namespace {

/// Queries that share one block of scores, and how many scores a block holds at most (but at least one query).
constexpr std::int64_t kMaxQueries = 64;
constexpr std::int64_t kMaxScores = 1 << 18;

Strided without_last_two(const Strided& layout) {
  Strided rest = layout;
  rest.shape.resize(layout.shape.size() - std::min<std::size_t>(2, layout.shape.size()));
  rest.strides.resize(rest.shape.size());
  return rest;
}

/// Strides of the last two dimensions, 0 where the layout lacks one or broadcasts.
std::int64_t stride_from_end(const Strided& layout, std::size_t from_end) {
  if (layout.shape.size() < from_end || layout.shape[layout.shape.size() - from_end] == 1) return 0;
  return layout.strides[layout.shape.size() - from_end];
}

/// Attention block by block: the scores of some queries of one head, their softmax, and the product with the values.
/// Nothing larger than a block of scores is stored; the division by the softmax's sum comes last.
template <typename T>
class AttentionLaunch final : public CpuLaunch {
 public:
  AttentionLaunch(const OperationContext& context, const Binding& binding)
      : resources_(context.resources),
        query_(binding.inputs[0].value()),
        key_(binding.inputs[1].value()),
        value_(binding.inputs[2].value()),
        mask_(binding.inputs[3]),
        causal_(binding.attrs.at("is_causal").as_bool()),
        sink_(context.epilogue, 4, binding) {
    const Shape& query = query_.layout.shape;
    const std::size_t rank = query.size();
    queries_ = query[rank - 2];
    depth_ = query[rank - 1];
    keys_ = key_.layout.shape[rank - 2];
    width_ = value_.layout.shape[rank - 1];
    const Json& scale = binding.attrs.at("scale");
    scale_ = scale.is_null() ? 1 / std::sqrt(static_cast<double>(depth_)) : scale.to_number<double>();
    std::vector<Strided> batches = {without_last_two(query_.layout), without_last_two(key_.layout),
                                    without_last_two(value_.layout)};
    if (mask_) batches.push_back(without_last_two(mask_->layout));
    batch_ = make_walk(Shape(query.begin(), query.end() - 2), batches);
    block_ = std::clamp<std::int64_t>(kMaxScores / std::max<std::int64_t>(keys_, 1), 1, kMaxQueries);
    block_ = std::min(block_, std::max<std::int64_t>(queries_, 1));
    blocks_ = (queries_ + block_ - 1) / block_;
    ScratchLayout layout;
    scores_at_ = layout.add(to_size(block_ * keys_) * sizeof(T));
    sums_at_ = layout.add(to_size(block_) * sizeof(T));
    if (mask_) {
      load_mask_ = load_function(mask_->dtype);
      cast_mask_ = cast_function(mask_->dtype, sink_.compute_dtype());
      loaded_mask_at_ = layout.add(to_size(keys_) * sizeof(double));
      mask_at_ = layout.add(to_size(keys_) * sizeof(T));
    }
    result_at_ = layout.add(to_size(block_ * width_) * sizeof(T));
    gemm_at_ = layout.add(std::max(
        gemm_scratch_bytes(sink_.compute_dtype(), {block_, keys_, depth_}, query_view(), key_view()),
        gemm_scratch_bytes(sink_.compute_dtype(), {block_, width_, keys_}, scores_view(nullptr), value_view())));
    sink_at_ = layout.add(sink_.scratch_bytes());
    scratch_bytes_ = layout.total();
    resources_->scratch.reserve(scratch_bytes_);
  }

  void run(Slots slots) const override {
    const std::size_t cost = to_size(block_ * std::max<std::int64_t>(keys_, 1) * (depth_ + width_) / 8 + 1);
    resources_->pool.parallel_for(to_size(batch_.count() * blocks_), grain_of(cost),
                                  [&](std::size_t begin, std::size_t end) {
                                    const auto scratch = resources_->scratch.lease(scratch_bytes_);
                                    for (std::int64_t unit = to_signed(begin); unit < to_signed(end); ++unit) {
                                      run_block(slots, unit / blocks_, unit % blocks_ * block_, scratch.data());
                                    }
                                  });
  }

 private:
  MatrixView query_view() const { return rows_of(query_); }
  MatrixView value_view() const { return rows_of(value_); }
  MatrixView key_view() const {  // transposed
    const MatrixView rows = rows_of(key_);
    return {nullptr, rows.dtype, rows.column_stride, rows.row_stride};
  }
  MatrixView scores_view(const std::byte* scores) const { return {scores, sink_.compute_dtype(), keys_, 1}; }
  static MatrixView rows_of(const Operand& operand) {
    const Shape& strides = operand.layout.strides;
    return {nullptr, operand.dtype, strides[strides.size() - 2], strides[strides.size() - 1]};
  }

  const std::byte* start(Slots slots, const Operand& operand, std::size_t which, std::int64_t batch) const {
    return address(slots, operand.slot, operand.layout.offset + batch_.offset(which, batch),
                   graph::dtype_bytes(operand.dtype));
  }

  void run_block(Slots slots, std::int64_t batch, std::int64_t first, std::byte* scratch) const {
    const std::int64_t count = std::min(block_, queries_ - first);
    const std::int64_t keys = causal_ ? std::min(keys_, first + count) : keys_;
    auto* scores = reinterpret_cast<T*>(scratch + scores_at_);
    auto* sums = reinterpret_cast<T*>(scratch + sums_at_);
    MatrixView query = query_view(), key = key_view(), value = value_view();
    query.data = start(slots, query_, 0, batch) + first * query.row_stride * to_signed(graph::dtype_bytes(query.dtype));
    key.data = start(slots, key_, 1, batch);
    value.data = start(slots, value_, 2, batch);
    gemm(sink_.compute_dtype(), {count, keys, depth_}, query, key, scale_, scores, keys_, scratch + gemm_at_);
    if (mask_) add_mask(slots, batch, first, count, scores, scratch);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t visible = causal_ ? std::min(keys, first + i + 1) : keys;
      sums[i] = exponentiate(scores + i * keys_, visible, keys);
    }
    const std::int64_t index = (batch * queries_ + first) * width_;
    auto* result = reinterpret_cast<T*>(sink_.place(slots, index));
    if (!result) result = reinterpret_cast<T*>(scratch + result_at_);
    gemm(sink_.compute_dtype(), {count, width_, keys}, scores_view(scratch + scores_at_), value, 1.0, result, width_,
         scratch + gemm_at_);
    for (std::int64_t i = 0; i < count; ++i) {
      T* row = result + i * width_;
      if (sums[i] == T{0})
        std::fill_n(row, width_, T{0});  // no key is kept
      else
        row_kernels<T>().scale(row, to_size(width_), T{1} / sums[i]);
    }
    sink_.store(slots, index, index + count * width_, result, scratch + sink_at_);
  }

  /// Replaces the first `visible` scores of a row by their exponentials and the others by 0; returns the sum.
  static T exponentiate(T* row, std::int64_t visible, std::int64_t keys) {
    const T largest = row_kernels<T>().maximum(row, to_size(visible));
    std::fill(row + visible, row + keys, T{0});
    if (largest == -std::numeric_limits<T>::infinity()) {
      std::fill_n(row, visible, T{0});
      return T{0};
    }
    return row_kernels<T>().exp_sum(row, to_size(visible), largest, row);
  }

  void add_mask(Slots slots, std::int64_t batch, std::int64_t first, std::int64_t count, T* scores,
                std::byte* scratch) const {
    const std::size_t bytes = graph::dtype_bytes(mask_->dtype);
    const std::byte* origin = start(slots, *mask_, 3, batch);
    const std::int64_t by_query = stride_from_end(mask_->layout, 2);
    const std::int64_t by_key = stride_from_end(mask_->layout, 1);
    auto* line = reinterpret_cast<T*>(scratch + mask_at_);
    for (std::int64_t i = 0; i < count; ++i) {
      if (i == 0 || by_query != 0) {
        load_mask_(origin + (first + i) * by_query * to_signed(bytes), by_key, scratch + loaded_mask_at_,
                   to_size(keys_));
        cast_mask_(scratch + loaded_mask_at_, 1, line, to_size(keys_));
        if (mask_->dtype == Dtype::kBool) {
          for (std::int64_t k = 0; k < keys_; ++k) line[k] = line[k] != 0 ? T{0} : -std::numeric_limits<T>::infinity();
        }
      }
      row_kernels<T>().add(scores + i * keys_, to_size(keys_), line);
    }
  }

  std::shared_ptr<CpuResources> resources_;
  Operand query_, key_, value_;
  std::optional<Operand> mask_;
  bool causal_;
  ResultSink sink_;
  std::int64_t queries_, keys_, depth_, width_;
  double scale_;
  Walk batch_;  // operands: query, key, value, mask
  std::int64_t block_, blocks_;
  ConvertFunction load_mask_ = nullptr, cast_mask_ = nullptr;
  std::size_t loaded_mask_at_ = 0, mask_at_ = 0;
  std::size_t scores_at_, sums_at_, result_at_, gemm_at_, sink_at_, scratch_bytes_;
};

}  // namespace

std::unique_ptr<Launch> bind_attention(const OperationContext& context, const Binding& binding) {
  if (context.epilogue.compute_dtype() == Dtype::kF64) {
    return std::make_unique<AttentionLaunch<double>>(context, binding);
  }
  return std::make_unique<AttentionLaunch<float>>(context, binding);
}

}  // namespace alknet::compute
